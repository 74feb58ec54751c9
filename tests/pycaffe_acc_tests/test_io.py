"""caffe.io: against results of BVLC Caffe, against scikit-image and SciPy where installed, and its edges."""
from __future__ import annotations

import io as stdlib_io
import zlib

import numpy as np
import pytest
from PIL import Image

import pycaffe_acc as caffe
from pycaffe_acc import io
from pycaffe_acc.errors import MissingFileError
from pycaffe_acc.image_error import ImageError
from pycaffe_acc.pycaffe_resize import anti_aliasing_default


def _seeded(tag: str, shape: tuple[int, ...]) -> np.ndarray:
    seed = zlib.crc32(f"io|{tag}".encode("ascii"))
    return np.random.RandomState(seed).random_sample(shape).astype(np.float32)


@pytest.fixture(scope="module")
def golden(data_dir):
    with np.load(data_dir / "golden/io/results.npz") as z:
        return {k: z[k] for k in z.files}


def _matches(found, expected):
    assert np.shape(found) == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("tag", "shape", "size"), [
    ("rgb_down", (20, 30, 3), (9, 11)), ("rgb_up", (7, 5, 3), (16, 12)), ("gray", (12, 10, 1), (7, 15)),
    ("five", (10, 12, 5), (6, 9)), ("same", (6, 6, 3), (6, 6)),
])
def test_resize_equals_bvlc(golden, tag, shape, size):
    _matches(io.resize_image(_seeded(tag, shape), size), golden["resize_" + tag])


def test_resize_of_constants_and_ranges_equals_bvlc(golden):
    _matches(io.resize_image(np.full((4, 4, 3), 0.3, np.float32), (6, 5)), golden["resize_const"])
    _matches(io.resize_image(_seeded("range", (9, 8, 3)) * 300 - 50, (5, 6)), golden["resize_range"])


def test_oversample_equals_bvlc(golden):
    images = [_seeded("os0", (12, 14, 3)), _seeded("os1", (12, 14, 3))]
    _matches(io.oversample(images, (8, 8)), golden["oversample"])


def test_transformer_equals_bvlc(golden):
    t = io.Transformer({"data": (2, 3, 10, 12)})
    t.set_transpose("data", (2, 0, 1))
    _matches(t.preprocess("data", _seeded("t0", (10, 12, 3))), golden["tr_transpose"])
    t.set_channel_swap("data", (2, 1, 0))
    t.set_raw_scale("data", 255.0)
    t.set_mean("data", np.array([104.0, 117.0, 123.0]))
    _matches(t.preprocess("data", _seeded("t1", (10, 12, 3))), golden["tr_full"])
    _matches(t.preprocess("data", _seeded("t2", (21, 17, 3))), golden["tr_full_resize"])
    t.set_input_scale("data", 0.017)
    scaled = t.preprocess("data", _seeded("t3", (10, 12, 3)))
    _matches(scaled, golden["tr_scale"])
    _matches(t.deprocess("data", scaled[np.newaxis].copy()), golden["tr_deprocess"])
    for mean, image, key, shape in (("m3", "t4", "tr_mean_image", (3, 10, 12)),
                                    ("m4", "t5", "tr_mean_resized", (3, 16, 16))):
        other = io.Transformer({"data": (2, 3, 10, 12)})
        other.set_transpose("data", (2, 0, 1))
        other.set_mean("data", _seeded(mean, shape) * 100)
        _matches(other.preprocess("data", _seeded(image, (10, 12, 3)) * 255), golden[key])


def test_preprocess_in_place_equals_bvlc(golden):
    t = io.Transformer({"data": (2, 3, 10, 12)})
    t.set_raw_scale("data", 2.0)
    argument = _seeded("t6", (10, 12, 3))
    _matches(t.preprocess("data", argument), golden["tr_inplace_result"])
    _matches(argument, golden["tr_inplace_argument_after"])


def test_load_image_equals_bvlc(golden, tmp_path):
    rs = np.random.RandomState(5)
    for tag, shape in (("gray", (6, 7)), ("rgb", (6, 7, 3)), ("rgba", (6, 7, 4))):
        Image.fromarray(rs.randint(0, 256, size=shape).astype(np.uint8)).save(tmp_path / "x.png")
        _matches(io.load_image(str(tmp_path / "x.png")), golden[f"load_{tag}_color"])
        if tag != "rgba":
            _matches(io.load_image(tmp_path / "x.png", color=False), golden[f"load_{tag}_gray"])


# ---- resize ------------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [0, 1])
@pytest.mark.parametrize("anti_aliasing", [False, True])
def test_resize_equals_skimage(rng, order, anti_aliasing):
    transform = pytest.importorskip("skimage.transform", reason="compares with scikit-image")
    for _ in range(15):
        h_in, w_in, h, w = (int(v) for v in rng.integers(2, 40, 4))
        image = rng.random((h_in, w_in, 3)) * 7 - 2
        low, high = image.min(), image.max()
        unit = transform.resize((image - low) / (high - low), (h, w), order=order, mode="constant", anti_aliasing=anti_aliasing)
        expected = unit * (high - low) + low
        np.testing.assert_allclose(io.resize_image(image, (h, w), order, anti_aliasing), expected, atol=1e-5)


@pytest.mark.parametrize("order", [0, 1])
def test_other_channel_counts_equal_scipy(rng, order):
    ndimage = pytest.importorskip("scipy.ndimage", reason="compares with SciPy")
    for h_in, w_in, h, w in ((5, 5, 9, 9), (9, 11, 5, 6), (8, 8, 3, 15), (4, 7, 4, 1), (10, 12, 6, 9)):
        image = rng.random((h_in, w_in, 2))
        expected = ndimage.zoom(image, (h / h_in, w / w_in, 1), order=order)
        np.testing.assert_allclose(io.resize_image(image, (h, w), order), expected, atol=1e-5)


def test_anti_aliasing_can_be_switched_off_for_the_process(monkeypatch, rng):
    image = rng.random((20, 20, 3))
    monkeypatch.setenv("PYCAFFE_ACC_ANTI_ALIASING", "0")
    np.testing.assert_array_equal(io.resize_image(image, (5, 5)), io.resize_image(image, (5, 5), anti_aliasing=False))
    monkeypatch.setenv("PYCAFFE_ACC_ANTI_ALIASING", "1")
    assert np.abs(io.resize_image(image, (5, 5)) - io.resize_image(image, (5, 5), anti_aliasing=False)).max() > 0.01
    monkeypatch.setenv("PYCAFFE_ACC_ANTI_ALIASING", "maybe")
    with pytest.raises(ImageError, match="maybe"):
        anti_aliasing_default()


@pytest.mark.parametrize(("shape", "size", "order", "sentence"), [
    ((4, 4), (2, 2), 1, "must be"), ((0, 4, 3), (2, 2), 1, "no empty axis"), ((4, 4, 3), (2, 0), 1, "at least 1"),
    ((4, 4, 3), (2, 2), 3, "interp_order is 3"),
])
def test_resize_refusals(shape, size, order, sentence):
    with pytest.raises(ImageError, match=sentence):
        io.resize_image(np.zeros(shape), size, order)


def test_resize_of_integers(rng):
    image = rng.integers(0, 256, (10, 10, 3)).astype(np.uint8)
    np.testing.assert_allclose(io.resize_image(image, (10, 10)), image, atol=1e-4)


def test_oversample_refusals():
    with pytest.raises(ImageError, match="do not fit"):
        io.oversample([np.zeros((4, 4, 3))], (5, 4))
    with pytest.raises(ImageError, match="image 1 has the shape"):
        io.oversample([np.zeros((4, 4, 3)), np.zeros((4, 5, 3))], (2, 2))


# ---- files -------------------------------------------------------------------------------------------------------------------------------------


def _png(array: np.ndarray | Image.Image) -> bytes:
    stream = stdlib_io.BytesIO()
    (Image.fromarray(array) if isinstance(array, np.ndarray) else array).save(stream, "PNG")
    return stream.getvalue()


def test_load_image_takes_paths_bytes_and_files(tmp_path, rng):
    pixels = rng.integers(0, 256, (5, 6, 3)).astype(np.uint8)
    data = _png(pixels)
    path = tmp_path / "a.png"
    path.write_bytes(data)
    with open(path, "rb") as f:
        results = [io.load_image(f), io.load_image(stdlib_io.BytesIO(data)), io.load_image(data), io.load_image(path), io.load_image(str(path))]
    for result in results:
        assert result.dtype == np.float32
        np.testing.assert_allclose(result, pixels / 255.0, atol=1e-7)


def test_sixteen_bits_and_one_bit(rng):
    deep = rng.integers(0, 65536, (5, 6)).astype(np.uint16)
    np.testing.assert_allclose(io.load_image(_png(deep), color=False)[:, :, 0], deep / 65535.0, atol=1e-7)
    assert io.load_image(_png(deep)).shape == (5, 6, 3)
    bits = rng.integers(0, 2, (5, 6)).astype(bool)
    np.testing.assert_array_equal(io.load_image(_png(Image.fromarray(bits)), color=False)[:, :, 0], bits)


def test_palettes_and_alpha(rng):
    colours = Image.fromarray(rng.integers(0, 256, (8, 8, 3)).astype(np.uint8)).quantize(16)
    np.testing.assert_allclose(io.load_image(_png(colours)), np.asarray(colours.convert("RGB")) / 255.0, atol=1e-7)
    ramp = Image.fromarray(np.arange(64, dtype=np.uint8).reshape(8, 8) * 4)
    gray_palette = ramp.convert("P", palette=Image.Palette.ADAPTIVE)
    assert io.load_image(_png(gray_palette), color=False).shape == (8, 8, 1)
    gray_alpha = Image.merge("LA", (ramp, ramp))
    np.testing.assert_allclose(io.load_image(_png(gray_alpha))[:, :, 1], np.asarray(ramp) / 255.0, atol=1e-7)
    rgba = rng.integers(0, 256, (8, 8, 4)).astype(np.uint8)
    np.testing.assert_allclose(io.load_image(_png(rgba)), rgba[:, :, :3] / 255.0, atol=1e-7)


def test_cmyk_and_float_images(tmp_path, rng):
    cmyk = Image.fromarray(rng.integers(0, 256, (8, 8, 3)).astype(np.uint8)).convert("CMYK")
    cmyk.save(tmp_path / "a.tif")
    assert io.load_image(tmp_path / "a.tif").shape == (8, 8, 3)
    values = rng.random((4, 5)).astype(np.float32)
    Image.fromarray(values).save(tmp_path / "f.tif")
    np.testing.assert_array_equal(io.load_image(tmp_path / "f.tif", color=False)[:, :, 0], values)
    Image.fromarray(np.full((4, 5), 70000, np.int32)).save(tmp_path / "i.tif")
    with pytest.raises(ImageError, match="70000"):
        io.load_image(tmp_path / "i.tif")


def test_files_that_cannot_be_read(tmp_path, rng):
    with pytest.raises(MissingFileError, match=r"nowhere\.png"):
        io.load_image(tmp_path / "nowhere.png")
    with pytest.raises(ImageError, match="no image that Pillow can decode"):
        io.load_image(b"not an image")
    data = _png(rng.integers(0, 256, (64, 64, 3)).astype(np.uint8))
    with pytest.raises(ImageError, match="cannot be decoded"):
        io.load_image(data[:len(data) // 2])


# ---- messages ----------------------------------------------------------------------------------------------------------------------------------


def test_blobproto(rng, golden):
    array = _seeded("blob", (2, 3, 4, 5))
    found = io.blobproto_to_array(io.array_to_blobproto(array))
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, golden["blobproto_roundtrip"])
    both = io.array_to_blobproto(array, diff=array + 1)
    np.testing.assert_allclose(io.blobproto_to_array(both, return_diff=True), array + 1, rtol=1e-6)
    scalar = io.array_to_blobproto(np.float32(3))
    assert io.blobproto_to_array(scalar).shape == ()


def test_legacy_and_double_blobs():
    blob = caffe.proto.caffe_pb2.BlobProto(num=1, channels=2, height=1, width=3, data=range(6))
    np.testing.assert_array_equal(io.blobproto_to_array(blob), np.arange(6.0).reshape(1, 2, 1, 3))
    double = caffe.proto.caffe_pb2.BlobProto(double_data=[1, 2])
    double.shape.dim.append(2)
    np.testing.assert_array_equal(io.blobproto_to_array(double), [1, 2])


def test_damaged_blobs_are_refused():
    blob = io.array_to_blobproto(np.zeros((2, 3)))
    blob.shape.dim[0] = 2 ** 31
    with pytest.raises(ImageError, match="it has 6"):
        io.blobproto_to_array(blob)
    with pytest.raises(ImageError, match="no diff"):
        io.blobproto_to_array(io.array_to_blobproto(np.zeros((2, 3))), return_diff=True)


def test_blob_vectors(rng):
    arrays = [rng.random((2, 3)).astype(np.float32), rng.random(4).astype(np.float32)]
    for a, b in zip(arrays, io.blobprotovector_str_to_arraylist(io.arraylist_to_blobprotovector_str(arrays)), strict=True):
        np.testing.assert_array_equal(a, b)


def test_datum(golden):
    datum = io.array_to_datum((_seeded("dat", (3, 4, 5)) * 255).astype(np.uint8), 7)
    assert datum.label == golden["datum_label"] and io.datum_to_array(datum).dtype == np.uint8
    np.testing.assert_array_equal(io.datum_to_array(datum), golden["datum_uint8"])
    floats = io.array_to_datum(_seeded("datf", (3, 4, 5)).astype(np.float64))
    assert not floats.HasField("label")
    np.testing.assert_allclose(io.datum_to_array(floats), golden["datum_float"])


def test_datum_refusals():
    with pytest.raises(ValueError, match=r"shape \(2, 3\)"):
        io.array_to_datum(np.zeros((2, 3)))
    datum = io.array_to_datum(np.zeros((1, 2, 3), np.uint8))
    datum.width = 4
    with pytest.raises(ImageError, match="1 x 2 x 4 values and has 6"):
        io.datum_to_array(datum)
    datum.encoded = True
    with pytest.raises(ImageError, match="encoded image"):
        io.datum_to_array(datum)
