"""Our bilinear resize against OpenCV's, and against stored results of it."""
from __future__ import annotations

import time

import numpy as np
import pytest

from pycaffe_acc.image_error import ImageError
from pycaffe_acc.image_resize import resize_bilinear


@pytest.fixture
def cv2():
    module = pytest.importorskip("cv2", reason="compares with OpenCV 4.x")
    if hasattr(module, "ipp"):
        # Intel's closed code rounds floats differently; OpenCV's own code is what is reproduced
        module.ipp.setUseIPP(False)
    return module


def _image(channels: int) -> np.ndarray:
    return ((np.arange(5 * 6 * 3).reshape(5, 6, 3) * 37 + 11) % 256).astype(np.uint8)[:, :, :channels].copy()


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("size", "expected"), [
    ((3, 4), [[69, 171, 146, 120], [91, 65, 168, 142], [155, 130, 126, 100]]),
    ((7, 8), [[11, 80, 163, 215, 106, 157, 144, 54], [99, 77, 105, 175, 176, 154, 141, 142], [136, 91, 78, 115, 199, 168, 155, 179],
              [63, 132, 120, 43, 126, 209, 197, 106], [173, 128, 115, 130, 76, 136, 124, 33], [173, 151, 138, 135, 108, 105, 92, 70],
              [115, 184, 172, 95, 178, 101, 88, 158]]),
])
def test_stored_uint8_results_of_opencv(channels, size, expected):
    np.testing.assert_array_equal(resize_bilinear(_image(channels), size)[:, :, 0], expected)


def test_stored_results_of_opencv_for_halving_and_float():
    np.testing.assert_array_equal(resize_bilinear(_image(1)[:4, :4], (2, 2))[:, :, 0], [[80, 174], [132, 98]])
    expected = [[9.821428298950195, 24.464282989501953, 20.821430206298828, 17.178569793701172],
                [12.964285850524902, 9.321428298950195, 23.96428680419922, 20.321430206298828],
                [22.202381134033203, 18.559524536132812, 17.96428680419922, 14.321430206298828]]
    found = resize_bilinear(_image(1).astype(np.float32) / 7, (3, 4))[:, :, 0]
    np.testing.assert_array_equal(found, np.array(expected, np.float32))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("channels", [None, 1, 2, 3, 4, 5])
def test_equals_opencv_bit_for_bit(cv2, rng, dtype, channels):
    cases = [tuple(int(v) for v in rng.integers(1, 70, 4)) for _ in range(40)]
    cases += [(2 * h, 2 * w, h, w) for h, w in ((1, 1), (3, 5), (8, 9), (13, 4), (16, 16))]
    cases += [(1, 1, 7, 5), (1, 9, 6, 3), (9, 1, 2, 4), (60, 7, 2, 14), (20, 10, 5, 5), (12, 12, 12, 6), (300, 20, 3, 20), (7, 7, 7, 7)]
    for h_in, w_in, h, w in cases:
        shape = (h_in, w_in) if channels is None else (h_in, w_in, channels)
        image = (rng.random(shape) * 255.99).astype(dtype)
        expected = cv2.resize(image, (w, h), interpolation=cv2.INTER_LINEAR).reshape((h, w) + shape[2:])
        np.testing.assert_array_equal(resize_bilinear(image, (h, w)), expected, err_msg=f"{shape} to {h} x {w}")


def test_result_is_a_copy_and_nonfinite_floats_stay_in_place(rng):
    image = rng.random((4, 4, 3)).astype(np.float32)
    same = resize_bilinear(image, (4, 4))
    same[...] = 0
    assert image.any()
    image[:, -1] = np.inf
    assert np.isinf(resize_bilinear(image, (8, 8))[:, -1]).all()


def test_strided_input(rng):
    image = rng.integers(0, 256, (20, 30, 3)).astype(np.uint8)
    np.testing.assert_array_equal(resize_bilinear(image[::2, ::-1, ::-1], (7, 9)), resize_bilinear(image[::2, ::-1, ::-1].copy(), (7, 9)))


@pytest.mark.parametrize(("shape", "dtype", "size", "sentence"), [
    ((4, 4, 3), np.float64, (2, 3), "only uint8 and float32"), ((4, 0, 3), np.uint8, (2, 3), "no empty axis"), ((4,), np.uint8, (2, 3), "must be"),
    ((4, 4), np.uint8, (0, 3), "at least 1"),
])
def test_refusals(shape, dtype, size, sentence):
    with pytest.raises(ImageError, match=sentence):
        resize_bilinear(np.zeros(shape, dtype), size)


def test_is_quick(rng):
    image = rng.integers(0, 256, (256, 256, 3)).astype(np.uint8)
    times = []
    for _ in range(20):
        start = time.perf_counter()
        resize_bilinear(image, (227, 227))
        times.append(time.perf_counter() - start)
    # 0.7 ms on one 2020s core; the bound leaves room for a busy machine
    assert min(times) < 0.004
