"""Nets written in Python."""
from __future__ import annotations

import numpy as np
import pytest

from pycaffe_acc.errors import CheckError
from pycaffe_acc.net_spec import NetSpec, Top, param_name_dict, to_proto
from pycaffe_acc.net_spec import layers as L
from pycaffe_acc.net_spec import params as P
from pycaffe_acc.proto import caffe_pb2


def _lenet(batch: int):
    n = NetSpec()
    n.data, n.label = L.DummyData(shape=[{"dim": [batch, 1, 28, 28]}, {"dim": [batch, 1, 1, 1]}], transform_param={"scale": 1 / 255.0}, ntop=2)
    n.conv1 = L.Convolution(n.data, kernel_size=5, num_output=20, weight_filler={"type": "xavier"})
    n.pool1 = L.Pooling(n.conv1, kernel_size=2, stride=2, pool=P.Pooling.MAX)
    n.ip1 = L.InnerProduct(n.pool1, num_output=500, param=[{"lr_mult": 1}, {"lr_mult": 2}])
    n.relu1 = L.ReLU(n.ip1, in_place=True)
    n.ip2 = L.InnerProduct(n.relu1, num_output=10)
    n.loss = L.SoftmaxWithLoss(n.ip2, n.label)
    return n


def test_lenet():
    net = _lenet(50).to_proto()
    assert [layer.name for layer in net.layer] == ["data", "conv1", "pool1", "ip1", "relu1", "ip2", "loss"]
    data, conv, pool, ip1, relu, ip2, loss = net.layer
    assert list(data.top) == ["data", "label"] and list(data.dummy_data_param.shape[0].dim) == [50, 1, 28, 28]
    assert list(conv.convolution_param.kernel_size) == [5] and conv.convolution_param.weight_filler.type == "xavier"
    assert pool.pooling_param.pool == caffe_pb2.PoolingParameter.MAX and pool.pooling_param.stride == 2
    assert [p.lr_mult for p in ip1.param] == [1, 2]
    assert list(relu.bottom) == list(relu.top) == ["ip1"] == list(ip2.bottom)
    assert list(loss.bottom) == ["ip2", "label"] and list(loss.top) == ["loss"]


def test_automatic_names_count_by_type():
    data = L.Input(shape={"dim": [1]})
    net = to_proto(L.ReLU(L.ReLU(data)))
    assert [layer.name for layer in net.layer] == ["Input1", "ReLU1", "ReLU2"]
    assert list(net.layer[2].bottom) == ["ReLU1"]
    assert data.to_proto().layer[0].name == "Input1"


def test_layers_without_tops_and_with_many():
    n = NetSpec()
    n.data = L.Input()
    n.a, n.b, n.c = L.Slice(n.data, ntop=3, slice_point=[1, 2])
    n.silence = L.Silence(n.b, n.c, ntop=0)
    net = n.to_proto()
    assert list(net.layer[1].top) == ["a", "b", "c"] and net.layer[1].name == "a"
    assert net.layer[2].name == "silence" and not net.layer[2].top
    assert L.Silence(n.a, ntop=0).to_proto().layer[-1].name == "Silence1"


def test_generic_parameters_go_to_the_layer():
    layer = L.SoftmaxWithLoss(L.Input(), L.Input(), loss_param={"ignore_label": 255, "normalize": True}, loss_weight=2, propagate_down=[True, False],
                              include={"phase": caffe_pb2.TEST}).to_proto().layer[-1]
    assert layer.loss_param.ignore_label == 255 and list(layer.loss_weight) == [2] and list(layer.propagate_down) == [True, False]
    assert layer.include[0].phase == caffe_pb2.TEST


def test_values_of_numpy_tuples_strings_and_messages():
    filler = caffe_pb2.FillerParameter(type="msra")
    conv = L.Convolution(L.Input(), kernel_size=np.array([3, 5]), num_output=np.int64(8), pad=(1, 2), bias_term=np.bool_(False), weight_filler=filler,
                         param=()).to_proto().layer[-1]
    p = conv.convolution_param
    assert list(p.kernel_size) == [3, 5] and p.num_output == 8 and list(p.pad) == [1, 2] and not p.bias_term and p.weight_filler.type == "msra"
    assert L.Pooling(L.Input(), pool="AVE").to_proto().layer[-1].pooling_param.pool == caffe_pb2.PoolingParameter.AVE
    assert L.Python(L.Input(), module="m", layer="L", param_str="{}").to_proto().layer[-1].python_param.module == "m"


def test_item_access_and_removal():
    n = NetSpec()
    n["data"] = L.Input()
    n["conv"] = L.Convolution(n["data"], num_output=1, kernel_size=1)
    assert isinstance(n.conv, Top) and "conv" in n
    del n["conv"]
    assert [layer.name for layer in n.to_proto().layer] == ["data"]
    with pytest.raises(AttributeError, match="no top 'conv'; it has data"):
        _ = n.conv


def test_a_long_chain_needs_no_recursion():
    top = L.Input()
    for _ in range(3000):
        top = L.ReLU(top)
    assert len(top.to_proto().layer) == 3001


@pytest.mark.parametrize(("make", "error", "sentence"), [
    (lambda: L.Convolution("data"), TypeError, "Convolution input 0 is not a Top"),
    (lambda: L.Convolution(L.Input(), kernel=3).to_proto(), AttributeError, "no parameter 'kernel'; its parameters are: num_output"),
    (lambda: L.Silence(L.Input(), foo=1).to_proto(), AttributeError, "no parameter 'foo'"),
    (lambda: L.Convolution(L.Input(), weight_filler={"kind": 1}).to_proto(), AttributeError, "FillerParameter has no field 'kind'"),
    (lambda: L.Pooling(L.Input(), pool="MEDIAN").to_proto(), AttributeError, "no value 'MEDIAN'; it has MAX"),
    (lambda: P.Nothing, AttributeError, "no NothingParameter"),
    (lambda: to_proto(L.Slice(L.Input(), ntop=2)), TypeError, "unpack the tuple"),
])
def test_refusals(make, error, sentence):
    with pytest.raises(error, match=sentence) as caught:
        make()
    assert isinstance(caught.value, CheckError)


def test_entries_that_are_no_tops():
    n = NetSpec()
    n.x = 3
    with pytest.raises(CheckError, match="x is a int"):
        n.to_proto()
    n.x = [1]
    with pytest.raises(CheckError, match="'x' is a list"):
        n.to_proto()


def test_type_names():
    names = param_name_dict()
    assert names["Convolution"] == "convolution" and names["InnerProduct"] == "inner_product" and names["LRN"] == "lrn" and names["ReLU"] == "relu"


def test_the_net_runs(tmp_path):
    import pycaffe_acc as caffe
    n = NetSpec()
    n.data = L.Input(input_param={"shape": {"dim": [1, 2, 4, 4]}})
    n.conv = L.Convolution(n.data, num_output=3, kernel_size=3, weight_filler={"type": "constant", "value": 1.0})
    path = tmp_path / "net.prototxt"
    path.write_text(str(n.to_proto()))
    net = caffe.Net(str(path), caffe.TEST)
    net.blobs["data"].data[...] = 1
    np.testing.assert_allclose(net.forward()["conv"], np.full((1, 3, 2, 2), 18.0))
