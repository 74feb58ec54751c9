"""The search for the layers that must stay in floating point."""
from __future__ import annotations

import pytest

from pycaffe_acc.quantize.accuracy_search import Trial, search

ORDER = tuple(range(100, 120))


def measured(needed, calls):
    """Top-1 of a net that needs `needed` layers in floating point."""
    def measure(kept):
        calls.append(tuple(kept))
        return 80.0 - 0.1 * max(0, needed - len(kept))
    return measure


@pytest.mark.parametrize("needed", range(20))
def test_the_smallest_number(needed):
    """Found for every number, in few trials, and the result is one that was measured."""
    calls = []
    found = search(lambda: ORDER, measured(needed, calls), 80.0, 0.05)
    assert found.met and found.kept == ORDER[:needed] and found.kept in calls
    assert found.top1 == 80.0 and found.drop == 0
    assert len(found.trials) == len(calls) == len(set(calls)) <= 12


def test_nothing_to_do():
    """The ranking is not asked for."""
    found = search(lambda: pytest.fail("ranked"), lambda kept: 79.9, 80.0, 0.1)
    assert found.met and found.kept == () and found.trials == (Trial(0, 79.9),)


def test_it_cannot_be_met():
    """One layer at least stays in INT8; the best trial is returned, and every number of layers at the end was tried."""
    calls = []
    found = search(lambda: ORDER, measured(20, calls), 80.0, 0.0)
    assert not found.met and found.kept == ORDER[:19] and found.top1 == pytest.approx(79.9) and found.drop == pytest.approx(0.1)
    assert max(map(len, calls)) == 19


@pytest.mark.parametrize("layers", [0, 1])
def test_nothing_to_return(layers):
    """A net whose only layer is in INT8 stays as it is."""
    found = search(lambda: ORDER[:layers], lambda kept: 70.0, 80.0, 0.5)
    assert not found.met and found.kept == () and len(found.trials) == 1


def test_jumps():
    """Accuracy is no smooth function: what comes back holds the bound whatever happens between."""
    top1 = {0: 79.0, 1: 79.5, 2: 79.1, 3: 79.9, 4: 79.0, 6: 79.9, 9: 79.9}
    found = search(lambda: ORDER, lambda kept: top1.get(len(kept), 79.0), 80.0, 0.2)
    assert found.met and found.top1 == 79.9 and len(found.kept) == 3
