"""Weights seen as rows."""
from __future__ import annotations

import numpy as np
import pytest

from pycaffe_acc.prune.weight_rows import WeightRows


@pytest.mark.parametrize("view", [WeightRows((6, 4, 3, 2), 1, False), WeightRows((6, 2, 1, 1), 3, False), WeightRows((5, 7), 1, False),
                                  WeightRows((7, 5), 1, True)])
def test_there_and_back(rng, view):
    """Nothing is lost."""
    weights = rng.normal(size=view.shape).astype(np.float32)
    rows = view.rows(weights)
    assert rows.shape == (view.group, weights.size // view.columns // view.group, view.columns)
    np.testing.assert_array_equal(view.weights(rows), weights)


def test_channels_of_a_kernel_position_are_neighbours():
    """Column = position · channels + channel."""
    weights = np.zeros((2, 8, 3, 3), np.float32)
    weights[1, 5, 2, 0] = 1
    assert np.flatnonzero(WeightRows(weights.shape, 1, False).rows(weights)[0, 1]) == [6 * 8 + 5]


def test_a_transposed_inner_product_has_its_outputs_in_columns(rng):
    """Its rows are those of the other form."""
    weights = rng.normal(size=(7, 5)).astype(np.float32)
    np.testing.assert_array_equal(WeightRows((7, 5), 1, True).rows(weights)[0], weights.T)
