"""benchmarks/peers.py in INT8 on a tiny net, with the peers that are installed, and its judgement of outputs."""
from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from benchmark_tests.peers_document import BENCHMARKS, document, load, network, setting

import pycaffe_acc as caffe
from pycaffe_acc.fake_caffemodel import fill_fake
from pycaffe_acc.text_format import parse_net

pytest.importorskip("onnx", reason="peers get the net as ONNX (extra `onnx`)")

#: an LRN behind a convolution: no prototxt states codes there
TINY = """name: "tiny"
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 dim: 12 dim: 12 } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param { num_output: 8 kernel_size: 3 pad: 1 } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "norm" type: "LRN" bottom: "conv" top: "norm" lrn_param { local_size: 3 } }
layer { name: "left" type: "Convolution" bottom: "norm" top: "left" convolution_param { num_output: 8 kernel_size: 1 } }
layer { name: "sum" type: "Eltwise" bottom: "norm" bottom: "left" top: "sum" }
layer { name: "fc" type: "InnerProduct" bottom: "sum" top: "fc" inner_product_param { num_output: 5 } }
layer { name: "prob" type: "Softmax" bottom: "fc" top: "prob" }
"""
MODULES = {"openvino": "openvino", "onnxruntime": "onnxruntime", "opencv": "cv2"}
INSTALLED = [name for name, module in MODULES.items() if importlib.util.find_spec(module)]


@pytest.fixture
def case():
    """The tiny net with weights, two images."""
    net = caffe.Net(parse_net(TINY).message, caffe.TEST)
    fill_fake(net)
    return load("peers_int8").QuantizedCase(net, 2, {})


def run(*arguments):
    """peers.py as a script."""
    path = os.pathsep.join(filter(None, [str(BENCHMARKS.parent), os.environ.get("PYTHONPATH")]))
    return subprocess.run([sys.executable, str(BENCHMARKS / "peers.py"), *map(str, arguments)], capture_output=True, text=True, check=False,
                          env={**os.environ, "PYTHONPATH": path})


@pytest.mark.skipif(not INSTALLED, reason="neither OpenVINO, onnxruntime nor OpenCV is installed (extra `bench`)")
def test_a_tiny_net(tmp_path):
    """Every engine runs or says why not; JSON and Markdown say what precision they are of; float results do not resume them."""
    folder = tmp_path / "models" / "tiny"
    folder.mkdir(parents=True)
    (folder / "deploy.prototxt").write_text(TINY)
    out = tmp_path / "out"
    done = run("--precision", "int8", "--models", tmp_path / "models", "--only", "tiny", "--out", out, "--quick")
    assert done.returncode == 0, done.stderr
    found = json.loads((out / "peers.json").read_text())
    (tiny,) = found["networks"]
    (measured,) = tiny["settings"]
    assert found["precision"] == tiny["precision"] == "int8"
    assert set(measured["engines"]) | set(measured["failures"]) == {"ours", "ours_fp32", "openvino", "onnxruntime", "opencv"}
    assert {"ours", "ours_fp32", *INSTALLED} - {"opencv"} <= set(measured["engines"])
    assert 0 < measured["engines"]["ours_fp32"]["difference"] < 0.3
    assert {r["kind"] for r in tiny["layers"]} >= {"ConvolutionInt8", "Quantize"} and all(r["bytes"] is None for r in tiny["layers"])
    text = (out / "peers.md").read_text(encoding="utf-8")
    assert "ours FP32 / INT8" in text and "ours INT8: quantized prototxt (tiny)" in text and "products of bytes" in text
    assert not (out / "roofline.png").exists()
    network_file = load("peers_network")
    assert network_file.kept_settings(out / "networks" / "tiny.json", "int8") and not network_file.kept_settings(out / "networks" / "tiny.json")


def test_engines_belong_to_a_precision():
    """FP16 is no engine of an INT8 run, nor FP32 one of a run in floats."""
    for precision, engine in (("int8", "ours_fp16"), ("fp32", "ours_fp32")):
        done = run("--precision", precision, "--engines", f"ours,{engine}")
        assert done.returncode == 2 and "must hold `ours`" in done.stderr


def test_codes_for_every_result(case):
    """Those that the prototxt states, and of the convolution in front of the LRN by the calibration inputs: never negative behind a ReLU."""
    codes = case.result_codes
    assert set(codes) == {"data", "norm", "left", "sum", "conv"}
    assert codes["conv"].zero == 0 and codes["left"].zero == 128
    net = case.net.clone()
    largest = max(float(net.forward(["conv"], data=x)["conv"].max()) for x in case.calibration)
    assert codes["conv"].unit == pytest.approx(largest / 255, rel=1e-6)


@pytest.mark.parametrize("engine", [e for e in INSTALLED if e != "opencv"])
def test_peers_compute_in_int8(case, monkeypatch, engine):
    """The note counts them; a model in floats counts none."""
    engines = load("peers_int8")
    (way,) = engines.INT8.engines[engine]
    ours = engines.OursInt8(case, 1)
    made = way(case, 1)
    for e in (ours, made):
        e.run()
    assert made.note == "our INT8 ONNX export, 3 of 3 convolutions and products in INT8"
    difference, wrong = engines.judge(engine, ours.output(), made.output())
    assert wrong == "" and difference < 0.05
    floats = load("peers_engines").Case(case.net, 2, {}).onnx
    monkeypatch.setattr(type(case), "model", lambda self, subsampled: floats)
    case.__dict__.pop("onnx", None)
    case.memo.pop("onnxruntime 2", None)
    assert "0 of 3" in way(case, 1).note


@pytest.mark.skipif("opencv" not in INSTALLED, reason="OpenCV is not installed (extra `bench`)")
def test_opencv_by_its_own_quantization(case):
    """Its layers are of its INT8 types, for any batch."""
    engines = load("peers_int8")
    net = caffe.Net(parse_net(TINY.replace('bottom: "norm" bottom: "left"', 'bottom: "left" bottom: "left"')).message, caffe.TEST)
    fill_fake(net)
    for batch in (1, 2):
        engine = engines.OpenCvInt8(engines.QuantizedCase(net, batch, {}), 1)
        engine.run()
        assert engine.output().shape == (batch, 5)
        types = [engine._net.getLayer(i).type for i in range(len(engine._net.getLayerNames()))]
        assert types.count("ConvolutionInt8") == 2 and "InnerProductInt8" in types


def test_agreement():
    """A tenth of our root mean square and a first class among our five first; more for what is another function."""
    judge = load("peers_int8").judge
    ours = np.arange(20, dtype=np.float32).reshape(2, 10)
    size = np.sqrt(np.mean(ours ** 2))
    assert judge("openvino", ours, ours + np.float32(0.05 * size)) == (pytest.approx(0.05, rel=1e-4), "")
    found, wrong = judge("openvino", ours, ours + np.float32(0.2 * size))
    assert found == pytest.approx(0.2, rel=1e-4) and "more than 0.1" in wrong
    assert judge("ours_fp32", ours, ours + np.float32(0.2 * size))[1] == ""
    flat = 100 + np.arange(20, dtype=np.float32).reshape(2, 10) / 10
    other = flat.copy()
    other[1, 5] = 103
    assert judge("openvino", flat, other)[1] == ""
    other[1, 4] = 104
    assert "not among the first 5" in judge("openvino", flat, other)[1]
    assert judge("openvino", ours, ours[:1])[0] == np.inf
    assert judge("openvino", ours, np.full_like(ours, np.nan))[0] == np.inf


def test_the_limit_of_bytes_is_that_of_floats_or_more():
    """Four products a lane for one, where an instruction does them at once."""
    limits = load("peers_limits").Limits
    floats, products = (max(limits(1, precision=p).multiply_add_gflops() for _ in range(3)) for p in ("fp32", "int8"))
    assert products > 0.5 * floats
    if load("peak_qs8").DOT.kind == "vnni":
        assert 2 * floats < products < 8 * floats


def test_tables_of_int8():
    """Names and units follow the precision; the peer's ratio is by our INT8."""
    tables = load("peers_tables")
    found = document(network("n", setting(1, 1, ours=2.0, ours_fp32=5.0, openvino=3.0))) | {"precision": "int8"}
    text = tables.markdown(found)
    assert "| n | 1.00 | 2.00 | 5.00 | *3.00* |" in text and "| network | Gop | ours INT8 | ours FP32 | OpenVINO |" in text
    assert "| ours FP32 / INT8 |" in text and "ours FP16" not in text
    (row,) = tables.summary(found)
    assert row["means"]["best"] == pytest.approx(1.5) and row["means"]["ours_fp32"] == pytest.approx(2.5)


def test_the_picture_of_int8(tmp_path):
    """Ratios with our FP32 among them."""
    pytest.importorskip("matplotlib", reason="the pictures need matplotlib (extra `report`)")
    found = document(network("n", setting(1, 1, ours=2.0, ours_fp32=5.0, openvino=3.0))) | {"precision": "int8"}
    load("peers_plots").plot_ratios(found, tmp_path / "p.png")
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
