"""Markers in a queue that take the time when they are reached."""
from __future__ import annotations

import threading
import time

from cnrt.errors import CnrtError, RetCode


class Notifier:
    """A marker; `Queue.place` puts it into a queue, any number of times.

    Attributes
    ----------
    time_ns : int or None
        When it was last reached.
    time_source : str
        Whose time that is: "host", or "simulated" with the name of a card. Simulated time of a queue begins at 0 and passes while its functions run.
    """

    def __init__(self) -> None:
        self.time_ns: int | None = None
        self.time_source = "host"
        self._pending = 0
        self._reached = threading.Condition(threading.Lock())

    @property
    def simulated(self) -> bool:
        """Whether its times come from a model of a device instead of a clock."""
        return self.time_source != "host"

    @property
    def pending(self) -> bool:
        """Whether a queue has yet to reach it."""
        return self._pending > 0

    def query(self) -> bool:
        """Whether it was placed and every placement was reached."""
        return self._pending == 0 and self.time_ns is not None

    def wait(self, timeout: float | None = None) -> None:
        """Block until every placement was reached.

        Parameters
        ----------
        timeout : float, optional
            Seconds.

        Raises
        ------
        CnrtError
            NOTIFIER if it was never placed, TIMEOUT.
        """
        if self._pending == 0 and self.time_ns is None:
            raise CnrtError(RetCode.ERR_NOTIFIER, "failed to wait for a notifier: it was not placed in a queue")
        end = None if timeout is None else time.monotonic() + timeout
        with self._reached:
            while self._pending:
                left = 1.0 if end is None else min(1.0, end - time.monotonic())
                if left <= 0:
                    raise CnrtError(RetCode.ERR_TIMEOUT, f"failed to wait for a notifier: it was not reached within {timeout} s")
                self._reached.wait(left)  # in steps, so that Ctrl-C gets through on every system

    def expect(self) -> None:
        """Called when it is placed in a queue."""
        with self._reached:
            self._pending += 1

    def reach(self, source: str, now_ns: int | None = None) -> None:
        """Called by the queue when it comes to it; with a time that is not the host's, where the device has its own."""
        now = time.perf_counter_ns() if now_ns is None else now_ns
        with self._reached:
            self.time_ns, self.time_source = now, source
            self._pending -= 1
            self._reached.notify_all()

    def cancel(self) -> None:
        """Called when a queue drops it unreached."""
        with self._reached:
            self._pending -= 1
            self._reached.notify_all()


def duration_us(start: Notifier, end: Notifier) -> float:
    """Time between two reached markers.

    Parameters
    ----------
    start, end : Notifier

    Returns
    -------
    float
        Microseconds.

    Raises
    ------
    CnrtError
        NOTIFIER if one of them was not reached yet, or their times have different sources.
    """
    for which, notifier in (("first", start), ("second", end)):
        if not notifier.query():
            raise CnrtError(RetCode.ERR_NOTIFIER, f"failed to measure between two notifiers: the {which} was not reached; "
                            "place it, then sync the queue")
    if start.time_source != end.time_source:
        raise CnrtError(RetCode.ERR_NOTIFIER, f"failed to measure between two notifiers: one has {start.time_source} time, "
                        f"the other {end.time_source} time")
    assert start.time_ns is not None and end.time_ns is not None
    return (end.time_ns - start.time_ns) / 1e3
