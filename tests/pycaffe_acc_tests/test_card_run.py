"""Forwards of nets for the card: subnets, lines, layer times."""
from __future__ import annotations

import logging
import re

import numpy as np
import pytest

import pycaffe_acc as caffe
from pycaffe_acc.tools.demo import FOLDER

MIXED = """name: "mixed"
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 2 dim: 3 dim: 6 dim: 6 } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 4 kernel_size: 3 weight_filler { type: "xavier" } } }
layer { name: "im2col" type: "Im2col" bottom: "conv" top: "columns" convolution_param { kernel_size: 2 } }
layer { name: "relu" type: "ReLU" bottom: "columns" top: "columns" }
layer { name: "sum" type: "Eltwise" bottom: "columns" bottom: "columns" top: "sum" }
"""


@pytest.fixture(autouse=True)
def cpu_afterwards():
    """The process-wide newest mode is CPU again when a test ends."""
    yield
    caffe.set_mode_cpu()


@pytest.fixture
def mixed(tmp_path):
    """A net whose middle layer is on the CPU."""
    path = tmp_path / "mixed.prototxt"
    path.write_text(MIXED)
    return str(path)


def lines(caplog):
    """Messages of the log so far; forgets them."""
    found = [r.getMessage() for r in caplog.records if "loaded" not in r.getMessage()]
    caplog.clear()
    return found


def test_the_block_of_subnets(mixed, caplog):
    caffe.set_mode_mfus()
    with caplog.at_level(logging.INFO, logger="caffe"):
        net = caffe.Net(mixed, caffe.TEST)
        assert lines(caplog) == ["split done: 4 subnets in total.", "subnet[0] layers : 0(data)", "subnet[1] layers : 1(conv)",
                                 "subnet[2] layers : 2(im2col)", "subnet[3] layers : 3(relu) 4(sum)", "reshaping subnet[0]...",
                                 "reshaping subnet[1]...", "reshaping subnet[2]...", "reshaping subnet[3]..."]
        net.forward()
        assert lines(caplog) == ["forwarding subnet[0]...", "subnet[1] fusing...", "[Fusion] compiling...", "forwarding subnet[1]...",
                                 "forwarding subnet[2]...", "subnet[3] fusing...", "[Fusion] compiling...", "forwarding subnet[3]..."]
        net.forward()
        assert lines(caplog) == [f"forwarding subnet[{i}]..." for i in range(4)]
        net.forward(start="im2col", end="relu")
        assert lines(caplog) == ["forwarding subnet[2]...", "forwarding subnet[3]..."]
        net.blobs["data"].reshape(1, 3, 6, 6)
        net.forward()
        assert lines(caplog)[0] == "split done: 4 subnets in total."


def test_the_time_of_every_layer(mixed, caplog):
    caffe.set_mode_mlu()
    net = caffe.Net(mixed, caffe.TEST)
    with caplog.at_level(logging.INFO, logger="caffe"):
        net.forward()
        found = lines(caplog)
    kinds = [re.fullmatch(r"layer (\S+) (hardware|cpu) time: [\d.e+-]+ us", line).groups() for line in found]
    assert kinds == [("data", "cpu"), ("conv", "hardware"), ("im2col", "cpu"), ("relu", "hardware"), ("sum", "hardware")]
    with caplog.at_level(logging.INFO, logger="caffe"):
        caffe.Net(mixed, caffe.TEST)
    assert "simulated, since MLU100:0 is a virtual card" in lines(caplog)[-1]


def test_notifiers_are_kept_for_the_caller(mixed):
    for setter, pairs in ((caffe.set_mode_mfus, 2), (caffe.set_mode_mlu, 3)):
        setter()
        net = caffe.Net(mixed, caffe.TEST)
        net.notifiers = []
        net.forward()
        assert len(net.notifiers) == pairs and all(a.time_ns <= b.time_ns for a, b in net.notifiers)


def test_values_are_the_cards():
    images = np.random.default_rng(0).random((3, 1, 8, 8), dtype=np.float32)
    found = {}
    for name, setter, options in (("host", caffe.set_mode_cpu, {"precision": "mlu"}), ("mfus", caffe.set_mode_mfus, {}),
                                  ("mlu", caffe.set_mode_mlu, {}), ("fp32", caffe.set_mode_cpu, {})):
        setter()
        net = caffe.Net(str(FOLDER / "deploy.prototxt"), caffe.TEST, weights=str(FOLDER / "digits.caffemodel"), **options)
        found[name] = net.forward_all(data=images)["prob"]
    np.testing.assert_array_equal(found["mfus"], found["host"])
    assert 0 < abs(found["mlu"] - found["fp32"]).max() < 0.01 and abs(found["mlu"] - found["mfus"]).max() < 0.01


def test_hooks_run_layers_one_by_one(mixed):
    caffe.set_mode_mfus()
    net = caffe.Net(mixed, caffe.TEST)
    seen = []
    net.after_forward(seen.append)
    net.forward()
    assert seen == list(range(len(net.layers)))


def test_memory_of_a_net_for_the_card(mixed):
    for setter in (caffe.set_mode_mfus, caffe.set_mode_mlu):
        setter()
        net = caffe.Net(mixed, caffe.TEST)
        net.forward()
        assert net.memory()["packed"] > 0


def test_engine_caffe_keeps_a_layer_on_the_cpu(mixed, tmp_path, caplog):
    path = tmp_path / "engine.prototxt"
    path.write_text(MIXED.replace('name: "relu"', 'name: "relu" engine: CAFFE'))
    caffe.set_mode_mfus()
    with caplog.at_level(logging.INFO, logger="caffe"):
        caffe.Net(str(path), caffe.TEST)
    assert "subnet[2] layers : 2(im2col) 3(relu)" in lines(caplog)
