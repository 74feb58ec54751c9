"""Detector: windows, context padding, and the missing external tool."""
from __future__ import annotations

import sys
import types

import numpy as np
import pytest
from PIL import Image

import pycaffe_acc as caffe
from pycaffe_acc.errors import CheckError, MissingExtraError

NET = """
layer { name: 'data' type: 'Input' top: 'data' input_param { shape { dim: 2 dim: 3 dim: 10 dim: 10 } } }
layer { name: 'pool' type: 'Pooling' bottom: 'data' top: 'pool' pooling_param { pool: AVE global_pooling: true } }
layer { name: 'scale' type: 'Scale' bottom: 'pool' top: 'out' scale_param { filler { value: 1 } } }
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("detector")
    (folder / "net.prototxt").write_text(NET)
    caffe.Net(str(folder / "net.prototxt"), caffe.TEST).save(str(folder / "net.caffemodel"))
    return str(folder / "net.prototxt"), str(folder / "net.caffemodel")


@pytest.fixture
def image_file(tmp_path, rng):
    path = tmp_path / "image.png"
    Image.fromarray(rng.integers(0, 256, (30, 40, 3)).astype(np.uint8)).save(path)
    return str(path)


def test_windows(files, image_file):
    detector = caffe.Detector(*files)
    windows = [np.array([0, 0, 10, 10]), np.array([5, 20, 25, 40]), np.array([3, 4, 13, 14])]
    found = detector.detect_windows([(image_file, windows)])
    image = caffe.io.load_image(image_file)
    assert [d["filename"] for d in found] == [image_file] * 3
    for detection, window in zip(found, windows, strict=True):
        cut = image[window[0]:window[2], window[1]:window[3]]
        expected = cut if cut.shape[:2] == (10, 10) else caffe.io.resize_image(cut, (10, 10))
        np.testing.assert_array_equal(detection["window"], window)
        np.testing.assert_allclose(detection["prediction"].ravel(), expected.mean((0, 1)), atol=1e-5)


def test_context_of_a_window_inside_the_image(files, image_file):
    detector = caffe.Detector(*files, context_pad=2)
    image = caffe.io.load_image(image_file)
    # 12 rows (with both ends) fill 6 of 10 pixels, so the context makes them 20: rows 2 to 22
    crop = detector.crop(image, np.array([6, 10, 17, 21]))
    assert crop.shape == (10, 10, 3)
    cut = image[2:22, 6:26]
    # the box keeps its last pixel out, and its extent counts it: 21 rows on 10 pixels, 20 of them give 10
    np.testing.assert_allclose(crop, caffe.io.resize_image(cut, (10, 10)), atol=1e-6)


def test_context_outside_the_image_is_the_mean(files, image_file):
    mean = np.array([10.0, 20.0, 30.0])
    detector = caffe.Detector(*files, mean=mean, raw_scale=255.0, channel_swap=(2, 1, 0), context_pad=3)
    image = caffe.io.load_image(image_file)
    crop = detector.crop(image, np.array([0, 0, 9, 9]))
    # mean is BGR after raw_scale; the crop is RGB before it
    np.testing.assert_allclose(crop[0], np.tile(mean[::-1] / 255, (10, 1)), rtol=1e-6)
    np.testing.assert_allclose(crop[:, 0], np.tile(mean[::-1] / 255, (10, 1)), rtol=1e-6)
    assert np.abs(crop[5, 5] - mean[::-1] / 255).max() > 1e-3
    after = detector.transformer.preprocess("data", crop.copy())
    np.testing.assert_allclose(after[:, 0, 0], 0, atol=1e-4)


def test_context_without_a_mean_is_black(files, image_file):
    detector = caffe.Detector(*files, context_pad=3)
    assert not detector.crop(caffe.io.load_image(image_file), np.array([0, 0, 9, 9]))[0].any()


def test_selective_search(files, image_file, monkeypatch):
    detector = caffe.Detector(*files)
    with pytest.raises(MissingExtraError, match="detect_windows"):
        detector.detect_selective_search([image_file])
    module = types.ModuleType("selective_search_ijcv_with_python")
    module.get_windows = lambda names, cmd: [[np.array([0, 0, 10, 10])] for _ in names]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    assert len(detector.detect_selective_search([image_file, image_file])) == 2


def test_refusals(files, image_file):
    detector = caffe.Detector(*files)
    with pytest.raises(CheckError, match="no windows"):
        detector.detect_windows([(image_file, [])])
    with pytest.raises(CheckError, match="holds no pixel"):
        detector.detect_windows([(image_file, [[100, 100, 120, 120]])])
    with pytest.raises(CheckError, match="must be"):
        detector.crop(np.zeros((5, 5, 3)), [1, 2])
    with pytest.raises(CheckError, match="context_pad is 5"):
        caffe.Detector(*files, context_pad=5)
    with pytest.raises(CheckError, match="with its context holds no pixel"):
        caffe.Detector(*files, context_pad=1).crop(caffe.io.load_image(image_file), [200, 200, 220, 220])
