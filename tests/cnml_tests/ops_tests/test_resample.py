"""Interp, nearest Upsample and UnPooling: kernels against the tap tables' definition, and the tables against direct formulas."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.compiled import check_operator

from cnml.errors import CnmlError
from cnml.ops.interp import Interp, InterpSize
from cnml.ops.unpooling import UnPooling, UnPoolingWindow, window_for
from cnml.ops.upsample import UpsampleNearest

SIZES = [InterpSize(9, 7), InterpSize(3, 2), InterpSize(zoom=3), InterpSize(shrink=2), InterpSize(1, 1), InterpSize(5, 5, pad_begin=-1, pad_end=-1),
         InterpSize(zoom=2, shrink=2), InterpSize(20, 20, zoom=2)]


@pytest.mark.parametrize("align", [True, False])
@pytest.mark.parametrize("size", SIZES)
def test_interp_matches_reference(size, align, rng):
    check_operator(Interp(size, align), [rng.standard_normal((2, 3, 6, 5))])


def test_interp_of_a_plane_is_exact():
    """A linear function stays linear between aligned corners."""
    x = (2.0 * np.arange(5)[:, None] + 3.0 * np.arange(4))[None, None].astype(np.float32)
    y = Interp(InterpSize(9, 7)).reference([x], [])[0]
    np.testing.assert_allclose(y[0, 0], 2.0 * np.linspace(0, 4, 9)[:, None] + 3.0 * np.linspace(0, 3, 7), rtol=1e-6)


def test_interp_half_pixel_centres_average_pairs():
    x = np.arange(8, dtype=np.float32).reshape(1, 1, 1, 8)
    np.testing.assert_allclose(Interp(InterpSize(1, 4), align_corners=False).reference([x], [])[0].reshape(-1), [0.5, 2.5, 4.5, 6.5])


@pytest.mark.parametrize(("size", "what"), [(InterpSize(), "give both"), (InterpSize(4, 0), "give both"), (InterpSize(zoom=0), "positive"),
                                            (InterpSize(4, 4, pad_begin=1), "cropping"), (InterpSize(4, 4, pad_begin=-9), "left")])
def test_interp_refuses(size, what):
    with pytest.raises(CnmlError, match=what):
        Interp(size).reshape([(1, 2, 5, 5)], [])


@pytest.mark.parametrize("rounded", [False, True])
@pytest.mark.parametrize("size", [{"scale_h": 2, "scale_w": 3}, {"height": 7, "width": 9}, {"height": 2, "width": 1}])
def test_nearest_matches_reference(size, rounded, rng):
    check_operator(UpsampleNearest(**size, rounded_corners=rounded), [rng.standard_normal((2, 3, 4, 5))], rtol=0, atol=0)


def test_nearest_repeats():
    x = np.arange(6, dtype=np.float32).reshape(1, 1, 2, 3)
    np.testing.assert_array_equal(UpsampleNearest(scale_h=2, scale_w=2).reference([x], [])[0], x.repeat(2, axis=2).repeat(2, axis=3))


WINDOWS = [UnPoolingWindow((2, 2), (2, 2)), UnPoolingWindow((2, 2), (3, 3)), UnPoolingWindow((3, 3), (2, 2), (1, 1)), UnPoolingWindow((3, 2), (1, 1))]


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("method", ["FIXED", "DIV", "REP"])
def test_unpooling_matches_reference(method, window, rng):
    check_operator(UnPooling(method, window), [rng.standard_normal((2, 3, 4, 3))])


@pytest.mark.parametrize("window", WINDOWS)
def test_unpooling_matches_a_direct_loop(window, rng):
    """The product of two tap tables against the window loop that the layer is defined by."""
    x = rng.standard_normal((1, 1, 4, 3)).astype(np.float32)
    for method in ("FIXED", "DIV", "REP"):
        op = UnPooling(method, window)
        np.testing.assert_allclose(op.reference([x], [])[0][0, 0], direct_unpooling(x[0, 0], method, window, op.size(x.shape)), rtol=1e-5, atol=1e-6)


def direct_unpooling(x, method, window, out):
    """Window by window."""
    total, covers = np.zeros(out), np.zeros(out)
    for h in range(x.shape[0]):
        for w in range(x.shape[1]):
            h0, w0 = h * window.stride[0] - window.pad[0], w * window.stride[1] - window.pad[1]
            h1, w1 = h0 + window.kernel[0], w0 + window.kernel[1]
            if method == "FIXED":
                i, j = (min(max(int((a + b - 1) / 2), 0), n - 1) for a, b, n in ((h0, h1, out[0]), (w0, w1, out[1])))
                total[i, j] = x[h, w]
                continue
            size = (min(h1, out[0] + window.pad[0]) - h0) * (min(w1, out[1] + window.pad[1]) - w0)
            part = (slice(max(h0, 0), min(h1, out[0])), slice(max(w0, 0), min(w1, out[1])))
            total[part] += x[h, w] / (size if method == "DIV" else 1)
            covers[part] += 1
    return total if method == "FIXED" else total / np.maximum(covers, 1)


def test_window_from_the_shape_of_another_blob():
    assert window_for((3, 3), (7, 7)) == UnPoolingWindow((3, 3), (3, 3), (1, 1))
    assert window_for((1, 1), (5, 4)) == UnPoolingWindow((5, 4), (1, 1), (0, 0))


@pytest.mark.parametrize(("window", "what"), [(UnPoolingWindow((0, 2)), "positive"), (UnPoolingWindow((2, 2), pad=(2, 0)), "less than the kernel")])
def test_unpooling_refuses(window, what):
    with pytest.raises(CnmlError, match=what):
        UnPooling("REP", window).reshape([(1, 2, 5, 5)], [])


def test_four_axes_are_needed():
    with pytest.raises(CnmlError, match="four axes"):
        UpsampleNearest(scale_h=2, scale_w=2).reshape([(2, 3)], [])
