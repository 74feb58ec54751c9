"""Offline models run through this package: files with CPU segments, several functions, any damage in the table of segments."""
from __future__ import annotations

import json

import numpy as np
import pytest
from pycaffe_acc_tests.offline_nets import BLOCK, MIXED, STOCHASTIC, conv, data, inner, layer, net_of, quantized, same_as_online, saved, values_for

from cnrt import model_file
from cnrt.errors import CnrtError, RetCode
from cnrt.model import Model
from pycaffe_acc.errors import CaffeError, CheckError, MissingFileError
from pycaffe_acc.offline_net import OfflineNet

PRECISIONS = ("fp32", "fp16")


@pytest.mark.parametrize("cpu_info", [False, True])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_net_without_cpu_layers(tmp_path, precision, cpu_info):
    offline = same_as_online(tmp_path, net_of(tmp_path, BLOCK, precision), cpu_info=cpu_info)
    assert offline.precision == precision and offline.name == ("small" if cpu_info else "model")


@pytest.mark.parametrize("precision", PRECISIONS)
def test_a_mixed_net(tmp_path, precision):
    offline = same_as_online(tmp_path, net_of(tmp_path, MIXED, precision), cpu_info=True)
    assert offline.inputs == ["data", "label"] and set(offline.blobs) >= {"c1", "p1", "prob", "acc"}


@pytest.mark.parametrize("text", [BLOCK, MIXED], ids=["pure", "mixed"])
@pytest.mark.parametrize("precision", ["int8", "mlu"])
def test_quantized_nets(tmp_path, text, precision):
    net = net_of(tmp_path, quantized(text), precision)
    offline = same_as_online(tmp_path, net, cpu_info=True)
    assert offline.precision == precision
    values = values_for(net)
    floats = net_of(tmp_path, quantized(text), "fp32" if precision == "int8" else "fp16")
    floats.share_with(net)
    assert not np.array_equal(floats.forward(**values)["prob"] if text is BLOCK else floats.forward(["prob"], **values)["prob"],
                              offline.forward(**values)["prob"] if text is BLOCK else offline.blobs["prob"].data), "it computed in INT8"


SHARED = (data(2, 8) + layer("ReLU", "a", "data") + layer("Reshape", "b", "a", "", "reshape_param { shape { dim: 4 dim: 4 } }")
          + layer("BatchNorm", "bn", "b", "b", "batch_norm_param { use_global_stats: false }")
          + layer("Power", "c", "b", "", "power_param { scale: 3 }") + layer("Power", "d", "a", "", "power_param { shift: 1 }"))
AROUND = (data(2, 3, 12, 12) + layer("ReLU", "r", "data", "data") + layer("Pooling", "p", "data", "", STOCHASTIC) + conv("c", "p", 3)
          + layer("Deconvolution", "up", "c", "", "convolution_param { num_output: 3 kernel_size: 2 stride: 2 weight_filler { type: 'xavier' } }")
          + layer("Eltwise", "sum", "up data") + layer("Pooling", "q", "sum", "", STOCHASTIC) + layer("Dropout", "drop", "q", "q") + inner("ip", "q"))
CONSTANT = "dummy_data_param { shape { dim: 2 dim: 6 } data_filler { type: 'constant' value: 1.5 } }"
SOURCE = layer("DummyData", "data", "", "", CONSTANT) + inner("ip", "data")
DYNAMIC = (data(4, 3) + data(4, name="keep") + inner("ip", "data", 5) + layer("Filter", "f", "ip keep") + inner("fc", "f") + layer("ReLU", "r", "fc"))


CONT = "recurrent_param { num_output: 4 weight_filler { type: 'xavier' } }"
STATE = data(3, 2, 5) + data(3, 2, name="cont") + layer("LSTM", "lstm", "data cont", "", CONT) + inner("ip", "lstm")


@pytest.mark.parametrize("text", [SHARED, AROUND, SOURCE, STATE], ids=["shared memory", "around", "a source of data", "a state"])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_cpu_segments_of_every_kind(tmp_path, text, precision):
    same_as_online(tmp_path, net_of(tmp_path, text, precision), cpu_info=True)


def test_shapes_that_depend_on_data(tmp_path):
    net = net_of(tmp_path, DYNAMIC)
    offline = OfflineNet(saved(tmp_path, net, cpu_info=True)[1])
    for keep in ([1, 0, 1, 0], [1, 1, 1, 1], [0, 0, 1, 0]):
        values = {"data": values_for(net)["data"], "keep": np.array(keep, np.float32)}
        want, got = net.forward(**values)["r"], offline.forward(**values)["r"]
        assert want.shape == (sum(keep), 7)
        np.testing.assert_array_equal(got, want)


def test_the_vendors_quirks_come_along(tmp_path):
    """Padded maxima over negative values are 0 in the vendor's fork."""
    text = data(1, 2, 5, 5) + layer("Pooling", "p", "data", "", "pooling_param { pool: MAX kernel_size: 3 stride: 2 pad: 1 }") + layer(
        "Pooling", "q", "p", "", STOCHASTIC) + layer("Pooling", "s", "q", "", "pooling_param { pool: MAX kernel_size: 3 stride: 2 pad: 1 }")
    net = net_of(tmp_path, text, vendor_exact=True)
    offline = OfflineNet(saved(tmp_path, net, cpu_info=True)[1])
    low = -np.ones((1, 2, 5, 5), np.float32)
    got = np.array(offline.forward(data=low)["s"])
    np.testing.assert_array_equal(got, net.forward(data=low)["s"])
    assert got.max() == 0


def test_inputs_and_outputs(tmp_path):
    offline = OfflineNet(saved(tmp_path, net_of(tmp_path, BLOCK))[1], threads=1)
    assert offline.threads == 1 and offline.blobs["data"].shape == (2, 3, 12, 12) and offline.blobs["prob"].count == 14
    with pytest.raises(CheckError, match="'datum' is no input; its inputs: data"):
        offline.forward(datum=np.zeros(3))
    with pytest.raises(CheckError, match="does not fit the input 'data'"):
        offline.forward(data=np.zeros((2, 3, 12, 13)))
    offline.blobs["data"].data[...] = 1
    a = np.array(offline.forward()["prob"])
    np.testing.assert_array_equal(offline.forward(data=np.ones((2, 3, 12, 12)))["prob"], a)
    offline.notifiers = []
    offline.forward()
    assert len(offline.notifiers) == 1


def test_several_functions_need_what_lies_between(tmp_path):
    with pytest.raises(CheckError, match="2 functions .*subnet0, subnet1.*-cpu_info 1"):
        OfflineNet(saved(tmp_path, net_of(tmp_path, MIXED))[1])


def test_files_that_are_none(tmp_path):
    with pytest.raises(MissingFileError):
        OfflineNet(tmp_path / "none.cambricon")
    (tmp_path / "bad.cambricon").write_bytes(b"\0" * 400)
    with pytest.raises(CnrtError) as e:
        OfflineNet(tmp_path / "bad.cambricon")
    assert e.value.code == RetCode.ERR_IO


@pytest.mark.parametrize("change", [
    lambda t: t.update(format=2),
    lambda t: t.pop("segments"),
    lambda t: t.update(segments=[7]),
    lambda t: t["segments"][1].update(symbol="subnet9"),
    lambda t: t["segments"][1].pop("inputs"),
    lambda t: t["segments"][1].update(more=1),
    lambda t: t["segments"].pop(1),
    lambda t: t["segments"][2].update(prototxt="layer {"),
    lambda t: t["segments"][2].update(prototxt="layer { name: 'x' type: 'Nothing' top: 'p1' }"),
    lambda t: t["segments"][2].update(weights="missing"),
    lambda t: t["segments"][2].update(weights="caffe.segments"),
    lambda t: t["segments"][2].update(outputs=["p9"]),
    lambda t: t["segments"].reverse(),
    lambda t: t.update(outputs=["nobody"]),
    lambda t: t.update(inputs={}),
    lambda t: t.update(inputs=["data"]),
    lambda t: t["segments"][2].update(precision="fp64"),
])
def test_a_table_of_segments_that_contradicts_the_file(tmp_path, change):
    path = saved(tmp_path, net_of(tmp_path, MIXED), cpu_info=True)[1]
    model = model_file.load(path)
    table = json.loads(model.attachments["caffe.segments"])
    change(table)
    attachments = model.attachments | {"caffe.segments": json.dumps(table).encode()}
    model_file.save(Model.of(model.programs.values(), attachments=attachments), path)
    with pytest.raises((CaffeError, CnrtError)) as e:
        OfflineNet(path).forward()
    assert "\n" not in str(e.value).strip()


def test_python_layers_stay_off(tmp_path):
    """A file cannot make this package import a module."""
    path = saved(tmp_path, net_of(tmp_path, MIXED), cpu_info=True)[1]
    model = model_file.load(path)
    table = json.loads(model.attachments["caffe.segments"])
    table["segments"][2]["prototxt"] = ("layer { name: 'i' type: 'Input' top: 'c1' input_param { shape { dim: 1 } } } "
                                        "layer { name: 'p' type: 'Python' bottom: 'c1' top: 'p1' python_param { module: 'os' layer: 'system' } }")
    model_file.save(Model.of(model.programs.values(), attachments=model.attachments | {"caffe.segments": json.dumps(table).encode()}), path)
    with pytest.raises(CaffeError, match="Python"):
        OfflineNet(path)
