"""A clock that only moves when it is told, and engines whose times are known."""
from __future__ import annotations

import numpy as np


class FakeClock:
    """Time in ns from an arbitrary moment; sleeping takes no time."""

    def __init__(self, now=1_000_000_007):
        self.now = now
        self.slept = []

    def now_ns(self):
        return self.now

    def sleep_until(self, moment_ns):
        self.slept.append(moment_ns - self.now)
        self.now = max(self.now, moment_ns)


class FakeEngine:
    """Answers image n with the score 1 for class n % 10, after `service_ns` (a number, or a function of the call's number and the batch)."""

    def __init__(self, clock, service_ns=1000, fail=(), answer=None):
        self.clock, self.service_ns, self.fail, self.wrong = clock, service_ns, set(fail), answer or {}
        self.rows = self.calls = self.bound = 0
        self.batches = []

    def bind(self):
        self.bound += 1

    def answer(self, samples):
        call, self.calls = self.calls, self.calls + 1
        self.batches.append(tuple(samples))
        self.rows += len(samples)
        self.clock.now += self.service_ns(call, samples) if callable(self.service_ns) else self.service_ns
        if call in self.fail:
            raise RuntimeError(f"call {call} went wrong")
        return self.wrong.get(call, scores(samples))


def scores(samples):
    """What a FakeEngine answers."""
    values = np.zeros((len(samples), 10), np.float32)
    values[np.arange(len(samples)), np.asarray(samples) % 10] = 1
    return values
