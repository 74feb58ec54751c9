"""The numbered cores of a device: which are free, what runs on the others, and how long each has been at work."""
from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from cnrt import trace
from cnrt.errors import CnrtError, RetCode


class CoreUse(NamedTuple):
    """What one core did until now.

    Attributes
    ----------
    core, channel : int
    busy_ns : int
        Host time in which a function held the core, one that is still running included.
    functions : int
        How many functions have held it.
    busy : bool
        Whether one does now.
    """

    core: int
    channel: int
    busy_ns: int
    functions: int
    busy: bool

    def since(self, before: CoreUse) -> CoreUse:
        """What was added after an earlier look at the same core."""
        return self._replace(busy_ns=self.busy_ns - before.busy_ns, functions=self.functions - before.functions)


class Cores:
    """Cores by number; those of channel c are c * per_channel and following.

    A function gets all the cores it asks for at once, of its own channel as far as there are any free, and waits until there are enough: first come,
    first served.

    Parameters
    ----------
    owner : str
        The device's name, for the trace.
    channels, per_channel : int
    """

    def __init__(self, owner: str, channels: int, per_channel: int):
        self.owner, self.per_channel = owner, per_channel
        self.count = channels * per_channel
        self.reset()

    def reset(self) -> None:
        """As new: every core free and never used."""
        self._lock = threading.Lock()
        self._free = list(range(self.count - 1, -1, -1))  # the next one is the last
        self._waiting: deque[tuple[int, int, list[int], threading.Lock]] = deque()
        self._since = [0] * self.count  # 0 while a core is free
        self._busy_ns = [0] * self.count
        self._functions = [0] * self.count

    def take(self, count: int, held: list[int], channel: int = -1) -> None:
        """Wait for cores and put their numbers into `held` in the same step.

        Parameters
        ----------
        count : int
        held : list of int
            Empty; also filled when the wait is interrupted just then.
        channel : int
            The channel to prefer; -1 for any.

        Raises
        ------
        CnrtError
            INVALID for more cores than there are.
        """
        if not 1 <= count <= self.count:
            raise CnrtError(RetCode.ERR_INVALID, f"failed to run on {count} cores of {self.owner}: it has {self.count}")
        door = threading.Lock()
        door.acquire()
        ticket = (count, channel, held, door)
        try:
            with self._lock:
                if not self._waiting and count <= len(self._free):
                    self._grant(count, held, channel)
                    return
                self._waiting.append(ticket)
            door.acquire()  # released by whoever gives cores back
        except BaseException:
            with self._lock:
                if ticket in self._waiting:  # an interrupt may come before it stands there, and after the cores were given
                    self._waiting.remove(ticket)
                    self._serve()
            raise

    def give(self, held: Sequence[int], name: str) -> None:
        """Give cores back.

        Parameters
        ----------
        held : sequence of int
            What `take` gave.
        name : str
            What ran on them, for the trace.
        """
        now = time.perf_counter_ns()
        with self._lock:
            since, free = self._since, self._free
            starts = []
            for core in held:
                start = since[core]
                if start:  # else it was given back already: an interrupt came between
                    starts.append((core, start))
                    since[core] = 0
                    self._busy_ns[core] += now - start
                    self._functions[core] += 1
                    free.append(core)
            if self._waiting:
                self._serve()
        if trace.active:
            for core, start in starts:
                trace.record(name, "core", start, now, f"core {core:2} of {self.owner}", row="core")

    def _grant(self, count: int, held: list[int], channel: int) -> None:
        free = self._free
        if channel >= 0:
            free.sort(key=lambda core: (core // self.per_channel == channel, -core))
        else:
            free.sort(reverse=True)
        now = time.perf_counter_ns()
        for _ in range(count):
            core = free[-1]
            self._since[core] = now
            held.append(core)
            free.pop()

    def _serve(self) -> None:
        while self._waiting and self._waiting[0][0] <= len(self._free):
            count, channel, held, door = self._waiting.popleft()
            self._grant(count, held, channel)
            door.release()

    def uses(self) -> list[CoreUse]:
        """What every core did so far."""
        now = time.perf_counter_ns()
        with self._lock:
            return [CoreUse(core, core // self.per_channel, self._busy_ns[core] + (max(0, now - since) if since else 0), self._functions[core],
                            since > 0) for core, since in enumerate(self._since)]
