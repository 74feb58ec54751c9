"""Preprocessing profiles: decoding as OpenCV does it, sizes, order, arithmetic, overrides."""
from __future__ import annotations

import io
import threading

import numpy as np
import pytest
from PIL import Image

from pycaffe_acc.blob_conversion import array_to_blobproto
from pycaffe_acc.errors import BinaryProtoError, MissingFileError
from pycaffe_acc.image_error import ImageError
from pycaffe_acc.image_load import decode_bgr, decode_rgb, load_image
from pycaffe_acc.image_resize import resize_bilinear
from pycaffe_acc.mean_file import parse_values, read_mean_file
from pycaffe_acc.preprocess import PROFILES, Preprocess, preprocess_profile
from pycaffe_acc.pycaffe_resize import resize_image


@pytest.fixture
def pixels(rng):
    # smooth, so that JPEG keeps it recognisable
    small = rng.integers(0, 256, (9, 12, 3)).astype(np.uint8)
    return resize_bilinear(small, (90, 120))


def _encoded(array: np.ndarray | Image.Image, kind: str = "JPEG", **options) -> bytes:
    stream = io.BytesIO()
    (Image.fromarray(array) if isinstance(array, np.ndarray) else array).save(stream, kind, **options)
    return stream.getvalue()


def _opencv(data: bytes, gray: bool = False) -> np.ndarray:
    cv2 = pytest.importorskip("cv2", reason="compares with OpenCV 4.x")
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE if gray else cv2.IMREAD_COLOR)


# ---- decoding ----------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{"quality": 90}, {"quality": 40, "subsampling": 2}, {"quality": 95, "subsampling": 0}, {"progressive": True}])
@pytest.mark.parametrize("gray", [False, True])
def test_jpeg_equals_opencv(pixels, options, gray):
    data = _encoded(pixels, **options)
    np.testing.assert_array_equal(decode_bgr(data, gray), _opencv(data, gray))
    one_channel = _encoded(pixels[:, :, 0], **options)
    np.testing.assert_array_equal(decode_bgr(one_channel, gray), _opencv(one_channel, gray))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_equals_opencv(pixels, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = _encoded(pixels, exif=exif)
    np.testing.assert_array_equal(decode_bgr(data), _opencv(data))
    # pycaffe's own reader does not look at it
    assert load_image(data).shape == pixels.shape


@pytest.mark.parametrize("gray", [False, True])
def test_png_kinds_equal_opencv(pixels, rng, gray):
    gray_ramp = pixels[:, :, 0]
    images = [Image.fromarray(pixels), Image.fromarray(gray_ramp), Image.fromarray(np.dstack([pixels, gray_ramp])),
              Image.fromarray(pixels).quantize(32), Image.fromarray(gray_ramp > 100),
              Image.merge("LA", (Image.fromarray(gray_ramp), Image.fromarray(gray_ramp))),
              Image.fromarray(rng.integers(0, 65536, (20, 30)).astype(np.uint16))]
    for image in images:
        data = _encoded(image, "PNG")
        np.testing.assert_array_equal(decode_bgr(data, gray), _opencv(data, gray), err_msg=image.mode)


def test_real_photographs_equal_opencv(data_dir):
    files = sorted((data_dir / "imagenet1000/img").iterdir())[::100]
    assert files
    for file in files:
        np.testing.assert_array_equal(decode_bgr(file), _opencv(file.read_bytes()))
        np.testing.assert_array_equal(decode_bgr(file, gray=True), _opencv(file.read_bytes(), gray=True))


def test_rgb_is_bgr_reversed(pixels):
    data = _encoded(pixels, "PNG")
    np.testing.assert_array_equal(decode_rgb(data), pixels)
    np.testing.assert_array_equal(decode_bgr(data), pixels[:, :, ::-1])


# ---- profiles ----------------------------------------------------------------------------------------------------------------------------------


def test_caffe_tool(pixels):
    data = _encoded(pixels)
    found = PROFILES["caffe-tool"].apply(data, (1, 3, 50, 60))
    resized = resize_bilinear(decode_bgr(data), (50, 60)).transpose(2, 0, 1).astype(np.float32)
    expected = resized - np.array([104, 117, 123], np.float32).reshape(3, 1, 1)
    assert found.dtype == np.float32 and found.flags.c_contiguous
    np.testing.assert_array_equal(found, expected)


def test_caffe_equals_the_transformer(pixels):
    import pycaffe_acc as caffe
    data = _encoded(pixels)
    t = caffe.io.Transformer({"data": (1, 3, 50, 60)})
    t.set_transpose("data", (2, 0, 1))
    t.set_channel_swap("data", (2, 1, 0))
    t.set_raw_scale("data", 255)
    t.set_mean("data", np.array([104.0, 117, 123]))
    np.testing.assert_allclose(PROFILES["caffe"].apply(data, (3, 50, 60)), t.preprocess("data", caffe.io.load_image(data)), atol=2e-4)
    era = resize_image(load_image(data), (50, 60), anti_aliasing=False)[:, :, ::-1].transpose(2, 0, 1) * 255
    np.testing.assert_allclose(PROFILES["caffe-era"].apply(data, (3, 50, 60))[0], era[0] - 104, atol=2e-4)


def test_torch(pixels):
    data = _encoded(pixels, "PNG")
    found = PROFILES["torch"].apply(data, (3, 224, 224))
    resized = Image.fromarray(pixels).resize((int(256 * 120 / 90), 256), Image.Resampling.BILINEAR)
    x = (resized.width - 224) / 2
    crop = np.asarray(resized)[16:240, round(x):round(x) + 224] / 255.0
    expected = ((crop - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]).transpose(2, 0, 1)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_mobilenet_and_larger_inputs(pixels):
    data = _encoded(pixels)
    found = PROFILES["mobilenet"].apply(data, (3, 224, 224))
    resized = resize_bilinear(decode_bgr(data), (256, 341))
    np.testing.assert_allclose(found, (resized[16:240, 58:282].transpose(2, 0, 1) - 127.5) / 127.5, atol=1e-6)
    assert PROFILES["mobilenet"].apply(data, (3, 299, 299)).shape == (3, 299, 299)
    other = PROFILES["mobilenet-0.017"].apply(data, (3, 224, 224))
    np.testing.assert_allclose(other[2], (resized[16:240, 58:282, 2] - 123.68) * 0.017, atol=1e-5)


def test_gray_inputs(pixels):
    data = _encoded(pixels)
    for name in PROFILES:
        profile = preprocess_profile(name, mean="10", std="2", scale="0.5")
        assert profile.apply(data, (1, 28, 28)).shape == (1, 28, 28)
    gray = _opencv(data, gray=True)
    found = preprocess_profile("raw", scale=1 / 256).apply(data, (1, 90, 120))
    np.testing.assert_allclose(found[0], gray / 256.0, atol=1e-6)


def test_u8(pixels):
    data = _encoded(pixels, "PNG")
    found = PROFILES["caffe-tool"].apply_u8(data, (3, 90, 120))
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, pixels[:, :, ::-1].transpose(2, 0, 1))
    np.testing.assert_array_equal(PROFILES["caffe"].apply_u8(data, (3, 90, 120)), found)
    np.testing.assert_array_equal(preprocess_profile("raw", order="rgb").apply_u8(data, (3, 90, 120)), pixels.transpose(2, 0, 1))


def test_arrays_as_images(pixels):
    bgr = np.ascontiguousarray(pixels[:, :, ::-1])
    data = _encoded(pixels, "PNG")
    for name in ("caffe", "caffe-tool", "torch"):
        np.testing.assert_allclose(PROFILES[name].apply(bgr, (3, 40, 40)), PROFILES[name].apply(data, (3, 40, 40)), atol=1e-4)
    with pytest.raises(ImageError, match="must be uint8"):
        PROFILES["caffe"].apply(bgr.astype(np.float32), (3, 40, 40))


def test_threads_get_equal_results(pixels):
    data = _encoded(pixels)
    expected = PROFILES["caffe"].apply(data, (3, 33, 44))
    results = []
    threads = [threading.Thread(target=lambda: results.append(PROFILES["caffe"].apply(data, (3, 33, 44)))) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(results) == 4 and all(np.array_equal(r, expected) for r in results)


# ---- overrides ---------------------------------------------------------------------------------------------------------------------------------


def test_resize_and_crop_overrides(pixels):
    data = _encoded(pixels, "PNG")
    exact = preprocess_profile("raw", resize="48x64", crop="input").apply(data, (3, 40, 40))
    expected = resize_bilinear(np.ascontiguousarray(pixels[:, :, ::-1]), (48, 64))[4:44, 12:52]
    np.testing.assert_array_equal(exact, expected.transpose(2, 0, 1))
    cropped = preprocess_profile("raw", resize="none", crop="60").apply(data, (3, 30, 30))
    np.testing.assert_array_equal(cropped, resize_bilinear(np.ascontiguousarray(pixels[15:75, 30:90, ::-1]), (30, 30)).transpose(2, 0, 1))
    short = preprocess_profile("raw", resize=45, crop=(40, 50)).apply(data, (3, 40, 50))
    assert short.shape == (3, 40, 50)
    assert preprocess_profile("torch", resize="input", crop="none").apply(data, (3, 20, 20)).shape == (3, 20, 20)


def test_mean_images(pixels, tmp_path, rng):
    data = _encoded(pixels, "PNG")
    mean = (rng.random((3, 48, 64)) * 200).astype(np.float32)
    np.save(tmp_path / "mean.npy", mean)
    (tmp_path / "mean.binaryproto").write_bytes(array_to_blobproto(mean[np.newaxis]).SerializeToString())
    raw = preprocess_profile("raw", resize="48x64", crop="input").apply(data, (3, 40, 40))
    for given in (str(tmp_path / "mean.npy"), tmp_path / "mean.binaryproto", mean):
        # of the resized image's size: cropped like it, as Caffe's data layers do
        profile = preprocess_profile("raw", resize="48x64", crop="input", mean=given)
        np.testing.assert_allclose(profile.apply(data, (3, 40, 40)), raw - mean[:, 4:44, 12:52], atol=1e-4)
        assert "minus mean image 3x48x64" in profile.describe()
    # of another size: resized to the input
    other = preprocess_profile("raw", mean=mean).apply(data, (3, 24, 32))
    resized = resize_bilinear(np.ascontiguousarray(mean.transpose(1, 2, 0)), (24, 32)).transpose(2, 0, 1)
    np.testing.assert_allclose(other, preprocess_profile("raw").apply(data, (3, 24, 32)) - resized, atol=1e-4)
    with pytest.raises(ImageError, match="mean image has 2 channels"):
        preprocess_profile("raw", mean=mean[:2]).apply(data, (3, 24, 32))


def test_mean_files(tmp_path, rng):
    np.save(tmp_path / "v.npy", np.array([1.0, 2.0, 3.0]))
    assert preprocess_profile("raw", mean=str(tmp_path / "v.npy")).mean == (1.0, 2.0, 3.0)
    np.save(tmp_path / "objects.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(ImageError, match="read safely"):
        read_mean_file(tmp_path / "objects.npy")
    np.save(tmp_path / "four.npy", np.zeros((2, 3, 4, 4)))
    with pytest.raises(ImageError, match=r"shape \(2, 3, 4, 4\)"):
        read_mean_file(tmp_path / "four.npy")
    (tmp_path / "bad.binaryproto").write_bytes(b"\xff\xff\xff")
    with pytest.raises(BinaryProtoError, match="no BlobProto"):
        read_mean_file(tmp_path / "bad.binaryproto")
    with pytest.raises(MissingFileError, match="mean file"):
        read_mean_file(tmp_path / "nowhere.binaryproto")


def test_describe_says_everything():
    text = preprocess_profile("caffe-tool", mean="1,2.5,3", std="2", scale="0.017", resize="256", crop="224x220", order="RGB").describe()
    for part in ("caffe-tool", "short side 256", "OpenCV's 8-bit bilinear", "centre crop 224x220", "RGB", "mean (1, 2.5, 3)", "divided by (2)",
                 "times 0.017"):
        assert part in text
    assert "48x64" in preprocess_profile("raw", resize="48x64").describe() and "resize" not in preprocess_profile("raw", resize="none").describe()
    assert len({p.describe() for p in PROFILES.values()}) == len(PROFILES)


def test_overrides_of_none_change_nothing():
    assert preprocess_profile("torch", mean=None, std=None, scale=None, resize=None, crop=None, order=None) == PROFILES["torch"]


def test_is_immutable():
    with pytest.raises(AttributeError):
        PROFILES["caffe"].scale = 2.0


@pytest.mark.parametrize(("make", "sentence"), [
    (lambda: preprocess_profile("imagenet"), "not known; known: caffe"),
    (lambda: preprocess_profile("raw", gamma=2), "override 'gamma'"),
    (lambda: preprocess_profile("raw", mean="a,b"), "must be numbers"),
    (lambda: preprocess_profile("raw", scale="nan"), "finite"),
    (lambda: preprocess_profile("raw", resize="2x3x4"), "--resize is"),
    (lambda: preprocess_profile("raw", crop="0"), "--crop is"),
    (lambda: preprocess_profile("raw", std="0"), "must not be 0"),
    (lambda: preprocess_profile("raw", order="GBR"), "BGR or RGB"),
    (lambda: Preprocess("x", resizer="magic"), "resizer is 'magic'"),
    (lambda: parse_values("", "--mean"), "--mean is ''"),
])
def test_refused_values(make, sentence):
    with pytest.raises(ImageError, match=sentence):
        make()


def test_refused_inputs(pixels):
    data = _encoded(pixels)
    with pytest.raises(ImageError, match="2 channels; images have"):
        PROFILES["raw"].apply(data, (2, 8, 8))
    with pytest.raises(ImageError, match="does not fit"):
        preprocess_profile("raw", resize="30", crop="40").apply(data, (3, 8, 8))
    with pytest.raises(ImageError, match="mean has 2 values"):
        preprocess_profile("raw", mean="1,2").apply(data, (3, 8, 8))
    with pytest.raises(MissingFileError):
        PROFILES["raw"].apply("nowhere.jpg", (3, 8, 8))
