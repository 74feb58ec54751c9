"""Pixels of Datum messages."""
from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from pycaffe_acc.datum import datum_pixels, decode_unchanged, parse_datum
from pycaffe_acc.errors import BinaryProtoError, CaffeError, CheckError
from pycaffe_acc.image_load import decode_bgr
from pycaffe_acc.proto import caffe_pb2


def encoded(image, kind="PNG", **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


@pytest.fixture
def rgb(rng):
    return rng.integers(0, 256, (5, 4, 3), dtype=np.uint8)


def test_bytes_and_floats(rng):
    values = rng.integers(0, 256, (2, 3, 4), dtype=np.uint8)
    d = caffe_pb2.Datum(channels=2, height=3, width=4, data=values.tobytes())
    np.testing.assert_array_equal(datum_pixels(d, "r"), values)
    f = caffe_pb2.Datum(channels=2, height=3, width=4, float_data=(values / 3.0).ravel().tolist())
    got = datum_pixels(f, "r")
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, values / 3.0, rtol=1e-6)


def test_sizes_that_disagree():
    with pytest.raises(CheckError, match=r"r says .*\(2, 3, 4\).*has 5"):
        datum_pixels(caffe_pb2.Datum(channels=2, height=3, width=4, data=b"12345"), "r")


def test_encoded_images_keep_their_channels(rgb):
    colour = caffe_pb2.Datum(encoded=True, data=encoded(Image.fromarray(rgb)))
    np.testing.assert_array_equal(datum_pixels(colour, "r"), rgb[:, :, ::-1].transpose(2, 0, 1))
    gray = caffe_pb2.Datum(encoded=True, data=encoded(Image.fromarray(rgb[:, :, 0])))
    np.testing.assert_array_equal(datum_pixels(gray, "r"), rgb[None, :, :, 0])
    np.testing.assert_array_equal(datum_pixels(gray, "r", force_color=True), np.stack([rgb[:, :, 0]] * 3))
    assert datum_pixels(colour, "r", force_gray=True).shape == (1, 5, 4)


@pytest.mark.parametrize("mode,channels", [("1", 1), ("L", 1), ("LA", 4), ("P", 3), ("RGB", 3), ("RGBA", 4)])
def test_modes(rgb, mode, channels):
    pixels = decode_unchanged(encoded(Image.fromarray(rgb).convert("RGBA" if mode in ("RGBA", "LA") else "RGB").convert(mode)), "r")
    assert np.atleast_3d(pixels).shape == (5, 4, channels)


def test_cmyk_becomes_colour(rgb):
    assert decode_unchanged(encoded(Image.fromarray(rgb).convert("CMYK"), "JPEG"), "r").shape == (5, 4, 3)


def test_what_cannot_be_decoded(rgb):
    wide = Image.fromarray(rgb[:, :, 0].astype(np.uint16) * 256)
    with pytest.raises(CheckError, match="8 bits"):
        decode_unchanged(encoded(wide), "r")
    with pytest.raises(CheckError, match="record 7 .*cannot be decoded"):
        decode_unchanged(b"nothing", "record 7")
    with pytest.raises(CaffeError):
        datum_pixels(caffe_pb2.Datum(encoded=True, data=b"nothing"), "r", force_color=True)
    with pytest.raises(BinaryProtoError, match="record 7"):
        parse_datum(b"\xff\xff\xff", "record 7")


def test_gray_of_a_colour_png_is_libpngs_and_of_a_jpeg_its_own(rgb):
    r, g, b = (rgb[:, :, k].astype(int) for k in range(3))
    np.testing.assert_array_equal(decode_bgr(encoded(Image.fromarray(rgb)), gray=True), (9797 * r + 19234 * g + 3737 * b) >> 15)
    # middle colours, so that nothing is clipped on the way from YCbCr to RGB and back
    jpeg = encoded(Image.fromarray(rgb // 4 + 96), "JPEG", quality=95)
    luminance = np.asarray(Image.open(io.BytesIO(jpeg)).convert("YCbCr"))[:, :, 0].astype(int)
    assert np.abs(decode_bgr(jpeg, gray=True).astype(int) - luminance).max() <= 1
