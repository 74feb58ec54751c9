"""How long a thread that comes back from native code waits for the interpreter."""
from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def prompt_switches(seconds: float = 0.0005) -> Iterator[None]:
    """Let a thread that comes back from native code wait for the interpreter no longer than this.

    Python's default of 5 ms, spent behind a thread that prepares images or that waits for a query, would be counted as device time or latency and is
    longer than a small net's forward.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(min(before, seconds))
    try:
        yield
    finally:
        sys.setswitchinterval(before)
