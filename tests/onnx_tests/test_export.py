"""Files: whole, checked, or not there; and the verb."""
from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import pycaffe_acc as caffe
from pycaffe_acc.errors import CheckError, MissingExtraError
from pycaffe_acc.onnx_export import OnnxMismatchError, dependency, export, model_export, model_proto
from pycaffe_acc.tools.main import main

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")

TEXT = """
name: "tiny"
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 2 dim: 3 dim: 8 dim: 8 } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param { num_output: 4 kernel_size: 3
  weight_filler { type: "gaussian" std: 0.3 } } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "ip" type: "InnerProduct" bottom: "conv" top: "ip" inner_product_param { num_output: 5 weight_filler { type: "xavier" } } }
layer { name: "prob" type: "Softmax" bottom: "ip" top: "prob" }
"""


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "deploy.prototxt"
    path.write_text(TEXT)
    return path


def files(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def test_a_file_with_its_differences(model, tmp_path):
    report = export(str(model), tmp_path / "net.onnx")
    assert files(tmp_path) == ["deploy.prototxt", "net.onnx"]
    assert [(d.output, d.inputs) for d in report.differences] == [("prob", "normal"), ("prob", "pixels")]
    assert all(d.passed and d.worst < 1e-5 for d in report.differences)
    proto = onnx.load(tmp_path / "net.onnx")
    assert proto.producer_name == "pycaffe-acc" and proto.opset_import[0].version == 17
    assert [i.name for i in proto.graph.input] == ["data"]


def test_a_mismatch_leaves_no_file(model, tmp_path, monkeypatch):
    net = caffe.Net(str(model), caffe.TEST)
    graph = model_export.translate_net(net)
    graph.arrays["conv/1"] = graph.arrays["conv/1"] + np.float32(1)
    monkeypatch.setattr(model_export, "translate_net", lambda *args: graph)
    with pytest.raises(OnnxMismatchError, match="'prob' on normal inputs") as caught:
        export(net, tmp_path / "net.onnx")
    assert caught.value.differences[0].relative > 1e-3
    assert files(tmp_path) == ["deploy.prototxt"]
    export(net, tmp_path / "net.onnx", check=False)
    assert files(tmp_path) == ["deploy.prototxt", "net.onnx"]


def test_a_model_that_onnx_refuses_leaves_no_file(model, tmp_path, monkeypatch):
    net = caffe.Net(str(model), caffe.TEST)
    graph = model_export.translate_net(net)
    graph.outputs["prob"] = (2, 7)
    monkeypatch.setattr(model_export, "translate_net", lambda *args: graph)
    with pytest.raises(CheckError, match="defect of the export"):
        export(net, tmp_path / "net.onnx", check=False)
    assert files(tmp_path) == ["deploy.prototxt"]


def test_large_weights_lie_beside_the_model(model, tmp_path, monkeypatch):
    monkeypatch.setattr(model_proto, "EXTERNAL_BYTES", 1000)
    report = export(str(model), tmp_path / "net.onnx")
    assert files(tmp_path) == ["deploy.prototxt", "net.onnx", "net.onnx.data"] and all(d.passed for d in report.differences)
    x = np.random.default_rng(1).standard_normal((2, 3, 8, 8)).astype(np.float32)
    got = onnxruntime.InferenceSession(str(tmp_path / "net.onnx"), providers=["CPUExecutionProvider"]).run(None, {"data": x})[0]
    assert np.isfinite(got).all()


def test_the_net_is_left_as_it_was(model, tmp_path):
    net = caffe.Net(str(model), caffe.TEST)
    x = np.random.default_rng(2).standard_normal((2, 3, 8, 8)).astype(np.float32)
    net.blobs["data"].data[...] = x
    export(net, tmp_path / "net.onnx")
    np.testing.assert_array_equal(net.blobs["data"].data, x)


def test_without_the_package_onnx(model, tmp_path, monkeypatch):
    def missing(name: str):
        raise ImportError(name)
    monkeypatch.setattr(dependency.importlib, "import_module", missing)
    with pytest.raises(MissingExtraError, match=r"pycaffe-acc\[onnx\]"):
        export(str(model), tmp_path / "net.onnx")


def test_a_net_of_another_precision(model, tmp_path):
    with pytest.raises(CheckError, match="precision fp16"):
        export(caffe.Net(str(model), caffe.TEST, precision="fp16"), tmp_path / "net.onnx")


def test_a_folder_that_is_not_there(model, tmp_path):
    with pytest.raises(CheckError, match="does not exist"):
        export(str(model), tmp_path / "none" / "net.onnx")


def test_the_verb(model, tmp_path, capsys):
    out = tmp_path / "net.onnx"
    assert main(["export-onnx", "--model", str(model), "--out", str(out), "--batch", "5", "--opset", "13", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["inputs"] == {"data": [5, 3, 8, 8]} and document["opset"] == 13 and document["operators"]["Conv"] == 1
    assert all(d["passed"] for d in document["differences"])


def test_the_verb_prints_each_output(model, tmp_path, capsys):
    assert main(["export-onnx", "--model", str(model), "--out", str(tmp_path / "net.onnx")]) == 0
    printed = capsys.readouterr()
    assert "max|Δ|" in printed.out and "prob" in printed.out and "wrote" in printed.out
    assert "seeded" in printed.err


def test_the_verb_refuses(tmp_path, capsys):
    path = tmp_path / "p.prototxt"
    path.write_text(TEXT.split("layer { name: \"conv\"")[0] + 'layer { name: "p" type: "Pooling" bottom: "data" top: "p" '
                                                              "pooling_param { pool: STOCHASTIC kernel_size: 2 } }")
    assert main(["export-onnx", "--model", str(path), "--out", str(tmp_path / "net.onnx")]) == 4
    assert "layer 'p' (Pooling)" in capsys.readouterr().err
    assert files(tmp_path) == ["p.prototxt"]


def test_the_verb_fails_on_a_mismatch(model, tmp_path, capsys, monkeypatch):
    graph = model_export.translate_net(caffe.Net(str(model), caffe.TEST))
    monkeypatch.setattr(model_export, "translate_net", lambda *args: graph)  # another net's weights: the verb seeds its own
    assert main(["export-onnx", "--model", str(model), "--out", str(tmp_path / "net.onnx")]) == 1
    printed = capsys.readouterr()
    assert "prob" in printed.out and "was not written" in printed.err
    assert files(tmp_path) == ["deploy.prototxt"]
