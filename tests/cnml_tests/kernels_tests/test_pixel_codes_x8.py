"""Codes of normalized pixels against NumPy."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.kernel_run import call, words
from cnml_tests.kernels_tests.guarded_bytes import Pixels

from cnml.reference.quantized import normalized_codes

SIGNED, UNSIGNED = (-127.0, 127.0, 128), (0.0, 255.0, 0)
SLOPE = np.array([0.017, 0.0078125, 1.0, -0.5], np.float32)
BIAS = np.array([-1.768, 0.996, -123.0, 3.5], np.float32)


def run(x, slope, bias, factor, limits, tasks):
    """The kernel's bytes, (images, pixels, 4)."""
    images, channels, plane = x.shape
    table = np.zeros(8, np.float32)
    table[:channels], table[4:4 + channels] = slope, bias
    y = Pixels(np.zeros((images, plane, 4), np.uint8), 4)
    call("pixel_codes_x8", words(x, y.address, table, images, channels, plane, factor, *limits), tasks)
    y.check()
    return y.values


@pytest.mark.parametrize("tasks", [1, 3])
@pytest.mark.parametrize("limits", [SIGNED, UNSIGNED])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("plane", [1, 15, 16, 17, 63, 64, 65, 200])
def test_against_the_definition(rng, plane, channels, limits, tasks):
    x = rng.integers(0, 256, (2, channels, plane)).astype(np.float32)
    if x.size > 3:
        x.reshape(-1)[:3] = np.nan, np.inf, -1e30
    slope, bias = SLOPE[:channels], BIAS[:channels]
    got = run(x, slope, bias, 31.7, limits, tasks)
    want = np.full_like(got, limits[2])
    with np.errstate(all="ignore"):
        want[..., :channels] = normalized_codes(x, slope, bias, 31.7, *limits).transpose(0, 2, 1)
    np.testing.assert_array_equal(got, want)


def test_every_pixel_value_of_real_profiles():
    """All 256 values with means and factors in use, at a factor that puts many of them on halves."""
    x = np.arange(256, dtype=np.float32).reshape(1, 1, 256)
    for slope, mean in ((1.0, 104.0), (0.017, 103.94), (1 / 127.5, 127.5), (1.0, 104.00698793)):
        for factor in (0.5, 1.0, 0.8264, 53.25):
            a, b = np.float32([slope]), np.float32([-mean * slope])
            got = run(x, a, b, factor, SIGNED, 2)[..., 0]
            np.testing.assert_array_equal(got, normalized_codes(x, a, b, factor, *SIGNED)[0])
