"""Classifier: against results of BVLC Caffe and against the steps done by hand."""
from __future__ import annotations

import zlib

import numpy as np
import pytest

import pycaffe_acc as caffe
from pycaffe_acc.errors import CheckError

NET = """
name: 'c'
layer { name: 'data' type: 'Input' top: 'data' input_param { shape { dim: 3 dim: 3 dim: 8 dim: 8 } } }
layer { name: 'c' type: 'Convolution' bottom: 'data' top: 'c' convolution_param { num_output: 4 kernel_size: 3 } }
layer { name: 'r' type: 'ReLU' bottom: 'c' top: 'c' }
layer { name: 'fc' type: 'InnerProduct' bottom: 'c' top: 'fc' inner_product_param { num_output: 5 } }
layer { name: 'p' type: 'Softmax' bottom: 'fc' top: 'prob' }
"""


def _seed(text: str) -> int:
    return zlib.crc32(text.encode("ascii"))


def _image(tag: str, shape: tuple[int, ...]) -> np.ndarray:
    return np.random.RandomState(_seed("io|" + tag)).random_sample(shape).astype(np.float32)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("classifier")
    model, weights = folder / "net.prototxt", folder / "net.caffemodel"
    model.write_text(NET)
    net = caffe.Net(str(model), caffe.TEST)
    for name, blobs in net.params.items():
        for j, blob in enumerate(blobs):
            values = np.random.RandomState(_seed(f"cls|{name}|{j}")).standard_normal(blob.data.size) * 0.3
            blob.data[...] = values.reshape(blob.data.shape)
    net.save(str(weights))
    return str(model), str(weights)


@pytest.fixture
def images():
    return [_image("c0", (14, 13, 3)), _image("c1", (10, 12, 3))]


def test_equals_bvlc(files, images, data_dir):
    with np.load(data_dir / "golden/io/results.npz") as golden:
        classifier = caffe.Classifier(*files, image_dims=(10, 12), mean=np.array([0.1, 0.2, 0.3]), raw_scale=2.0, channel_swap=(2, 1, 0),
                                      input_scale=0.5)
        np.testing.assert_allclose(classifier.predict(images, True), golden["classifier_oversample"], rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(classifier.predict(images, oversample=False), golden["classifier_center"], rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(caffe.Classifier(*files).predict(images, False), golden["classifier_plain"], rtol=1e-3, atol=1e-4)


def test_equals_the_steps_done_by_hand(files, images):
    classifier = caffe.Classifier(*files, image_dims=(12, 12), raw_scale=255.0)
    found = classifier.predict(images)
    assert found.shape == (2, 5)
    net = caffe.Net(files[0], files[1], caffe.TEST)
    for image, row in zip(images, found, strict=True):
        crops = caffe.io.oversample([caffe.io.resize_image(image, (12, 12))], (8, 8)).transpose(0, 3, 1, 2) * 255
        np.testing.assert_allclose(net.forward_all(data=crops)["prob"].mean(0), row, rtol=1e-4, atol=1e-6)


def test_is_a_net(files):
    classifier = caffe.Classifier(*files)
    assert isinstance(classifier, caffe.Net) and classifier.inputs == ["data"]
    assert list(classifier.image_dims) == [8, 8] and list(classifier.crop_dims) == [8, 8]


def test_refusals(files, images):
    with pytest.raises(CheckError, match="no images"):
        caffe.Classifier(*files).predict([])
    with pytest.raises(CheckError, match="smaller than the net's input"):
        caffe.Classifier(*files, image_dims=(6, 8)).predict(images, oversample=False)
