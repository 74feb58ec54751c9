"""Pooling over regions: kernels against references."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.compiled import check_operator

from cnml.errors import CnmlError
from cnml.ops.roi import CheckRois, PsRoiPooling, RoiAlign, RoiMaxPooling

ROIS = np.array([[0, 0, 0, 30, 20], [1, 5, 6, 8, 9], [1, -5, 3, 100, 12], [0, 9, 9, 3, 3], [1, 200, 200, 210, 210], [0, 1.5, 2.5, 7.5, 8.5]],
                np.float32)


@pytest.mark.parametrize("rois", [ROIS, ROIS.reshape(1, 6, 1, 5)])
@pytest.mark.parametrize("scale", [1.0, 0.5, 0.0625])
def test_matches_reference(scale, rois, rng):
    x = rng.standard_normal((2, 8, 10, 12))
    check_operator(RoiMaxPooling(scale, (3, 4)), [x, rois], rtol=0, atol=0)
    check_operator(PsRoiPooling(scale, 2, 2), [x, rois])
    for ratio in (0, 1, 2):
        check_operator(RoiAlign(scale, (3, 4), ratio), [x, rois], rtol=1e-4, atol=1e-5)


def test_a_region_of_whole_bins_is_max_pooling():
    x = np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4)
    y = RoiMaxPooling(1.0, (2, 2)).reference([x, np.array([[0, 0, 0, 3, 3]], np.float32)], [])[0]
    np.testing.assert_array_equal(y[0, 0], [[5, 7], [13, 15]])


def test_align_of_a_plane_gives_the_bin_centres():
    x = (10.0 * np.arange(8)[:, None] + np.arange(8)).astype(np.float32)[None, None]
    y = RoiAlign(1.0, (2, 2), 2).reference([x, np.array([[0, 1, 1, 5, 5]], np.float32)], [])[0]
    np.testing.assert_allclose(y[0, 0], [[22, 24], [42, 44]])


def test_position_sensitive_bins_read_their_own_channels():
    x = np.arange(8, dtype=np.float32).reshape(1, 8, 1, 1).repeat(4, axis=2).repeat(4, axis=3)
    y = PsRoiPooling(1.0, 2, 2).reference([x, np.array([[0, 0, 0, 3, 3]], np.float32)], [])[0]
    np.testing.assert_array_equal(y.reshape(-1), np.arange(8))


@pytest.mark.parametrize("row", [[2, 0, 0, 1, 1], [-1, 0, 0, 1, 1], [0, 0, np.nan, 1, 1]])
def test_bad_rows_are_named(row):
    with pytest.raises(CnmlError, match="row 1"):
        CheckRois(2, "pool5").reference([np.array([[0, 0, 0, 1, 1], row], np.float32)], [])


@pytest.mark.parametrize(("op", "shapes"), [
    (RoiMaxPooling(1.0, (2, 2)), [(2, 3), (1, 5)]), (RoiMaxPooling(1.0, (0, 2)), [(1, 2, 3, 4), (1, 5)]),
    (RoiMaxPooling(1.0, (2, 2)), [(1, 2, 3, 4), (1, 4)]),
    (PsRoiPooling(1.0, 2, 2), [(1, 7, 3, 4), (1, 5)])])
def test_shapes_that_do_not_fit_are_refused(op, shapes):
    with pytest.raises(CnmlError):
        op.reshape(shapes, [])
