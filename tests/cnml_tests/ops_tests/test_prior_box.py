"""PriorBox: kernel against reference, reference against the formula."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.compiled import check_operator

from cnml.errors import CnmlError
from cnml.ops.prior_box import PriorBox
from cnml.reference.prior_box import PriorBoxOptions, box_sizes, prior_box


def test_matches_reference(rng):
    options = PriorBoxOptions((10.0,), (20.0,), (1.0, 2.0, 0.5), (0.1, 0.1, 0.2, 0.2), True)
    check_operator(PriorBox(options), [rng.random((1, 3, 4, 5)), rng.random((1, 3, 40, 50))], rtol=0, atol=0)


def test_one_cell():
    y = prior_box(PriorBoxOptions((10.0,), (40.0,)), (1, 1), (100, 200))
    np.testing.assert_allclose(y[0, 0], [0.475, 0.45, 0.525, 0.55, 0.45, 0.4, 0.55, 0.6], rtol=1e-6)
    np.testing.assert_allclose(y[0, 1], 0.1)


def test_order_of_boxes():
    np.testing.assert_allclose(box_sizes(PriorBoxOptions((4.0, 9.0), (16.0, 25.0), (1.0, 4.0, 0.25))),
                               [(4, 4), (8, 8), (8, 2), (2, 8), (9, 9), (15, 15), (18, 4.5), (4.5, 18)])


def test_whole_sizes_drop_fractions():
    np.testing.assert_allclose(box_sizes(PriorBoxOptions((4.9,), (16.9,), whole_sizes=True)), [(4, 4), (8, 8)])


def test_step_offset_and_fixed_image():
    y = prior_box(PriorBoxOptions((10.0,), image=(100, 100), step=(10.0, 20.0), offset=0.0), (2, 2), (1, 1))
    np.testing.assert_allclose(y[0, 0].reshape(-1, 4)[:, :2], [(-0.05, -0.05), (0.15, -0.05), (-0.05, 0.05), (0.15, 0.05)], atol=1e-7)


def test_refuses():
    with pytest.raises(CnmlError, match="four axes"):
        PriorBox(PriorBoxOptions((1.0,))).reshape([(1, 2, 3), (1, 2, 3, 4)], [])
    with pytest.raises(CnmlError, match="empty"):
        PriorBox(PriorBoxOptions((1.0,))).reshape([(1, 2, 0, 3), (1, 2, 3, 4)], [])


def test_orders_of_converted_nets():
    options = PriorBoxOptions((4.0,), (16.0,), (1.0, 4.0), interpolated_last=True, rows_first=True)
    np.testing.assert_allclose(box_sizes(options), [(4, 4), (8, 2), (8, 8)])
    y = prior_box(options, (1, 1), (100, 200))[0, 0].reshape(-1, 4)
    np.testing.assert_allclose(y[1], [0.49, 0.48, 0.51, 0.52], rtol=1e-6)
