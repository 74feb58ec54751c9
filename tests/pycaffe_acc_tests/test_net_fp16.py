"""Nets in half precision."""
from __future__ import annotations

import numpy as np
import pytest

import pycaffe_acc as caffe
from cnml.cpu import converts_half
from cnml.reference.half import round_half
from pycaffe_acc.errors import CheckError

SMALL = """
name: 'small'
layer { name: 'data' type: 'Input' top: 'data' input_param { shape { dim: 2 dim: 3 dim: 12 dim: 12 } } }
layer { name: 'conv' type: 'Convolution' bottom: 'data' top: 'conv'
        convolution_param { num_output: 32 kernel_size: 3 pad: 1 weight_filler { type: 'xavier' } } }
layer { name: 'bn' type: 'BatchNorm' bottom: 'conv' top: 'bn' batch_norm_param { use_global_stats: true } }
layer { name: 'scale' type: 'Scale' bottom: 'bn' top: 'scale' scale_param { bias_term: true filler { value: 1.5 } bias_filler { value: 0.1 } } }
layer { name: 'relu' type: 'ReLU' bottom: 'scale' top: 'scale' }
layer { name: 'norm' type: 'LRN' bottom: 'scale' top: 'norm' }
layer { name: 'a' type: 'Convolution' bottom: 'norm' top: 'a' convolution_param { num_output: 16 kernel_size: 1 weight_filler { type: 'xavier' } } }
layer { name: 'b' type: 'Pooling' bottom: 'norm' top: 'b' pooling_param { pool: AVE kernel_size: 3 pad: 1 } }
layer { name: 'both' type: 'Concat' bottom: 'a' bottom: 'b' top: 'both' }
layer { name: 'ip' type: 'InnerProduct' bottom: 'both' top: 'ip' inner_product_param { num_output: 7 weight_filler { type: 'xavier' } } }
layer { name: 'prob' type: 'Softmax' bottom: 'ip' top: 'prob' }
layer { name: 'top' type: 'ArgMax' bottom: 'prob' top: 'top' }
"""
COMPUTED = ("conv", "bn", "scale", "norm", "a", "b", "both", "ip", "prob")


@pytest.fixture
def pair(tmp_path, rng):
    """The same net in both precisions, with variances and inputs."""
    path = tmp_path / "small.prototxt"
    path.write_text(SMALL)
    single = caffe.Net(str(path), caffe.TEST)
    for blob, value in zip(single.params["bn"], (0.1, 0.7, 1.0), strict=True):
        blob.data[...] = value
    half = caffe.Net(str(path), caffe.TEST, precision="fp16")
    half.share_with(single)
    x = rng.standard_normal((2, 3, 12, 12)).astype(np.float32)
    for net in (single, half):
        net.blobs["data"].data[...] = x
    return single, half


def test_results_are_near_those_of_fp32(pair):
    single, half = pair
    want, got = single.forward(["prob"])["prob"], half.forward(["prob"])["prob"]
    np.testing.assert_allclose(got, want, rtol=2e-2, atol=1e-3)
    assert not np.array_equal(got, want)
    np.testing.assert_array_equal(half.blobs["top"].data, single.blobs["top"].data)


def test_every_blob_holds_halves(pair):
    """Also those that fusion leaves out and that are computed when they are touched."""
    _, half = pair
    half.forward()
    for name in COMPUTED:
        values = half.blobs[name].data
        np.testing.assert_array_equal(values, round_half(values), err_msg=name)
    data = half.blobs["data"].data
    assert not np.array_equal(data, round_half(data)), "inputs stay as they were given"


def test_kernels_follow_the_definitions(pair, monkeypatch):
    _, half = pair
    got = {name: np.array(v) for name, v in half.forward(blobs=list(COMPUTED)).items()}
    monkeypatch.setenv("PYCAFFE_ACC_KERNELS", "numpy")
    twin = half.clone()
    twin.blobs["data"].data[...] = half.blobs["data"].data
    twin.forward()
    for name in COMPUTED:
        want = twin.blobs[name].data
        np.testing.assert_allclose(got[name], want, rtol=5e-3, atol=5e-3 * np.abs(want).max(), err_msg=name)
    assert half.clone()._source.precision == "fp16"


def test_weights_can_be_written(pair):
    _, half = pair
    before = half.forward(["ip"])["ip"].copy()
    half.params["ip"][0].data[...] *= 2
    after = half.forward(["ip"])["ip"]
    np.testing.assert_allclose(after, 2 * before, rtol=2e-3, atol=1e-3)


def test_packed_weights_take_half_the_memory(pair):
    sizes = []
    for net in pair:
        net.forward()
        sizes.append(net.memory()["packed"])
    assert 0.5 <= sizes[1] / sizes[0] < 0.53 or not converts_half()
    assert pair[0].memory()["weights"] == pair[1].memory()["weights"], "Caffe's arrays are float32 in both"


def test_batches_and_threads_give_the_same(pair):
    _, half = pair
    whole = half.forward(["prob"])["prob"].copy()
    half.threads = 3
    np.testing.assert_array_equal(half.forward(["prob"])["prob"], whole)


def test_precision_must_be_known(tmp_path):
    path = tmp_path / "small.prototxt"
    path.write_text(SMALL)
    with pytest.raises(CheckError, match="precision is 'bf16'; it must be one of fp32, fp16"):
        caffe.Net(str(path), caffe.TEST, precision="bf16")
