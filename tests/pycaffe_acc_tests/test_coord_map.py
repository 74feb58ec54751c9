"""Coordinate maps and the Crop layers made from them."""
from __future__ import annotations

import numpy as np
import pytest

from pycaffe_acc import coord_map as cm
from pycaffe_acc.net_spec import NetSpec
from pycaffe_acc.net_spec import layers as L


@pytest.fixture
def net():
    n = NetSpec()
    n.data = L.Input(input_param={"shape": {"dim": [2, 1, 100, 100]}})
    n.aux = L.Input(input_param={"shape": {"dim": [2, 1, 20, 20]}})
    n.conv = L.Convolution(n.data, num_output=10, kernel_size=2, stride=2, pad=0)
    n.pool = L.Pooling(n.conv, kernel_size=2, stride=2, pad=0)
    n.relu = L.ReLU(n.pool, in_place=True)
    n.deconv = L.Deconvolution(n.relu, convolution_param={"num_output": 10, "kernel_size": 4, "stride": 4, "pad": 0})
    return n


def test_map_of_a_chain(net):
    axis, a, b = cm.coord_map_from_to(net.relu, net.data)
    assert axis == 1
    # pool pixel x covers the data pixels 4x ... 4x + 3
    assert float(a[0]) == 4 and float(b[0]) == 1.5


def test_crop_aligns(net):
    crop = cm.crop(net.deconv, net.data)
    layer = crop.to_proto().layer[-1]
    assert layer.type == "Crop" and layer.crop_param.axis == 2
    axis, a, b = cm.coord_map_from_to(net.deconv, net.data)
    assert float(a[0]) == 1 and list(layer.crop_param.offset) == [-float(b[0])]
    assert cm.coord_map_from_to(crop, net.data)[2] == 0


def test_padding_and_axis(net):
    n = net
    n.padded = L.Convolution(n.data, num_output=4, kernel_size=3, pad=1)
    assert cm.coord_map_from_to(n.padded, n.data)[2] == 0
    n.offset = L.Convolution(n.data, num_output=4, kernel_size=3, pad=10)
    assert list(cm.crop(n.offset, n.data).to_proto().layer[-1].crop_param.offset) == [9]


def test_one_value_for_each_axis(net):
    rectangle = L.Convolution(net.data, num_output=3, kernel_size=[3, 5], stride=[1, 1], pad=[1, 2], dilation=2)
    _, a, b = cm.coord_map_from_to(net.data, rectangle)
    assert list(a) == [1, 1] and list(b) == [-1, -2]


@pytest.mark.parametrize(("make", "sentence"), [
    (lambda n: (n.pool, n.data), "scale mismatch"),
    (lambda n: (L.Convolution(n.data, kernel_size=3, num_output=1), n.data), "negative offset"),
    (lambda n: (L.Convolution(n.data, kernel_size=2, num_output=1, pad=5), n.data), "noninteger offset"),
    (lambda n: (L.Convolution(n.data, kernel_h=3, kernel_w=3, num_output=1), n.data), "legacy parameters kernel_h, kernel_w"),
    (lambda n: (L.Pooling(n.data, global_pooling=True), n.data), "without kernel_size"),
])
def test_refused_crops(net, make, sentence):
    with pytest.raises(cm.CropMapError, match=sentence):
        cm.crop(*make(net))
    with pytest.raises(AssertionError):
        cm.crop(*make(net))


def test_unconnected_tops(net):
    with pytest.raises(RuntimeError, match="Could not compute map"):
        cm.coord_map_from_to(net.conv, net.aux)
    product = L.InnerProduct(net.conv, num_output=3)
    with pytest.raises(RuntimeError, match="Could not compute map"):
        cm.coord_map_from_to(product, net.data)


def test_types_without_a_map():
    with pytest.raises(cm.UndefinedMapException):
        cm.coord_map(L.Softmax(L.Input()).fn)


def test_compose_and_inverse():
    assert cm.compose((None, 2, 1), (1, 3, 4)) == (1, 6, 9)
    assert cm.compose((1, 2, 1), (None, 1, 0)) == (1, 2, 1)
    with pytest.raises(cm.AxisMismatchException):
        cm.compose((1, 1, 0), (2, 1, 0))
    axis, a, b = cm.compose(cm.inverse((1, 4.0, 3.0)), (1, 4.0, 3.0))
    assert axis == 1 and np.isclose(a, 1) and np.isclose(b, 0)


def test_crop_layers_have_a_map(net):
    cropped = L.Crop(net.conv, net.pool, crop_param={"axis": 2, "offset": [3, 4]})
    axis, a, b = cm.coord_map_from_to(cropped, net.conv)
    assert axis == 1 and list(b) == [3, 4]
