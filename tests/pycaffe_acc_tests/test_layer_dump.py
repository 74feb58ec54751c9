"""What `debug_info: true` writes in the vendor's layer-by-layer mode."""
from __future__ import annotations

import logging

import numpy as np
import pytest

import pycaffe_acc as caffe

NET = """name: "small" debug_info: true
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 2 dim: 3 dim: 4 dim: 4 } } }
layer { name: "fire2/squeeze" type: "Convolution" bottom: "data" top: "y"
  convolution_param { num_output: 4 kernel_size: 3 weight_filler { type: "xavier" } } }
layer { name: "relu" type: "ReLU" bottom: "y" top: "y" }
layer { name: "a" type: "Power" bottom: "y" top: "a" power_param { scale: 2 } }
layer { name: "b" type: "Power" bottom: "y" top: "b" power_param { shift: 1 } }
layer { name: "quiet" type: "Silence" bottom: "a" }
"""


@pytest.fixture(autouse=True)
def cpu_afterwards(tmp_path, monkeypatch):
    """A folder of its own, and the CPU again when a test ends."""
    monkeypatch.chdir(tmp_path)
    yield
    caffe.set_mode_cpu()


def opened(text=NET):
    with open("net.prototxt", "w") as stream:
        stream.write(text)
    net = caffe.Net("net.prototxt", caffe.TEST)
    net.blobs["data"].data[...] = np.random.default_rng(1).standard_normal((2, 3, 4, 4))
    return net


def names(folder):
    return sorted(p.name for p in folder.iterdir() if p.name.startswith("tmp_layer_"))


def test_a_file_for_each_layer_and_forward(tmp_path, caplog):
    caffe.set_mode_mlu()
    with caplog.at_level(logging.INFO, logger="caffe"):
        net = opened()
        net.forward()
    layers = ["00000_data_Input", "00001_fire2_squeeze_Convolution", "00002_relu_ReLU", "00003_a_Power", "00004_b_Power"]
    assert names(tmp_path) == [f"tmp_layer_00000_{layer}" for layer in layers], "Splits and layers without tops have none"
    assert sum("debug_info" in r.getMessage() for r in caplog.records) == 1
    for name, blob in (("00000_data_Input", "data"), ("00003_a_Power", "a"), ("00004_b_Power", "b")):
        written = np.loadtxt(f"tmp_layer_00000_{name}")
        np.testing.assert_allclose(written, net.blobs[blob].data.reshape(-1), rtol=1e-5, atol=1e-5)
    before, after = (np.loadtxt(f"tmp_layer_00000_{name}") for name in layers[1:3])
    np.testing.assert_array_equal(after, np.maximum(before, 0))
    assert (before < 0).any(), "the convolution's own values, before the layer in place"
    net.forward()
    assert names(tmp_path)[5:] == [f"tmp_layer_00001_{layer}" for layer in layers]
    net.forward(start="a", end="b")
    assert names(tmp_path)[10:] == ["tmp_layer_00002_00003_a_Power", "tmp_layer_00002_00004_b_Power"]


@pytest.mark.parametrize("mode", ["CPU", "MFUS"])
def test_other_modes_write_nothing(tmp_path, mode):
    (caffe.set_mode_cpu if mode == "CPU" else caffe.set_mode_mfus)()
    opened().forward()
    assert names(tmp_path) == []


def test_nets_without_it_write_nothing(tmp_path):
    caffe.set_mode_mlu()
    opened(NET.replace("debug_info: true", "")).forward()
    assert names(tmp_path) == []


def test_a_name_is_no_path(tmp_path):
    """Whatever a prototxt calls its layers."""
    caffe.set_mode_mlu()
    opened(NET.replace("fire2/squeeze", "../../up\\\\x")).forward()
    assert [n for n in names(tmp_path) if "Convolution" in n] == ["tmp_layer_00000_00001_.._.._up_x_Convolution"]
