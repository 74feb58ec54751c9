"""Nets in notebooks: complete, and names of strangers do nothing."""
from __future__ import annotations

import pytest
from pycaffe_acc_tests.html_check import EVIL, inert

from pycaffe_acc.mode import TEST
from pycaffe_acc.net import Net
from pycaffe_acc.proto import caffe_pb2
from pycaffe_acc.tools.demo import FOLDER


def test_the_embedded_net():
    net = Net(str(FOLDER / "deploy.prototxt"), TEST, weights=str(FOLDER / "digits.caffemodel"))
    page = net._repr_html_()
    words = inert(page)
    for expected in ("38,690 parameters", "res2/conv1", "16x1x3x3", "inputs: data 1x1x8x8; outputs: prob 1x10", "layers loaded", "Convolution"):
        assert expected in words
    assert "<svg" in page and "fp32" in words
    assert "Split" not in words


def evil_net(name):
    """A small net whose every name is `name`, as far as names may be equal."""
    message = caffe_pb2.NetParameter(name=name)
    data = message.layer.add(name=name + "0", type="Input", top=[name])
    data.input_param.shape.add(dim=[1, 2, 4, 4])
    conv = message.layer.add(name=name, type="Convolution", bottom=[name], top=[name + "1"])
    conv.convolution_param.num_output, conv.convolution_param.kernel_size[:] = 3, [3]
    return Net(message, TEST)


@pytest.mark.parametrize("name", EVIL)
def test_html_in_names_is_text(name):
    words = inert(evil_net(name)._repr_html_())
    assert name.translate({0: "\ufffd", 27: "\ufffd"}) in words


def test_shared_weights_are_counted_once():
    net = Net(caffe_pb2.NetParameter(), TEST)
    assert "0 layers, 0 parameters" in inert(net._repr_html_()) and "inputs: none" in inert(net._repr_html_())


def test_a_net_too_large_to_draw_is_listed():
    message = caffe_pb2.NetParameter(name="long")
    message.layer.add(name="data", type="Input", top=["data"]).input_param.shape.add(dim=[1, 2])
    for i in range(1200):
        message.layer.add(name=f"relu{i}", type="ReLU", bottom=["data"], top=["data"])
    page = Net(message, TEST)._repr_html_()
    assert "<svg" not in page and "and 201 more layers" in inert(page) and len(page) < 2_000_000
