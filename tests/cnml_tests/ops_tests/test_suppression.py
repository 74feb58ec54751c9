"""Boxes thinned out."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.compiled import check_operator

from cnml.errors import CnmlError
from cnml.ops.suppression import Suppress
from cnml.reference.suppression import SuppressionOptions

BOXES = np.array([[0, 0, 10, 10, 0.5], [1, 1, 11, 11, 0.9], [20, 20, 30, 30, 0.4], [0, 0, 9, 10, 0.1]], np.float32)


def test_the_best_of_overlapping_boxes_stays():
    got, = Suppress(SuppressionOptions(3, 0.5)).reference([BOXES], [])
    np.testing.assert_array_equal(got, [BOXES[1], BOXES[2], np.zeros(5)])


def test_scores_below_the_threshold_and_rows_beyond_the_last(rng):
    got, = Suppress(SuppressionOptions(2, 0.99, 0.45, True)).reference([BOXES], [])
    np.testing.assert_array_equal(got, BOXES[[1, 0]])
    got, = Suppress(SuppressionOptions(1, 0.5)).reference([BOXES], [])
    np.testing.assert_array_equal(got, BOXES[[1]])
    check_operator(Suppress(SuppressionOptions(5, 0.3)), [np.abs(rng.standard_normal((9, 5)))])


def test_whole_pixels_count_their_last_one():
    """Two boxes of a pixel side by side: 2 of 4 pixels are common with the last pixel counted, none without."""
    boxes = np.array([[0, 0, 1, 1, 0.9], [1, 0, 2, 1, 0.8]], np.float32)
    assert Suppress(SuppressionOptions(2, 0.3)).reference([boxes], [])[0][1, 4] == np.float32(0.8)
    assert Suppress(SuppressionOptions(2, 0.3, normalized=False)).reference([boxes], [])[0][1, 4] == 0


def test_refusals():
    for op, shape in ((Suppress(SuppressionOptions(0, 0.5)), (4, 5)), (Suppress(SuppressionOptions(1, 0.5)), (4, 4))):
        with pytest.raises(CnmlError):
            op.reshape([shape], [])
