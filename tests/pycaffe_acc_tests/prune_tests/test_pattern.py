"""Which weights become zero together."""
from __future__ import annotations

import numpy as np
import pytest

from pycaffe_acc.prune.pattern import keep_mask, unit_scores, unit_starts


def test_units_begin_anew_at_every_kernel_position():
    """And the last of a position is shorter."""
    np.testing.assert_array_equal(unit_starts(6, 2, 4), [0, 4, 6, 10])
    np.testing.assert_array_equal(unit_starts(3, 2, 1), np.arange(6))


def test_scores_of_units_are_means():
    """So that short units are not favoured."""
    np.testing.assert_allclose(unit_scores(np.float64([[1, 2, 3, 6, 8, 10]]), np.array([0, 4])), [[3, 9]])


@pytest.mark.parametrize("share", [0, 0.25, 0.5, 0.9])
@pytest.mark.parametrize("width", [1, 4])
def test_the_smallest_go(rng, share, width):
    """The share is met to within a unit; whole units; nothing that stays is worth less than what goes."""
    scores = rng.uniform(size=(2, 5, 36))
    starts = unit_starts(12, 3, width)
    keep = keep_mask(scores, starts, share)
    assert 0 <= round(share * keep.size) - (~keep).sum() < width
    units = keep.reshape(2, 5, 36 // width, width)
    assert (units.all(-1) | ~units.any(-1)).all()
    means = unit_scores(scores, starts)
    if share:
        assert means[~units.any(-1)].max() <= means[units.all(-1)].min()


def test_of_equal_scores_the_share_goes_too():
    """Unlike the vendor's rule, which keeps them all."""
    assert (~keep_mask(np.zeros((1, 10)), np.arange(10), 0.3)).sum() == 3
