"""Counts of zeros."""
from __future__ import annotations

import pytest

from cnml.sparsity import Sparsity


def test_shares_and_sums():
    a, b = Sparsity(100, 80, 80, 1000, 800), Sparsity(300, 30, 0, 500, 0)
    assert (a.achieved, a.exploited, b.achieved, b.exploited) == (0.8, 0.8, 0.1, 0.0)
    assert a + b == sum((a, b), Sparsity()) == Sparsity(400, 110, 80, 1500, 800)
    assert (a + b).achieved == pytest.approx(0.275)


def test_no_weights_have_no_zeros():
    assert Sparsity().achieved == Sparsity().exploited == 0.0


def test_nothing_else_can_be_added():
    with pytest.raises(TypeError):
        Sparsity() + 1
