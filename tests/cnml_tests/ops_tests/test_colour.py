"""Video pixels."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.compiled import check_operator, run_operator

from cnml.errors import CnmlError
from cnml.ops.colour import YuvToGray, YuvToRgb


def frame(y, u, v):
    """One 2 x 2 frame of a colour."""
    return np.array([[y, y], [y, y], [u, v]], np.float32).reshape(1, 1, 3, 2)


@pytest.mark.parametrize("given, want", [((16, 128, 128), (0, 0, 0)), ((235, 128, 128), (255, 255, 255)), ((81, 90, 240), (255, 0, 0)),
                                         ((145, 54, 34), (0, 255, 0)), ((41, 240, 110), (0, 0, 255))])
def test_the_colours_of_bt_601(given, want):
    got = YuvToRgb(False, "RGB0").reference([frame(*given)], [])[0][0, :, 0, 0]
    np.testing.assert_allclose(got, [*want, 0], atol=2)
    y, u, v = given
    np.testing.assert_array_equal(YuvToRgb(True, "BGR0").reference([frame(y, v, u)], [])[0][0, :, 0, 0], [got[2], got[1], got[0], 0])


def test_through_a_graph(rng):
    x = rng.integers(0, 256, (2, 1, 6, 4)).astype(np.float32)
    for form in ("ARGB", "RGB0", "BGR0"):
        for swapped in (False, True):
            check_operator(YuvToRgb(swapped, form), [x], rtol=0, atol=0)
    check_operator(YuvToGray(), [x])
    np.testing.assert_array_equal(YuvToGray().reference([x], [])[0], x[:, :, :4])


def test_halves_go_up():
    """291 (Y - 16) + 399 (V - 128) of 125 modulo 250 is an exact half; every pair of Y and V at once."""
    y, v = np.meshgrid(np.arange(256), np.arange(256), indexing="ij")
    x = np.zeros((65536, 1, 3, 2), np.float32)
    x[:, 0, :2] = y.reshape(-1, 1, 1)
    x[:, 0, 2] = np.stack([np.full(65536, 128), v.reshape(-1)], axis=1)
    want = np.clip((1164 * (y.reshape(-1).astype(np.int64) - 16) + 1596 * (v.reshape(-1).astype(np.int64) - 128) + 500) // 1000, 0, 255)
    assert ((291 * (y - 16) + 399 * (v - 128)) % 250 == 125).any()
    np.testing.assert_array_equal(run_operator(YuvToRgb(False, "RGB0"), [x], cores=2)[0][:, 0, 1, 1], want)


@pytest.mark.parametrize("op, shape", [(YuvToRgb(False, "GRB"), (1, 1, 3, 2)), (YuvToRgb(False, "RGB0"), (1, 3, 3, 2)),
                                       (YuvToGray(), (1, 1, 4, 2)), (YuvToGray(), (1, 1, 3, 3))])
def test_refusals(op, shape):
    with pytest.raises(CnmlError):
        op.reshape([shape], [])
