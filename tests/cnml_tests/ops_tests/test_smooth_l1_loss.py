"""SmoothL1Loss."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.compiled import check_operator

from cnml.errors import CnmlError
from cnml.ops.smooth_l1_loss import SmoothL1Loss


def test_quadratic_then_linear():
    x, t = np.array([[0.5, 3.0]]), np.zeros((1, 2))
    assert SmoothL1Loss(1.0).reference([x, t], [])[0] == pytest.approx(0.125 + 2.5)
    assert SmoothL1Loss(2.0).reference([x, t], [])[0] == pytest.approx(0.5 - 0.125 + 3 - 0.125)


def test_weights_and_batch(rng):
    x, t, inside, outside = rng.standard_normal((4, 3, 5))
    want = SmoothL1Loss(1.0).reference([inside * (x - t), 0 * t, 1 + 0 * t, outside], [])[0]
    assert SmoothL1Loss(1.0).reference([x, t, inside, outside], [])[0] == pytest.approx(want)
    check_operator(SmoothL1Loss(3.0), [x, t, inside, outside])


def test_refuses():
    with pytest.raises(CnmlError, match="two"):
        SmoothL1Loss(1.0).reshape([(1, 2)] * 3, [])
    with pytest.raises(CnmlError, match="same number"):
        SmoothL1Loss(1.0).reshape([(1, 2), (1, 3)], [])
    with pytest.raises(CnmlError, match="sigma"):
        SmoothL1Loss(0.0).reshape([(1, 2), (1, 2)], [])
