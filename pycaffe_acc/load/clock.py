"""The time that a load run goes by."""
from __future__ import annotations

import time
from typing import Protocol

#: a sleeping worker looks up at least this often, so that a stopped run ends soon
_LONGEST_SLEEP_NS = 100_000_000


class Clock(Protocol):
    """What tells the time and lets it pass."""

    def now_ns(self) -> int:
        """Nanoseconds since some moment; never falls."""

    def sleep_until(self, moment_ns: int) -> None:
        """Sleep until `moment_ns` of `now_ns`, or somewhat less long: the caller looks at the clock again."""


class WallClock:
    """The machine's own clock."""

    def now_ns(self) -> int:
        """See `Clock.now_ns`."""
        return time.perf_counter_ns()

    def sleep_until(self, moment_ns: int) -> None:
        """See `Clock.sleep_until`."""
        left = min(moment_ns - time.perf_counter_ns(), _LONGEST_SLEEP_NS)
        if left > 0:
            time.sleep(left * 1e-9)
