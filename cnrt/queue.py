"""First-in, first-out queues of asynchronous work.

Every queue has its own order; queues run beside each other. A queue's worker thread starts with the first asynchronous work. `Queue.run` on an
idle queue uses the caller's thread instead, which saves two thread switches and keeps the order all the same.
"""
from __future__ import annotations

import atexit
import itertools
import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Sequence

import numpy as np

from cnrt import trace
from cnrt.device import NO_CHANNEL, Device, current_channel, current_device
from cnrt.errors import CnrtError, RetCode
from cnrt.function import Binding, Function
from cnrt.memory import Memory, Place
from cnrt.notifier import Notifier

Parameter = Memory | Place | np.ndarray | int
Work = Callable[[], None]

_numbers = itertools.count()


class _Task:
    """One entry of a queue. A marker is also reached after an error, so that nobody waits for it forever."""

    __slots__ = ("work", "notifier")

    def __init__(self, work: Work | None, notifier: Notifier | None = None):
        self.work, self.notifier = work, notifier


class _Lane:
    """The part of a queue that its worker thread knows; it does not keep the queue itself alive."""

    def __init__(self, name: str, device: Device, channel: int):
        self.name, self.device, self.channel = name, device, channel
        self.scratch: Memory | None = None
        self.bindings: weakref.WeakKeyDictionary[Function, Binding] = weakref.WeakKeyDictionary()
        self.reset()
        _lanes.add(self)

    def reset(self) -> None:
        """As new: no tasks, no worker."""
        self.changed = threading.Condition(threading.Lock())
        self.tasks: deque[_Task] = deque()
        self.runner: int | None = None  # thread that runs a task now
        self.worker: threading.Thread | None = None
        self.error: BaseException | None = None
        self.closed = False

    def check_open(self) -> None:
        if self.closed:
            raise CnrtError(RetCode.ERR_QUEUE, f"failed to use {self.name}: it was destroyed")
        if self.runner is not None and self.runner == threading.get_ident():
            raise CnrtError(RetCode.ERR_BUSY, f"failed to wait for {self.name} from a callback that runs on it: it would wait for itself")

    def put(self, task: _Task) -> None:
        with self.changed:
            if self.closed:
                raise CnrtError(RetCode.ERR_QUEUE, f"failed to use {self.name}: it was destroyed")
            if task.notifier is not None:
                task.notifier.expect()
            self.tasks.append(task)
            if self.worker is None:
                self.worker = threading.Thread(target=_work, args=(self,), name=self.name, daemon=True)
                self.worker.start()
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
        with self.changed:
            self.runner = None
            self.changed.notify_all()

    def wait_idle(self, timeout: float | None) -> None:
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

    def execute(self, function: Function, cores: int, params: Sequence[int]) -> None:
        """Run a function on the calling thread."""
        start = time.perf_counter_ns() if trace.active else 0
        function.check_memory()
        most = self.device.tasks(cores)
        tasks = 0
        if most:
            binding = self.bindings.get(function)
            if binding is None:
                binding = self.bindings[function] = function.bind()
            if function.scratch_words or function.param_words:
                binding.fill(params, self.scratch_address(function.scratch_bytes * most), function.scratch_bytes)
            tasks = self.device.run_table(binding.table, binding.n, most)
        if start:
            trace.record(function.name, "function", start, time.perf_counter_ns(), self.name,
                         cores=cores, tasks=tasks, instructions=len(function.instructions))

    def scratch_address(self, nbytes: int) -> int:
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


def _work(lane: _Lane) -> None:
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
            task.notifier.reach(lane.device.time_source)
        del task
        lane.end()


class Queue:
    """A queue of work on a device.

    After work failed, what stands behind it in the queue is skipped (notifiers are still reached) until `sync` has raised the error.

    Parameters
    ----------
    device : Device, optional
        The thread's current device if not given.
    channel : int, optional
        The thread's current channel if not given; -1 for none.

    Raises
    ------
    CnrtError
        OUT_RANGE for a channel the device has not.
    """

    def __init__(self, device: Device | None = None, channel: int | None = None):
        self.device = current_device() if device is None else device
        if channel is None:
            channel = current_channel() if self.device is current_device() else NO_CHANNEL
        if channel != NO_CHANNEL:
            self.device.check_channel(channel)
        self.channel = channel
        self.name = f"queue {next(_numbers)} on {self.device.name}"
        self._lane = _Lane(self.name, self.device, channel)
        self._close = weakref.finalize(self, self._lane.close)
        self._close.atexit = False
        self.device.queues.add(self)

    def invoke(self, function: Function, cores: int = 1, params: Sequence[Parameter] = ()) -> None:
        """Run a function later, after what was put before.

        Parameters
        ----------
        function : Function
        cores : int
            Core slots; the host may have fewer and then uses those it has.
        params : sequence of Memory, Place, C-ordered ndarray or int
            Addresses for the function's `Param` arguments; kept alive until it has run.

        Raises
        ------
        CnrtError
            INVALID for wrong parameters or cores, QUEUE if the queue was destroyed.
        """
        self.device.check_cores(cores)
        addresses = _addresses(function, params)
        lane = self._lane

        def work(keep: Sequence[Parameter] = tuple(params)) -> None:
            lane.execute(function, cores, addresses)

        lane.put(_Task(work))

    def run(self, function: Function, cores: int = 1, params: Sequence[Parameter] = (), around: tuple[Notifier, Notifier] | None = None) -> None:
        """Run a function and return when it is done, after what was put before.

        Parameters and errors as `invoke`; errors of work before it are raised too. `around` are markers placed right before and right behind it.
        """
        held: list[int] = []
        lane = self._lane
        try:
            lane.begin(held)
            if held:
                self.device.check_cores(cores)
                addresses = _addresses(function, params)
                self._mark(around, 0)
                lane.execute(function, cores, addresses)
                self._mark(around, 1)
                return
        finally:
            if held:
                lane.end()
        if around is not None:
            self.place(around[0])
        self.invoke(function, cores, params)
        if around is not None:
            self.place(around[1])
        self.sync()

    def _mark(self, around: tuple[Notifier, Notifier] | None, which: int) -> None:
        if around is not None:
            around[which].expect()
            around[which].reach(self.device.time_source)

    def call(self, work: Work) -> None:
        """Call a Python function on the queue's thread, after what was put before. It must not wait for this queue."""
        lane = self._lane

        def traced() -> None:
            start = time.perf_counter_ns()
            work()
            trace.record(getattr(work, "__name__", "call"), "host", start, time.perf_counter_ns(), lane.name)

        lane.put(_Task(traced))

    def place(self, notifier: Notifier) -> None:
        """Put a marker that takes the time when the queue comes to it."""
        self._lane.put(_Task(None, notifier))

    def wait(self, notifier: Notifier) -> None:
        """Let the queue go on only when a marker placed in another queue was reached."""
        self._lane.put(_Task(notifier.wait))

    def sync(self, timeout: float | None = None) -> None:
        """Wait until all work is done.

        Parameters
        ----------
        timeout : float, optional
            Seconds.

        Raises
        ------
        CnrtError
            What the work raised (QUEUE if that was no CnrtError, with the cause attached); TIMEOUT; BUSY from a callback on this queue.
        """
        lane = self._lane
        if lane.runner == threading.get_ident() or lane.closed:
            lane.check_open()
        lane.wait_idle(timeout)

    def profile(self, function: Function, cores: int = 1, params: Sequence[Parameter] = ()) -> list[int]:
        """Run a function instruction by instruction.

        Returns
        -------
        list of int
            Nanoseconds of host time for each, the call from Python (about 5 µs) included.
        """
        times = []
        for i in range(len(function.instructions)):
            one = function.part(i, i + 1)
            one.prepare()
            start = time.perf_counter_ns()
            self.run(one, cores, params[:one.params])
            times.append(time.perf_counter_ns() - start)
        return times

    @property
    def busy(self) -> bool:
        """Whether work is waiting or running."""
        return bool(self._lane.tasks) or self._lane.runner is not None

    def destroy(self) -> None:
        """Finish the work, then close the queue.

        Raises
        ------
        CnrtError
            What the work raised; QUEUE if it was destroyed before.
        """
        try:
            self.sync()
        finally:
            self._close()
            self.device.queues.discard(self)

    def __enter__(self) -> Queue:
        return self

    def __exit__(self, *exception: object) -> None:
        self.destroy()

    def __repr__(self) -> str:
        return f"Queue({self.name!r})"


def _addresses(function: Function, params: Sequence[Parameter]) -> list[int]:
    if len(params) != function.params:
        raise CnrtError(RetCode.ERR_INVALID, f"failed to run function '{function.name}' with {len(params)} parameters: it takes {function.params}")
    found = []
    for i, p in enumerate(params):
        if isinstance(p, Memory):
            found.append(p.address)
        elif isinstance(p, Place):
            found.append(p.memory.address + p.offset)
        elif isinstance(p, np.ndarray):
            if not p.flags.c_contiguous:
                raise CnrtError(RetCode.ERR_INVALID, f"failed to run function '{function.name}': parameter {i} is an array "
                                "that does not lie in C order without gaps")
            found.append(p.ctypes.data)
        else:
            found.append(int(p))
    return found


_lanes: weakref.WeakSet[_Lane] = weakref.WeakSet()


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
