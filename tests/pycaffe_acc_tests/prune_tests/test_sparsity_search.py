"""Searching the largest sparsity within a bound."""
from __future__ import annotations

import pytest

from pycaffe_acc.prune.sparsity_search import search


@pytest.mark.parametrize(("edge", "expected"), [(0.62, 0.6), (0.95, 0.95), (0.05, 0.05), (0.3, 0.3)])
def test_the_edge_is_found(edge, expected):
    """A net that is right until `edge`, and few trials."""
    outcome = search(lambda s: 80.0 if s <= edge + 1e-9 else 70.0, 80.5, 1.0, 0.95)
    assert outcome.best.sparsity == pytest.approx(expected) and len(outcome.trials) <= 6


def test_none():
    """Nothing is within the bound."""
    outcome = search(lambda s: 10.0, 80.0, 1.0, 0.5)
    assert outcome.best is None and min(t.sparsity for t in outcome.trials) == pytest.approx(0.05)


def test_the_largest_sparsity_is_tried_as_given():
    """Also one between the steps, and one below them."""
    assert search(lambda s: 80.0, 80.0, 0.0, 0.33).best.sparsity == 0.33
    assert search(lambda s: 80.0, 80.0, 0.0, 0.01).best.sparsity == 0.01
