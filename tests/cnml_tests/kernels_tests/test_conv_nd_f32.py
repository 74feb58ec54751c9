"""N-dimensional convolution kernels against the float64 references."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.kernel_run import Guarded, call, words

from cnml.kernels.conv_nd_table import conv_nd_table
from cnml.reference.convolution import convolution, deconvolution

CASES = [
    # spatial, kernel, stride, pad, dilation, channels, outputs, group, batch
    ((), (), (), (), (), 5, 7, 1, 3),
    ((9,), (3,), (1,), (1,), (1,), 4, 6, 2, 2),
    ((9,), (3,), (2,), (4,), (2,), 2, 3, 1, 1),
    ((2,), (4,), (3,), (1,), (1,), 2, 2, 1, 1),
    ((6, 7), (3, 2), (2, 1), (1, 3), (1, 2), 4, 4, 4, 2),
    ((4, 5, 6), (3, 3, 3), (1, 1, 1), (1, 1, 1), (1, 1, 1), 3, 5, 1, 2),
    ((4, 5, 6), (2, 1, 3), (2, 1, 3), (0, 0, 2), (2, 1, 1), 4, 6, 2, 1),
    ((3, 2, 3, 2, 4), (2, 1, 2, 2, 3), (1, 1, 1, 1, 1), (0, 0, 0, 1, 1), (1, 1, 1, 1, 1), 2, 3, 1, 1),
]


def _conv_out(case):
    spatial, kernel, stride, pad, dilation = case[:5]
    return tuple(int((i + 2 * p - (d * (k - 1) + 1)) / s) + 1 for i, k, s, p, d in zip(spatial, kernel, stride, pad, dilation, strict=True))


def _deconv_out(case):
    spatial, kernel, stride, pad, dilation = case[:5]
    return tuple(s * (i - 1) + d * (k - 1) + 1 - 2 * p for i, k, s, p, d in zip(spatial, kernel, stride, pad, dilation, strict=True))


@pytest.mark.parametrize("tasks", [1, 2, 3])
@pytest.mark.parametrize("case", CASES, ids=[str(c[0]) + str(c[1]) for c in CASES])
def test_convolution(case, tasks, rng):
    spatial, kernel, stride, pad, dilation, channels, outputs, group, batch = case
    x = rng.standard_normal((batch, channels, *spatial)).astype(np.float32)
    w = rng.standard_normal((outputs, channels // group, *kernel)).astype(np.float32)
    b = rng.standard_normal(outputs).astype(np.float32)
    out = _conv_out(case)
    want = convolution(x, w, b, out, stride, pad, dilation, group).reshape(batch, outputs, *out)
    y = Guarded(want.shape)
    table = conv_nd_table(batch, channels, outputs, group, spatial, out, kernel, stride, pad, dilation)
    call("conv_nd_f32", words(x, w, b, y, table, 1, 0.0, 0.0), tasks)
    y.check()
    np.testing.assert_allclose(y.array, np.maximum(want, 0), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("tasks", [1, 2, 3])
@pytest.mark.parametrize("case", [c for c in CASES if all(o > 0 for o in _deconv_out(c))], ids=str)
def test_transposed_convolution(case, tasks, rng):
    spatial, kernel, stride, pad, dilation, channels, outputs, group, batch = case
    x = rng.standard_normal((batch, channels, *spatial)).astype(np.float32)
    w = rng.standard_normal((channels, outputs // group, *kernel)).astype(np.float32)
    out = _deconv_out(case)
    want = deconvolution(x, w, None, out, stride, pad, dilation, group).reshape(batch, outputs, *out)
    y = Guarded(want.shape)
    table = conv_nd_table(batch, channels, outputs, group, out, spatial, kernel, stride, pad, dilation)
    call("deconv_nd_f32", words(x, w, None, y, table, 2, 0.5, 0.0), tasks)
    y.check()
    np.testing.assert_allclose(y.array, np.where(want < 0, 0.5 * want, want), rtol=1e-4, atol=1e-4)


def test_clip_limits_both_sides_and_a_nan_becomes_the_lower_limit():
    x = np.array([[-3.0, 0.25, 9.0, np.nan]], np.float32).reshape(4, 1)
    w, y = np.ones((1, 1), np.float32), Guarded((4, 1))
    call("conv_nd_f32", words(x, w, None, y, conv_nd_table(4, 1, 1, 1, (), (), (), (), (), ()), 3, -1.0, 2.0))
    np.testing.assert_array_equal(y.array[:, 0], np.array([-1, 0.25, 2, -1], np.float32))
