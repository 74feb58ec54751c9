"""First-in, first-out queues of asynchronous work.

Every queue has its own order; queues run beside each other. A queue's worker thread starts with the first asynchronous work. `Queue.run` on an
idle queue uses the caller's thread instead, which saves two thread switches and keeps the order all the same.
"""
from __future__ import annotations

import itertools
import threading
import time
import weakref
from collections.abc import Sequence

import numpy as np

from cnrt import trace
from cnrt.cost import Launch
from cnrt.device import NO_CHANNEL, Device, current_channel, current_device
from cnrt.errors import CnrtError, RetCode
from cnrt.function import Function
from cnrt.lane import Lane, Task, Work
from cnrt.memory import Memory, Place
from cnrt.notifier import Notifier
from cnrt.simulation.clock import Company

Parameter = Memory | Place | np.ndarray | int

_numbers = itertools.count()


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
        self._lane = Lane(self.name, self.device, channel)
        self._close = weakref.finalize(self, self._lane.close)
        self._close.atexit = False
        self.device.queues.add(self)

    @property
    def parallelism(self) -> Launch | None:
        """How a card would spread this queue's functions, where they do not say so; None takes them as they are given."""
        return self._lane.launch

    @parallelism.setter
    def parallelism(self, launch: Launch | None) -> None:
        self._lane.launch = launch

    @property
    def simulated_ns(self) -> int:
        """Simulated time that has passed on this queue; 0 on devices that have no clock of their own."""
        return self._lane.elapsed_ns

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
        self.invoke_slices([(function, params)], cores)

    def invoke_slices(self, slices: Sequence[tuple[Function, Sequence[Parameter]]], cores: int = 1, launch: Launch | None = None) -> None:
        """`invoke` for functions that run beside each other (data parallelism), each on `cores` cores.

        Parameters
        ----------
        slices : sequence of (Function, parameters)
            Different functions, or copies: one function has one set of addresses at a time.
        cores : int
        launch : Launch, optional
            How a card would spread them, for its clock; as they are given, or by the queue's `parallelism`, unless told.
        """
        self.device.check_cores(cores * len(slices))
        ready = [(function, _addresses(function, params)) for function, params in slices]
        lane = self._lane

        def work(keep: Sequence[Sequence[Parameter]] = tuple(tuple(params) for _, params in slices)) -> None:
            lane.execute(ready, cores, launch)

        lane.put(Task(work))

    def run(self, function: Function, cores: int = 1, params: Sequence[Parameter] = (), around: tuple[Notifier, Notifier] | None = None) -> None:
        """Run a function and return when it is done, after what was put before.

        Parameters and errors as `invoke`; errors of work before it are raised too. `around` are markers placed right before and right behind it.
        """
        self.run_slices([(function, params)], cores, around)

    def run_slices(self, slices: Sequence[tuple[Function, Sequence[Parameter]]], cores: int = 1,
                   around: tuple[Notifier, Notifier] | None = None, launch: Launch | None = None) -> None:
        """`run` for functions that run beside each other. See `invoke_slices`."""
        held: list[int] = []
        lane = self._lane
        try:
            lane.begin(held)
            if held:
                self.device.check_cores(cores * len(slices))
                ready = [(function, _addresses(function, params)) for function, params in slices]
                self._mark(around, 0)
                lane.execute(ready, cores, launch)
                self._mark(around, 1)
                return
        finally:
            if held:
                lane.end()
        if around is not None:
            self.place(around[0])
        self.invoke_slices(slices, cores, launch)
        if around is not None:
            self.place(around[1])
        self.sync()

    def _mark(self, around: tuple[Notifier, Notifier] | None, which: int) -> None:
        if around is not None:
            around[which].expect()
            self._lane.reach(around[which])

    def call(self, work: Work) -> None:
        """Call a Python function on the queue's thread, after what was put before. It must not wait for this queue."""
        lane = self._lane

        def traced() -> None:
            start = time.perf_counter_ns()
            work()
            trace.record(getattr(work, "__name__", "call"), "host", start, time.perf_counter_ns(), lane.name)

        lane.put(Task(traced))

    def place(self, notifier: Notifier) -> None:
        """Put a marker that takes the time when the queue comes to it."""
        self._lane.put(Task(None, notifier))

    def wait(self, notifier: Notifier) -> None:
        """Let the queue go on only when a marker placed in another queue was reached."""
        lane = self._lane
        lane.put(Task(lambda: lane.catch_up(notifier)))

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


def keep_company(programs: Sequence[Sequence[Queue]]) -> None:
    """Say that programs are busy beside each other, so that the simulated times of their queues count what they share: a card's cores, memory, ports.

    Their simulated times begin at 0. Without this a queue of a card runs alone: what ran at the same moment on the host never matters.

    Parameters
    ----------
    programs : sequence of sequences of Queue
        The queues of a program take turns. Takes the place of what was said about them before.
    """
    for i, queues in enumerate(programs):
        beside = [p[0] for j, p in enumerate(programs) if j != i and p]
        for queue in queues:
            queue._lane.elapsed_ns = 0
            queue._lane.company = Company(tuple(sorted(max(0, q.channel) for q in beside if q.device is queue.device)))


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
