"""Zeros shared out among layers."""
from __future__ import annotations

import numpy as np
import pytest

from pycaffe_acc.prune.layer_shares import even_shares, magnitude_scores, threshold_shares


def test_even():
    """The same everywhere."""
    assert even_shares({3: 10, 5: 20}, 0.4) == {3: 0.4, 5: 0.4}


@pytest.mark.parametrize("sparsity", [0.1, 0.5, 0.9])
def test_one_threshold(rng, sparsity):
    """The sum is met; the layer with smaller scores loses more."""
    scores = {0: rng.uniform(size=1000), 1: 0.1 * rng.uniform(size=3000)}
    shares = threshold_shares(scores, sparsity)
    assert shares[1] > shares[0]
    assert 1000 * shares[0] + 3000 * shares[1] == pytest.approx(4000 * sparsity, abs=2)


def test_no_layer_is_emptied():
    """98 % at most, even where that misses the sum."""
    assert threshold_shares({0: np.zeros(100), 1: np.ones(10)}, 0.95) == {0: 0.98, 1: pytest.approx(0.98, abs=0.1)}
    assert max(threshold_shares({0: np.arange(100.0)}, 0.999).values()) == 0.98


def test_magnitudes_do_not_depend_on_the_layers_unit(rng):
    """A layer times 1000 loses as much as before."""
    rows, starts = rng.normal(size=(3, 8)), np.arange(8)
    np.testing.assert_allclose(magnitude_scores(rows, starts), magnitude_scores(1000 * rows, starts))
    assert magnitude_scores(rows, starts)[-1] == pytest.approx(1)
    assert not magnitude_scores(np.zeros((2, 4)), np.arange(4)).any()
