"""What stands behind a queue: its tasks, the thread that works on them, and how functions run there."""
from __future__ import annotations

import atexit
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from cnrt import trace
from cnrt.cost import Launch
from cnrt.device import Device
from cnrt.errors import CnrtError, RetCode
from cnrt.function import Binding, Function
from cnrt.memory import Memory
from cnrt.notifier import Notifier
from cnrt.simulation.clock import NOBODY
from cnrt.slices import run_beside

Work = Callable[[], None]
#: a function and the addresses of its parameters
Slice = tuple[Function, list[int]]


class Task:
    """One entry of a queue. A marker is also reached after an error, so that nobody waits for it forever."""

    __slots__ = ("work", "notifier")

    def __init__(self, work: Work | None, notifier: Notifier | None = None):
        self.work, self.notifier = work, notifier


class Lane:
    """The part of a queue that its worker thread knows; it does not keep the queue itself alive."""

    def __init__(self, name: str, device: Device, channel: int):
        self.name, self.device, self.channel = name, device, channel
        self.launch: Launch | None = None
        self.company = NOBODY
        self.scratch: Memory | None = None
        self.bindings: weakref.WeakKeyDictionary[Function, Binding] = weakref.WeakKeyDictionary()
        self.reset()
        _lanes.add(self)

    def reset(self) -> None:
        """As new: no tasks, no worker."""
        self.changed = threading.Condition(threading.Lock())
        self.tasks: deque[Task] = deque()
        self.runner: int | None = None  # thread that runs a task now
        self.worker: threading.Thread | None = None
        self.error: BaseException | None = None
        self.closed = False
        self.elapsed_ns = 0  # simulated time, on a card that has a clock

    def check_open(self) -> None:
        """Raise QUEUE when the queue was destroyed, BUSY on the thread that runs its work."""
        if self.closed:
            raise CnrtError(RetCode.ERR_QUEUE, f"failed to use {self.name}: it was destroyed")
        if self.runner is not None and self.runner == threading.get_ident():
            raise CnrtError(RetCode.ERR_BUSY, f"failed to wait for {self.name} from a callback that runs on it: it would wait for itself")

    def put(self, task: Task) -> None:
        """Append a task, and start the worker if there is none; QUEUE when it cannot be started."""
        with self.changed:
            if self.closed:
                raise CnrtError(RetCode.ERR_QUEUE, f"failed to use {self.name}: it was destroyed")
            if self.worker is None:
                worker = threading.Thread(target=_work, args=(self,), name=self.name, daemon=True)
                try:
                    worker.start()
                except RuntimeError as e:  # the system gives no more threads: the task must not wait for one that never comes
                    raise CnrtError(RetCode.ERR_QUEUE, f"failed to start the worker of {self.name}: {e}; close other queues or nets") from e
                self.worker = worker
            if task.notifier is not None:
                task.notifier.expect()
            self.tasks.append(task)
            self.changed.notify_all()

    def begin(self, held: list[int]) -> None:
        """Take the lane for the calling thread if it is idle, and note it in `held` in the same step."""
        me = threading.get_ident()
        with self.changed:
            self.check_open()
            if self.runner is None and not self.tasks and self.error is None:
                self.runner = me
                held.append(me)

    def end(self) -> None:
        """Give the lane back that `begin` took."""
        with self.changed:
            self.runner = None
            self.changed.notify_all()

    def wait_idle(self, timeout: float | None) -> None:
        """See `Queue.sync`."""
        end = None if timeout is None else time.monotonic() + timeout
        with self.changed:
            while self.tasks or self.runner is not None:
                left = 1.0 if end is None else min(1.0, end - time.monotonic())
                if left <= 0:
                    raise CnrtError(RetCode.ERR_TIMEOUT, f"failed to sync {self.name}: it was still at work after {timeout} s")
                self.changed.wait(left)  # in steps, so that Ctrl-C gets through on every system
            error, self.error = self.error, None
        if error is None:
            return
        if isinstance(error, CnrtError):
            raise error
        raise CnrtError(RetCode.ERR_QUEUE, f"work on {self.name} failed: {type(error).__name__}: {error}") from error

    def reach(self, notifier: Notifier) -> None:
        """Give a marker the time: the host's, or the card's."""
        notifier.reach(self.device.time_source, None if self.device.clock is None else self.elapsed_ns)

    def catch_up(self, notifier: Notifier) -> None:
        """Wait for a marker of another queue, in simulated time too."""
        notifier.wait()
        if self.device.clock is not None and notifier.time_source == self.device.time_source and notifier.time_ns is not None:
            self.elapsed_ns = max(self.elapsed_ns, notifier.time_ns)

    def _pass_time(self, slices: Sequence[Slice], cores: int, launch: Launch | None) -> int:
        """Let the card's clock go on by what these functions take there; how many ns that is."""
        if self.device.clock is None:
            return 0
        launch = launch or self.launch or Launch(len(slices), cores)
        passed = self.device.clock.invocation_ns(slices[0][0].costs, launch, self.channel, self.company)
        self.elapsed_ns += passed
        return passed

    def execute(self, slices: Sequence[Slice], cores: int, launch: Launch | None = None) -> None:
        """Run functions beside each other, each on `cores` cores; one of them on the calling thread alone."""
        start = time.perf_counter_ns() if trace.active else 0
        for function, _ in slices:
            function.check_memory()
        device = self.device
        most = device.tasks(cores)
        held: list[int] = []
        try:
            if device.virtual:
                device.cores.take(cores * len(slices), held, self.channel)
            tasks = self._run(slices, most) if most else 0
        finally:
            if held:
                device.cores.give(held, slices[0][0].name)
        passed = self._pass_time(slices, cores, launch)
        if start:
            simulated = {} if device.clock is None else {"simulated_ns": passed}
            self._record(slices[0][0], start, cores=cores * len(slices), tasks=tasks, slices=len(slices), **simulated)

    def _record(self, function: Function, start: int, **args: int) -> None:
        end, device = time.perf_counter_ns(), self.device
        trace.record(function.name, "function", start, end, self.name, instructions=len(function.instructions), **args)  # type: ignore[arg-type]
        channel = 0 if device.spec.channels == 1 else self.channel
        trace.record(function.name, "function", start, end, f"channel {channel if channel >= 0 else 'any'} of {device.name}", row="channel")

    def _run(self, slices: Sequence[Slice], most: int) -> int:
        """Run slices on `most` core slots each; how many tasks that were."""
        room = sum([f.scratch_bytes * most for f, _ in slices if f.scratch_words])
        base = self.scratch_address(room) if room else 0
        if len(slices) == 1:
            binding = self._bind(*slices[0], base)
            return self.device.run_table(binding.table, binding.n, most, slices[0][0].name)
        work: list[Callable[[], None]] = []
        tasks: list[int] = []
        for i, (function, params) in enumerate(slices):
            binding = self._bind(function, params, base)
            base += function.scratch_bytes * most if function.scratch_words else 0
            work.append(partial(self._run_one, binding, most, f"{function.name} slice {i}", tasks))
        run_beside(work, self.device.slots // most)
        return sum(tasks)

    def _run_one(self, binding: Binding, most: int, name: str, tasks: list[int]) -> None:
        tasks.append(self.device.run_table(binding.table, binding.n, most, name))

    def _bind(self, function: Function, params: Sequence[int], base: int) -> Binding:
        """A function's table, with the addresses of this run."""
        binding = self.bindings.get(function)
        if binding is None:
            binding = self.bindings[function] = function.bind()
        if function.scratch_words or function.param_words:
            binding.fill(params, base, function.scratch_bytes)
        return binding

    def scratch_address(self, nbytes: int) -> int:
        """Address of working memory of at least so many bytes; the same until more is needed."""
        if self.scratch is None or self.scratch.nbytes < nbytes:
            self.scratch = None  # before the new one is booked
            self.scratch = self.device.malloc(nbytes, self.channel)
        return self.scratch.address

    def close(self) -> None:
        """Drop what is waiting and let the worker end."""
        with self.changed:
            self.closed = True
            dropped, self.tasks = self.tasks, deque()
            self.changed.notify_all()
        for task in dropped:
            if task.notifier is not None:
                task.notifier.cancel()


def _work(lane: Lane) -> None:
    """The worker thread of a lane."""
    while True:
        with lane.changed:
            while not lane.closed and (not lane.tasks or lane.runner is not None):
                lane.changed.wait()
            if lane.closed:
                return
            task = lane.tasks.popleft()
            lane.runner = threading.get_ident()
            failed = lane.error is not None
        try:
            if task.work is not None and not failed:
                task.work()
        except BaseException as e:  # kept for sync
            lane.error = e
        if task.notifier is not None:
            lane.reach(task.notifier)
        del task
        lane.end()


_lanes: weakref.WeakSet[Lane] = weakref.WeakSet()


def _after_fork() -> None:
    # the workers stayed in the parent, and so did the work that was waiting for them
    for lane in list(_lanes):
        closed = lane.closed
        lane.reset()
        lane.closed = closed


def _at_exit() -> None:
    """Stop the workers before the interpreter takes memory away from under them; work that nobody synced is dropped."""
    lanes = list(_lanes)
    for lane in lanes:
        lane.close()
    end = time.monotonic() + 5.0
    for lane in lanes:
        if lane.worker is not None and lane.worker is not threading.current_thread():
            lane.worker.join(max(0.0, end - time.monotonic()))


atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
