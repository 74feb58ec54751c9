"""Data parallelism: batches cut into slices that run beside each other."""
from __future__ import annotations

import numpy as np
import pytest

import pycaffe_acc as caffe
from pycaffe_acc.errors import CheckError
from pycaffe_acc.seeded_weights import fill_seeded
from pycaffe_acc.sliced_net import SlicedNet

SMALL = """name: 'small' layer { name: 'data' type: 'Input' top: 'data' input_param { shape { dim: 6 dim: 3 dim: 9 dim: 7 } } }
layer { name: 'conv' type: 'Convolution' bottom: 'data' top: 'conv' convolution_param { num_output: 5 kernel_size: 3 } }
layer { name: 'ip' type: 'InnerProduct' bottom: 'conv' top: 'ip' inner_product_param { num_output: 4 } }
layer { name: 'prob' type: 'Softmax' bottom: 'ip' top: 'prob' }
"""


def net(tmp_path, text=SMALL):
    (tmp_path / "net.prototxt").write_text(text)
    made = caffe.Net(str(tmp_path / "net.prototxt"), caffe.TEST, threads=1)
    fill_seeded(made)
    return made


@pytest.mark.parametrize("slices", [1, 2, 3, 6])
def test_values_are_those_of_the_whole_batch(tmp_path, rng, slices):
    whole = net(tmp_path)
    x = rng.standard_normal(whole.blobs["data"].shape).astype(np.float32)
    whole.blobs["data"].data[...] = x
    expected = whole.forward()["prob"].copy()
    sliced = SlicedNet(net(tmp_path), slices)
    twin = sliced.clone()
    for one in (sliced, twin):
        one.notifiers = []
        one.blobs["data"].data[...] = x
        for _ in range(2):
            np.testing.assert_allclose(one.forward()["prob"], expected, rtol=1e-5, atol=1e-6)
        assert len(one.notifiers) == 2 * slices and one.threads == slices


def test_slices_share_weights_with_each_other_and_with_twins(tmp_path):
    first = net(tmp_path)
    sliced = SlicedNet(first, 2)
    twin = sliced.clone()
    before = twin.forward()["prob"].copy()
    first.params["ip"][1].data[...] = [5, 0, 0, 0]
    after = twin.forward()["prob"]
    assert (after[:, 0] > before[:, 0]).all()


@pytest.mark.parametrize("slices", [0, 4, 12])
def test_a_batch_that_cannot_be_cut(tmp_path, slices):
    with pytest.raises(CheckError, match="slices|data parallelism 4 does not divide|12 does not divide"):
        SlicedNet(net(tmp_path), slices)


def test_an_output_that_is_no_row_of_results_for_each_image(tmp_path):
    text = SMALL + "layer { name: 'loss' type: 'Reduction' bottom: 'prob' top: 'all' reduction_param { operation: SUM } }"
    with pytest.raises(CheckError, match="output 'all' has the shape"):
        SlicedNet(net(tmp_path, text), 2)
