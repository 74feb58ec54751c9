"""JPEGs decoded at a part of their size, where that is asked for."""
from __future__ import annotations

import json
import os

import numpy as np
import pytest
from PIL import Image

from pycaffe_acc.evaluation.image_list import ImageList
from pycaffe_acc.image_error import ImageError
from pycaffe_acc.image_load import decode_bgr
from pycaffe_acc.preprocess import preprocess_profile
from pycaffe_acc.tools.demo import FOLDER
from pycaffe_acc.tools.main import main


@pytest.fixture
def picture(tmp_path, rng):
    """A smooth JPEG of 640 x 480."""
    coarse = Image.fromarray(rng.integers(0, 255, (6, 8, 3), np.uint8))
    coarse.resize((640, 480), Image.Resampling.BICUBIC).save(tmp_path / "p.jpg", quality=95)
    return tmp_path / "p.jpg"


@pytest.mark.parametrize(("least", "shape"), [(None, (480, 640)), ((480, 640), (480, 640)), ((241, 10), (480, 640)), ((240, 320), (240, 320)),
                                              ((100, 100), (120, 160)), ((1, 1), (60, 80))])
def test_never_smaller_than_what_is_needed(picture, least, shape):
    assert decode_bgr(picture, least=least).shape == (*shape, 3) and decode_bgr(picture, gray=True, least=least).shape == shape


def test_a_picture_on_its_side(picture):
    image = Image.open(picture)
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(picture, exif=exif, quality=95)
    assert decode_bgr(picture).shape == (640, 480, 3)
    assert decode_bgr(picture, least=(640, 240)).shape == (640, 480, 3) and decode_bgr(picture, least=(320, 240)).shape == (320, 240, 3)


def test_pixels_are_nearly_those_of_a_resize(picture):
    whole = np.asarray(Image.open(picture).reduce(4), np.int32)[:, :, ::-1]
    assert np.abs(decode_bgr(picture, least=(120, 160)).astype(np.int32) - whole).mean() < 2


@pytest.mark.parametrize(("profile", "least"), [("caffe-tool", (227, 227)), ("caffe-crop", (256, 256)), ("torch", (256, 256)), ("caffe", None)])
def test_what_a_profile_needs(profile, least):
    assert preprocess_profile(profile).least_size((1, 3, 227, 227)) == least


def test_a_list_reads_whole_pictures_unless_told(picture):
    images = ImageList([picture], [0], "one")
    assert images.read(0, 3).shape == (480, 640, 3)
    images.least = (227, 227)
    assert images.read(0, 3).shape == (240, 320, 3)


def test_eval_says_so(capsys):
    words = ["eval", "--model", str(FOLDER / "deploy.prototxt"), "--weights", str(FOLDER / "digits.caffemodel"), "--images", str(FOLDER / "test.txt"),
             "--preprocess", "raw", "--scale", "0.0039215", "--limit", "5", "--json"]
    said = []
    for more in ([], ["--dct-scaling"]):
        assert main([*words, *more]) == 0
        said.append(json.loads(capsys.readouterr().out)["preprocess"])
    assert "reduced size" not in said[0] and said[1] == said[0] + ", large JPEGs decoded at reduced size"
    assert main([*words, "--dct-scaling", "--preprocess", "caffe"]) == 2


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_no_image(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(ImageError, match="no regular file"):
        decode_bgr(tmp_path / "pipe.jpg")
