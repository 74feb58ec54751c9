from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from pycaffe_acc.errors import CheckError
from pycaffe_acc.image_resize import resize_bilinear
from pycaffe_acc.runners.pixels import Preparation, read_pixels


@pytest.fixture
def photo(rng):
    """(40, 60, 3) BGR."""
    return rng.integers(0, 256, (40, 60, 3), dtype=np.uint8)


def test_mean_then_scale(photo):
    raw = resize_bilinear(photo, (8, 8)).astype(np.float32).transpose(2, 0, 1)
    means = np.float32([[[104]], [[117]], [[123]]])
    np.testing.assert_array_equal(Preparation((3, 8, 8), (104, 117, 123), 0.5)(photo), (raw - means) * np.float32(0.5))
    np.testing.assert_array_equal(Preparation((3, 8, 8), (), 0.5)(photo), raw)  # scale alone does nothing
    np.testing.assert_array_equal(Preparation((3, 8, 8), (104, 117, 123), 0.5, raw=True)(photo), raw)


@pytest.mark.parametrize(("option", "shape", "cut"), [(1, (256, 384), (224, 224)), (2, (256, 256), (224, 224)), (3, (320, 480), (299, 299))])
def test_centres(photo, option, shape, cut):
    whole = resize_bilinear(photo, shape)
    top, left = (shape[0] - cut[0]) // 2, (shape[1] - cut[1]) // 2
    expected = whole[top:top + cut[0], left:left + cut[1]].astype(np.float32).transpose(2, 0, 1)
    np.testing.assert_array_equal(Preparation((3, *cut), option=option)(photo), expected)
    with pytest.raises(CheckError, match="choose another one"):
        Preparation((3, 400, 400), option=option)(photo)


def test_portraits_keep_the_short_side(photo):
    assert Preparation((3, 256, 256), option=1)(photo.transpose(1, 0, 2)).shape == (3, 256, 256)


def test_letterbox(photo):
    out = Preparation((3, 30, 30), option=4)(photo)
    assert (out[:, :5] == 128).all() and (out[:, 25:] == 128).all()
    np.testing.assert_array_equal(out[:, 5:25], resize_bilinear(photo, (20, 30)).astype(np.float32).transpose(2, 0, 1))


def test_refusals():
    with pytest.raises(CheckError, match="must be one of 0, 1, 2, 3, 4"):
        Preparation((3, 8, 8), option=5)
    with pytest.raises(CheckError, match="2 mean values for an input of 3 channels"):
        Preparation((3, 8, 8), (1.0, 2.0))


def test_channels(tmp_path, photo):
    colour, gray, alpha = (tmp_path / f"{n}.png" for n in ("colour", "gray", "alpha"))
    Image.fromarray(np.ascontiguousarray(photo[:, :, ::-1])).save(colour)
    Image.fromarray(photo[:, :, 0]).save(gray)
    Image.fromarray(np.concatenate([photo[:, :, ::-1], photo[:, :, :1]], axis=2)).save(alpha)
    np.testing.assert_array_equal(read_pixels(colour, 3), photo)
    np.testing.assert_array_equal(read_pixels(alpha, 3), photo)
    np.testing.assert_array_equal(read_pixels(gray, 3), np.repeat(photo[:, :, :1], 3, axis=2))
    np.testing.assert_array_equal(read_pixels(gray, 1), photo[:, :, :1])
    assert (read_pixels(colour, 4)[:, :, 3] == 255).all()
    b, g, r = (photo[:, :, k].astype(float) for k in range(3))
    assert abs(read_pixels(colour, 1)[:, :, 0] - (0.299 * r + 0.587 * g + 0.114 * b)).max() <= 0.51
    with pytest.raises(CheckError, match="2 channels"):
        read_pixels(colour, 2)


def test_orientation_is_ignored(tmp_path, photo):
    image = Image.fromarray(photo)
    exif = image.getexif()
    exif[274] = 6
    image.save(tmp_path / "turned.png", exif=exif)
    assert read_pixels(tmp_path / "turned.png", 3).shape == photo.shape
