"""Image files as Datum messages."""
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pycaffe_acc.datum import datum_pixels
from pycaffe_acc.errors import CheckError, MissingFileError
from pycaffe_acc.image_datum import ENCODINGS, ImageForm, encode_image, image_datum
from pycaffe_acc.image_error import ImageError
from pycaffe_acc.image_load import decode_bgr
from pycaffe_acc.image_resize import resize_bilinear


@pytest.fixture
def picture(tmp_path, rng):
    """A smooth colour picture."""
    y, x = np.mgrid[:40, :56]
    rgb = np.stack([3 * x, 4 * y, 2 * (x + y)], 2).clip(0, 255) + rng.integers(0, 9, (40, 56, 3))
    path = tmp_path / "a.png"
    Image.fromarray(rgb.clip(0, 255).astype(np.uint8)).save(path)
    return str(path)


def test_pixels_are_planes_of_bgr(picture):
    datum, shape = image_datum(picture, -3, ImageForm())
    assert shape == (3, 40, 56) == (datum.channels, datum.height, datum.width)
    assert datum.label == -3 and not datum.encoded and not datum.float_data
    np.testing.assert_array_equal(datum_pixels(datum, "d"), decode_bgr(picture).transpose(2, 0, 1))


def test_gray_and_resized(picture):
    datum, shape = image_datum(picture, 0, ImageForm(gray=True, size=(10, 20)))
    assert shape == (1, 10, 20)
    np.testing.assert_array_equal(datum_pixels(datum, "d")[0], resize_bilinear(decode_bgr(picture, gray=True), (10, 20)))


@pytest.mark.parametrize(("name", "kind"), [("b.png", ""), ("b.PNG", ""), ("b.png", "PNG"), ("b.jpeg", "jpg"), ("b.strange", "")])
def test_an_unchanged_file_is_stored_as_it_is(picture, tmp_path, name, kind):
    path = tmp_path / name
    path.write_bytes(Path(picture).read_bytes())
    datum, shape = image_datum(str(path), 5, ImageForm(encoded=True, encode_type=kind))
    assert datum.encoded and datum.data == path.read_bytes() and datum.label == 5 and shape == (3, 40, 56)
    assert not datum.HasField("channels")


@pytest.mark.parametrize("kind", ["png", "bmp", "tif"])
@pytest.mark.parametrize("gray", [False, True])
def test_lossless_kinds(picture, kind, gray):
    form = ImageForm(gray=gray, size=(21, 13), encode_type=kind)
    datum, shape = image_datum(picture, 1, form)
    assert datum.encoded and shape == (1 if gray else 3, 21, 13)
    np.testing.assert_array_equal(datum_pixels(datum, "d"), datum_pixels(image_datum(picture, 1, ImageForm(gray, (21, 13)))[0], "d"))


@pytest.mark.parametrize("gray", [False, True])
def test_jpeg_as_opencv_writes_it(picture, gray):
    cv2 = pytest.importorskip("cv2")
    pixels = decode_bgr(picture, gray=gray)
    theirs = cv2.imdecode(cv2.imencode(".jpg", pixels)[1], cv2.IMREAD_UNCHANGED)
    ours = cv2.imdecode(np.frombuffer(encode_image(pixels, "jpg", "x"), np.uint8), cv2.IMREAD_UNCHANGED)
    assert ours.shape == theirs.shape
    # the two carry libjpegs of their own, which may round differently
    assert np.abs(ours.astype(int) - theirs).max() <= 2
    assert abs(int(pixels.astype(int).sum()) - int(ours.sum())) < pixels.size


def test_what_cannot_be_stored(picture, tmp_path):
    path = tmp_path / "b.strange"
    path.write_bytes(Path(picture).read_bytes())
    with pytest.raises(CheckError, match=r"b.strange' cannot be stored as an image of the kind 'strange'; known kinds: jpg"):
        image_datum(str(path), 0, ImageForm(size=(8, 8), encoded=True))
    with pytest.raises(MissingFileError):
        image_datum(str(tmp_path / "none.png"), 0, ImageForm())
    with pytest.raises(CheckError, match="is 2147483648; a Datum holds labels"):
        image_datum(picture, 2**31, ImageForm())
    with pytest.raises(ImageError, match="zero byte"):
        image_datum("a\0b.png", 0, ImageForm())
    assert set(ENCODINGS) == {"jpg", "jpeg", "png", "bmp", "tif", "tiff"}
