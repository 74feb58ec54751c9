"""The net that the vendor's tools calibrate."""
from __future__ import annotations

import pytest
from pycaffe_acc_tests.quantize_tests.small_nets import INPUT, convolution

from pycaffe_acc.errors import CheckError, PrototxtError
from pycaffe_acc.proto import caffe_pb2
from pycaffe_acc.quantize.settings import Calibration
from pycaffe_acc.quantize.source_net import calibration_net, input_layer, own_net

LIST = Calibration("list", "", (1.0, 2.0), 0.5, (20, 24))


def made(tmp_path, text, calibration=LIST):
    """The calibration net of a prototxt."""
    path = tmp_path / "n.prototxt"
    path.write_text(text)
    return calibration_net(str(path), calibration)


def test_an_image_list(tmp_path):
    """In the place of the Input layer, under its top."""
    first, conv = made(tmp_path, INPUT.replace('top: "data"', 'top: "picture"') + convolution("c", "picture", "c")).layer
    assert (first.name, first.type, list(first.top)) == ("data", "ImageData", ["picture", "label"])
    assert list(first.transform_param.mean_value) == [1, 2] and first.transform_param.scale == 0.5
    p = first.image_data_param
    assert (p.source, p.batch_size, p.new_height, p.new_width, p.is_color) == ("list", 1, 20, 24, True)
    assert not conv.convolution_param.mean_value


def test_a_database(tmp_path):
    """With a crop."""
    first = made(tmp_path, INPUT + convolution("c", "data", "c"), Calibration("", "db", (1.0,), crop=16)).layer[0]
    assert (first.type, first.data_param.source, first.data_param.backend) == ("Data", "db", caffe_pb2.DataParameter.LMDB)
    assert first.transform_param.crop_size == 16
    result = input_layer(first)
    assert list(result.input_param.shape[0].dim) == [1, 3, 16, 16]


def test_gray(tmp_path):
    """One channel is read as gray, and stays one in the result."""
    first = made(tmp_path, INPUT.replace("dim: 2", "dim: 1") + convolution("c", "data", "c")).layer[0]
    assert not first.image_data_param.is_color
    assert list(input_layer(first).input_param.shape[0].dim) == [1, 1, 20, 24]


def test_mean_and_std_in_the_first_convolution(tmp_path):
    """Behind all inputs; the data layer has none then, and older values are replaced."""
    text = ('input: "data" input: "info" input_shape { dim: 1 dim: 3 dim: 8 dim: 8 } input_shape { dim: 1 dim: 3 }\n'
            + convolution("c", "data", "c", 'mean_file: "x" std: 9'))
    net = made(tmp_path, text, Calibration("list", "", (1.0, 2.0, 3.0), 0.25, (8, 8), first_convolution=True))
    assert [(layer.name, layer.type) for layer in net.layer] == [("data", "ImageData"), ("info", "Input"), ("c", "Convolution")]
    assert list(net.layer[1].input_param.shape[0].dim) == [1, 3]
    p = net.layer[2].convolution_param
    assert (list(p.mean_value), p.std, p.HasField("mean_file")) == ([1, 2, 3], 0.25, False)
    assert not net.layer[0].transform_param.mean_value and not net.layer[0].transform_param.HasField("scale")


@pytest.mark.parametrize(("text", "rule"), [
    ("", "has no layers"),
    (convolution("c", "x", "c"), "begins with 'c' .Convolution.; it must begin"),
    (INPUT.replace("dim: 3 dim: 3", "") + convolution("c", "data", "c"), "input 'data' has the shape .1, 2.; images need four axes"),
    ('input: "a" input: "b" input_dim: 1 input_dim: 3 input_dim: 4 input_dim: 4', "give an input_shape block for each"),
])
def test_nets_without_an_image_input(tmp_path, text, rule):
    """Each with a reason."""
    with pytest.raises(CheckError, match=rule):
        made(tmp_path, text)


def test_no_first_convolution(tmp_path):
    """Mean and std would be lost silently."""
    with pytest.raises(CheckError, match="behind the input comes 'r' .ReLU.; only a Convolution"):
        made(tmp_path, INPUT + 'layer { name: "r" type: "ReLU" bottom: "data" top: "r" }',
             Calibration("list", "", size=(3, 3), first_convolution=True))


def test_own_data_layer(tmp_path):
    """A net without one would see zeros."""
    path = tmp_path / "n.prototxt"
    path.write_text(INPUT + convolution("c", "data", "c"))
    with pytest.raises(CheckError, match="has no ImageData or Data layer"):
        own_net(str(path))
    path.write_text("layer {")
    with pytest.raises(PrototxtError):
        own_net(str(path))
