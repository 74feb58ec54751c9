"""Crop, mirror, mean and scale of the data layers."""
from __future__ import annotations

import numpy as np
import pytest

from pycaffe_acc.blob_conversion import array_to_blobproto
from pycaffe_acc.data_transformer import DataTransformer, TransformParams, read_transform_param
from pycaffe_acc.errors import CheckError
from pycaffe_acc.filler import set_random_seed
from pycaffe_acc.proto import caffe_pb2


@pytest.fixture
def pixels(rng):
    return rng.integers(0, 256, (3, 6, 7), dtype=np.uint8)


def make(train=False, **kwargs):
    return DataTransformer(TransformParams(**kwargs), train, "layer 'd' (Data)")


def test_plain_is_a_float_copy(pixels):
    out = make()(pixels)
    assert out.dtype == np.float32
    np.testing.assert_array_equal(out, pixels)


def test_centre_crop_rounds_down(pixels):
    np.testing.assert_array_equal(make(crop=(3, 4))(pixels), pixels[:, 1:4, 1:5])
    assert make(crop=(3, 4)).shape((3, 6, 7)) == (3, 3, 4)


def test_scale_comes_after_the_mean(pixels):
    np.testing.assert_allclose(make(scale=0.5, mean_values=(10.0,))(pixels), (pixels.astype(np.float32) - 10) * 0.5)
    want = pixels.astype(np.float32) - np.array([1, 2, 3], np.float32)[:, None, None]
    np.testing.assert_allclose(make(mean_values=(1.0, 2.0, 3.0))(pixels), want)


def test_mean_file_is_cropped_alike(pixels, rng, tmp_path):
    mean = rng.random((3, 6, 7)).astype(np.float32)
    path = tmp_path / "mean.binaryproto"
    path.write_bytes(array_to_blobproto(mean[None]).SerializeToString())
    got = make(crop=(4, 4), mean_file=str(path))(pixels)
    np.testing.assert_allclose(got, (pixels - mean)[:, 1:5, 1:5], rtol=1e-6)
    with pytest.raises(CheckError, match=r"mean file.*\(3, 6, 7\).*\(3, 6, 8\)"):
        make(mean_file=str(path))(np.zeros((3, 6, 8), np.uint8))


def test_mirror_is_random_in_test_too(pixels):
    set_random_seed(3)
    outs = [make(mirror=True)(pixels) for _ in range(40)]
    flipped = sum(np.array_equal(o, pixels[:, :, ::-1]) for o in outs)
    assert 5 < flipped < 35 and all(np.array_equal(o, pixels) or np.array_equal(o, pixels[:, :, ::-1]) for o in outs)
    np.testing.assert_array_equal(make()(pixels, flip=True), pixels[:, :, ::-1])


def test_random_crops_when_training(pixels):
    set_random_seed(3)
    seen = {make(train=True, crop=(3, 3))(pixels).tobytes() for _ in range(60)}
    assert len(seen) > 10


@pytest.mark.parametrize("kwargs,words", [
    ({"crop": (7, 7)}, "7 x 7 and an image only 6 x 7"),
    ({"mean_values": (1.0, 2.0)}, "2 mean values for 3 channels"),
])
def test_what_does_not_fit(pixels, kwargs, words):
    with pytest.raises(CheckError, match=words):
        make(**kwargs)(pixels)


def message(**fields):
    m = caffe_pb2.LayerParameter()
    for k, v in fields.items():
        if isinstance(v, list):
            getattr(m.transform_param, k).extend(v)
        else:
            setattr(m.transform_param, k, v)
    return m


def test_reading_the_message():
    p = read_transform_param(message(scale=0.25, mirror=True, crop_size=5, mean_value=[1, 2, 3], force_gray=True))
    assert p == TransformParams(0.25, True, (5, 5), "", (1.0, 2.0, 3.0), False, True)
    assert read_transform_param(message(crop_h=3, crop_w=4)).crop == (3, 4)


@pytest.mark.parametrize("fields,words", [
    ({"mean_file": "m", "mean_value": [1]}, "mean_file and mean_value"),
    ({"force_gray": True, "force_color": True}, "force_color and force_gray"),
    ({"crop_h": 3}, "crop_h 3 and crop_w 0"),
])
def test_contradictions(fields, words):
    with pytest.raises(ValueError, match=words):
        read_transform_param(message(**fields))


def test_training_augmentations_are_refused_by_name():
    m = message()
    m.transform_param.distort_param.SetInParent()
    with pytest.raises(ValueError, match="distort_param"):
        read_transform_param(m)
