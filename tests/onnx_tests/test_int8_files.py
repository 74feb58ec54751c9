"""Files of nets in INT8: the verb, what runtimes make of them, real nets."""
from __future__ import annotations

import importlib.util
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from onnx_tests.quantized_case import BLOCKS, INPUT, convolution, quantized_net, write_quantized

import pycaffe_acc as caffe
from pycaffe_acc import zoo
from pycaffe_acc.fake_caffemodel import fill_fake
from pycaffe_acc.onnx_export import OnnxMismatchError, export, model_export, stated_codes, translate_net
from pycaffe_acc.quantize.method import find_method
from pycaffe_acc.quantize.quantize_net import Quantizer
from pycaffe_acc.tools.main import main

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")


#: two branches that begin with a stride, as in ResNet-50
STRIDED = ('name: "strided"\n' + INPUT + convolution("first", "data") + convolution("left", "first", 8, "kernel_size: 1 stride: 2", relu=False)
           + convolution("right", "first", 8, "kernel_size: 1 stride: 2") + convolution("next", "right", relu=False)
           + 'layer { name: "sum" type: "Eltwise" bottom: "left" bottom: "next" top: "sum" }\n'
           + 'layer { name: "sum/relu" type: "ReLU" bottom: "sum" top: "sum" }\n' + convolution("last", "sum", 8, "kernel_size: 1 stride: 2"))


def files(folder: Path) -> list[str]:
    """Names in a folder."""
    return sorted(p.name for p in folder.iterdir())


def test_the_verb(tmp_path, capsys):
    """A quantized prototxt and --precision int8; each output has a row for its layers and one for the whole."""
    model, weights = write_quantized(tmp_path / "net")
    out = tmp_path / "net.onnx"
    common = ["export-onnx", "--model", str(model), "--weights", str(weights), "--out", str(out), "--precision", "int8"]
    assert main([*common, "--json", "--batch", "3"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["operators"]["QuantizeLinear"] == 8 and document["inputs"] == {"data": [3, 3, 12, 12]}
    assert len(document["differences"]) == 6 and all(d["passed"] for d in document["differences"])
    assert main([*common, "--for", "onnxruntime"]) == 0
    text = capsys.readouterr().out
    assert "by layers, steps of its code" in text and "max|Δ|" in text
    assert Counter(n.op_type for n in onnx.load(out).graph.node)["QuantizeLinear"] == 10
    assert files(tmp_path) == ["net", "net.onnx"]


def test_the_verb_for_openvino(tmp_path, capsys):
    """Strides of 1x1 convolutions on the same codes become a pooling of them; results go through codes as for onnxruntime."""
    model, weights = write_quantized(tmp_path / "net", STRIDED)
    common = ["export-onnx", "--model", str(model), "--weights", str(weights), "--out", str(tmp_path / "net.onnx"), "--precision", "int8", "--json"]
    counts = {}
    for runtime in ("onnxruntime", "openvino"):
        assert main([*common, "--for", runtime]) == 0
        counts[runtime] = Counter(json.loads(capsys.readouterr().out)["operators"])
    assert counts["openvino"] - counts["onnxruntime"] == {"MaxPool": 2}


def test_the_verb_with_options_that_do_not_go_together(tmp_path, capsys):
    """A float net has no codes, and a net that nobody quantized no INT8."""
    model, weights = write_quantized(tmp_path / "net")
    common = ["export-onnx", "--out", str(tmp_path / "net.onnx"), "--weights", str(weights), "--model"]
    assert main([*common, str(model), "--for", "openvino"]) == 2
    assert "--for goes with --precision int8" in capsys.readouterr().err
    assert main([*common, str(model.with_name("float.prototxt")), "--precision", "int8"]) != 0
    assert "no layer of net 'blocks' says how it is quantized" in capsys.readouterr().err
    assert files(tmp_path) == ["net"]


@pytest.mark.parametrize(("name", "value"), [("branch/0/int8", 60), ("right/bias", 1200), ("first/bias", -6000)])
def test_a_wrong_number_leaves_no_file(tmp_path, monkeypatch, name, value):
    """Nine weights of half a million products, or one channel's bias: the layers behind would hardly show it."""
    net = quantized_net(tmp_path / "net")
    graph = translate_net(net)
    wrong = graph.arrays[name].copy()
    wrong.reshape(-1)[:1 if "bias" in name else 9] += np.asarray(value, wrong.dtype)
    graph.arrays[name] = wrong
    monkeypatch.setattr(model_export, "translate_net", lambda *args: graph)
    with pytest.raises(OnnxMismatchError, match="steps of its code inputs by"):
        export(net, tmp_path / "net.onnx")
    assert files(tmp_path) == ["net"]


def test_onnxruntime_computes_in_int8(tmp_path):
    """With codes for results every convolution and every inner product is one of its INT8 operators; without, those in front of sums and means are
    not.
    """
    net = quantized_net(tmp_path / "net")
    found = {}
    for results in (None, stated_codes(net)):
        export(net, tmp_path / "net.onnx", results=results)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.optimized_model_filepath = str(tmp_path / "optimised.onnx")
        onnxruntime.InferenceSession(str(tmp_path / "net.onnx"), options, providers=["CPUExecutionProvider"])
        found[results is None] = Counter(n.op_type for n in onnx.load(tmp_path / "optimised.onnx").graph.node)
    assert found[False]["QLinearConv"] == 5 and not {"Conv", "FusedConv", "Gemm", "MatMul"} & set(found[False])
    assert found[True]["QLinearConv"] == 3 and found[True]["Conv"] + found[True]["FusedConv"] == 2
    assert all(f["QGemm"] == 1 and f["QLinearConcat"] == 1 for f in found.values())


@pytest.mark.skipif(importlib.util.find_spec("openvino") is None, reason="OpenVINO is not installed (extra `bench`)")
@pytest.mark.parametrize(("text", "layers", "every"), [(BLOCKS, 6, False), (BLOCKS, 6, True), (STRIDED, 5, True)])
def test_openvino_computes_in_int8(tmp_path, text, layers, every):
    """Its execution graph names the kernels: those of convolutions and inner products end with I8. Its output is ours but for roundings."""
    import openvino
    net = quantized_net(tmp_path / "net", text)
    export(net, tmp_path / "net.onnx", results=stated_codes(net) if every else None, subsampled=every)
    core = openvino.Core()
    compiled = core.compile_model(core.read_model(tmp_path / "net.onnx"), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    kernels = {}
    for op in compiled.get_runtime_model().get_ordered_ops():
        info = {k: str(v.astype(str)) for k, v in op.get_rt_info().items() if k in ("layerType", "primitiveType")}
        if info.get("layerType") in ("Convolution", "FullyConnected", "MatMul"):
            kernels[op.get_friendly_name()] = info["primitiveType"]
    assert len(kernels) == layers and all(k.endswith("I8") for k in kernels.values()), kernels
    x = np.random.default_rng(3).standard_normal((2, 3, 12, 12), np.float32)
    net.blobs["data"].data[...] = x
    ours = net.forward()[net.outputs[0]].copy()
    theirs = next(iter(compiled(x).values()))
    assert np.sqrt(np.mean((ours - theirs) ** 2)) < 0.05 * np.sqrt(np.mean(ours ** 2))


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow) if n != "squeezenet_v1.1" else n for n in
                                  ("squeezenet_v1.1", "alexnet", "googlenet", "mobilenet_v1", "resnet18", "inception_v3")])
def test_networks_of_the_zoo(tmp_path, name):
    """Whole networks with seeded weights, quantized here: every layer to a code step."""
    net = caffe.Net(zoo.build(name), caffe.TEST)
    blob = net.blobs[net.inputs[0]]
    blob.reshape(1, *blob.shape[1:])
    net.reshape()
    fill_fake(net)
    net.save(tmp_path / "w.caffemodel")
    (tmp_path / "m.prototxt").write_text(str(net.source.message))
    quantizer = Quantizer(tmp_path / "m.prototxt", tmp_path / "w.caffemodel", find_method("absmax"))
    quantizer.calibrate(net.inputs[0], [np.random.default_rng(s).standard_normal(blob.shape, np.float32) for s in (1, 2)])
    quantizer.finish()
    coded = caffe.Net(quantizer.message, caffe.TEST, precision="int8")
    coded.share_with(net)
    coded.blobs[net.inputs[0]].reshape(*blob.shape)
    coded.reshape()
    report = export(coded, tmp_path / "net.onnx", results=stated_codes(coded))
    assert all(d.passed for d in report.differences)


def test_a_real_net(data_dir, tmp_path):
    """SqueezeNet v1.1 with its public weights: every layer to a code step; without its softmax, whose exponentials make a lot of a rounding, to a few
    per cent as a whole.
    """
    folder = data_dir / "models" / "squeezenet_v1.1"
    weights = folder / "squeezenet_v1.1.caffemodel"
    quantizer = Quantizer(folder / "deploy.prototxt", weights, find_method("absmax"))
    shape = quantizer.net.blobs["data"].shape
    rng = np.random.default_rng(0)
    quantizer.calibrate("data", [rng.integers(0, 256, (1, *shape[1:])).astype(np.float32) - 117])
    quantizer.finish()
    net = caffe.Net(quantizer.message, caffe.TEST, weights=str(weights), precision="int8")
    net.blobs["data"].reshape(1, *shape[1:])
    net.reshape()
    report = export(net, tmp_path / "net.onnx", outputs=["pool10"])
    assert all(d.passed for d in report.differences)
    assert all(d.relative < 0.1 for d in report.differences if d.output == "pool10")
    assert sum(n.op == "Conv" for n in report.graph.nodes) == 26
