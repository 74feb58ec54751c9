"""The order of preprocessing, its inverse, its checks and its explanation."""
from __future__ import annotations

import numpy as np
import pytest

from pycaffe_acc.image_error import ImageError
from pycaffe_acc.transformer import Transformer

SHAPE = {"data": (2, 3, 4, 5)}


@pytest.fixture
def image(rng):
    return rng.random((4, 5, 3)).astype(np.float32)


def _full() -> Transformer:
    t = Transformer(SHAPE)
    # set in another order than they are applied in
    t.set_input_scale("data", 0.5)
    t.set_mean("data", np.array([104.0, 117.0, 123.0]))
    t.set_raw_scale("data", 255.0)
    t.set_channel_swap("data", (2, 1, 0))
    t.set_transpose("data", (2, 0, 1))
    return t


def test_order(image):
    expected = (image[:, :, ::-1].transpose(2, 0, 1) * 255 - np.array([104.0, 117.0, 123.0]).reshape(3, 1, 1)) * 0.5
    found = _full().preprocess("data", image.copy())
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-4)


def test_deprocess_is_the_inverse(image):
    t = _full()
    batch = t.preprocess("data", image.copy())[np.newaxis]
    kept = batch.copy()
    np.testing.assert_allclose(t.deprocess("data", batch), image, atol=1e-6)
    np.testing.assert_array_equal(batch, kept)


def test_resizes_to_the_input(rng):
    t = Transformer(SHAPE)
    t.set_transpose("data", (2, 0, 1))
    assert t.preprocess("data", rng.random((9, 7, 3))).shape == (3, 4, 5)


def test_changes_the_callers_array_only_when_nothing_copies_it(image):
    t = Transformer(SHAPE)
    t.set_raw_scale("data", 2.0)
    mine = image.copy()
    assert t.preprocess("data", mine) is mine
    np.testing.assert_array_equal(mine, image * 2)
    t.set_transpose("data", (2, 0, 1))
    t.set_channel_swap("data", (2, 1, 0))
    other = image.copy()
    t.preprocess("data", other)
    np.testing.assert_array_equal(other, image)
    wide = image.astype(np.float64)
    t.preprocess("data", wide)
    np.testing.assert_array_equal(wide, image.astype(np.float64))


def test_mean_shapes(image):
    t = Transformer(SHAPE)
    t.set_transpose("data", (2, 0, 1))
    for mean in (np.full(3, 2.0), np.full((3, 4, 5), 2.0), np.full((3, 8, 8), 2.0), np.full((4, 5), 2.0), np.full((1, 6, 6), 2.0)):
        t.set_mean("data", mean)
        np.testing.assert_allclose(t.preprocess("data", image.copy()), image.transpose(2, 0, 1) - 2, atol=1e-6)


def test_none_switches_a_stage_off(image):
    t = Transformer(SHAPE)
    t.set_transpose("data", (2, 0, 1))
    t.set_raw_scale("data", None)
    t.set_input_scale("data", None)
    np.testing.assert_array_equal(t.preprocess("data", image.copy()), image.transpose(2, 0, 1))


@pytest.mark.parametrize(("call", "sentence"), [
    (lambda t: t.preprocess("nothing", np.zeros((4, 5, 3))), "not one of the net inputs: data"),
    (lambda t: t.set_transpose("data", (0, 1)), "the order must name 3"),
    (lambda t: t.set_channel_swap("data", (0, 1)), "3 channels, the order names 2"),
    (lambda t: t.set_mean("data", np.zeros(4)), "4 values and the input 3 channels"),
    (lambda t: t.set_mean("data", np.zeros((2, 4, 5))), "mean has the shape"),
    (lambda t: t.set_mean("data", np.zeros((1, 3, 4, 5))), r"pass mean\[0\]"),
    (lambda t: t.set_raw_scale("label", 1.0), "not one of the net inputs"),
])
def test_refusals(call, sentence):
    with pytest.raises(ImageError, match=sentence):
        call(Transformer(SHAPE))
    with pytest.raises(ValueError):
        call(Transformer(SHAPE))


def test_a_mean_without_transpose_is_explained(image):
    t = Transformer(SHAPE)
    t.set_mean("data", np.zeros(3))
    with pytest.raises(ImageError, match="channels must come first"):
        t.preprocess("data", image)


def test_explain_lists_each_stage_and_leaves_the_image_alone(image, capsys):
    t, kept = _full(), image.copy()
    text = t.explain(image)
    assert capsys.readouterr().out == text + "\n"
    np.testing.assert_array_equal(image, kept)
    stages = [line.split()[0] for line in text.splitlines()[1:]]
    assert stages == ["image", "transpose", "channel_swap", "raw_scale", "mean", "input_scale"]
    last = [float(v) for v in text.splitlines()[-1].split()[-3:]]
    result = t.preprocess("data", image.copy())
    np.testing.assert_allclose(last, [result.min(), result.max(), result.mean()], rtol=1e-3, atol=1e-3)
    assert "warning" not in text


def test_explain_warns_about_a_missing_raw_scale(image):
    t = Transformer(SHAPE)
    t.set_transpose("data", (2, 0, 1))
    t.set_mean("data", np.array([104.0, 117.0, 123.0]))
    assert "raw_scale" in t.explain(image).splitlines()[-1]
    assert "resize" in t.explain(np.zeros((9, 9, 3)))
