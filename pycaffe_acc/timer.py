"""A stopwatch with pycaffe's names."""
from __future__ import annotations

import time

from pycaffe_acc.errors import CheckError


class Timer:
    """Measure wall time between `start()` and `stop()`.

    Reading `ms` while it runs stops it, as in Caffe.
    """

    def __init__(self) -> None:
        self._start_ns: int | None = None
        self._elapsed_ns = 0

    def start(self) -> None:
        """Begin; does nothing when it runs already."""
        if self._start_ns is None:
            self._start_ns = time.perf_counter_ns()

    def stop(self) -> None:
        """End; does nothing when it does not run."""
        if self._start_ns is not None:
            self._elapsed_ns = max(1, time.perf_counter_ns() - self._start_ns)
            self._start_ns = None

    def _ns(self) -> int:
        self.stop()
        if not self._elapsed_ns:
            raise CheckError("Timer: the timer has never been run before reading time; call start() and stop() first")
        return self._elapsed_ns

    @property
    def ms(self) -> float:
        """Milliseconds of the last measurement.

        Raises
        ------
        CheckError
            When there was none.
        """
        return self._ns() / 1e6

    @property
    def us(self) -> float:
        """Microseconds of the last measurement."""
        return self._ns() / 1e3
