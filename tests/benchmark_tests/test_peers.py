"""benchmarks/peers.py end to end on a tiny net, with the peers that are installed."""
from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from benchmark_tests.peers_document import BENCHMARKS, load

import pycaffe_acc as caffe
from pycaffe_acc.fake_caffemodel import fill_fake

pytest.importorskip("onnx", reason="peers get the net as ONNX (extra `onnx`)")

TINY = """name: "tiny"
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 dim: 12 dim: 12 } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" convolution_param { num_output: 8 kernel_size: 3 pad: 1 } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool" pooling_param { pool: MAX kernel_size: 2 stride: 2 } }
layer { name: "fc" type: "InnerProduct" bottom: "pool" top: "fc" inner_product_param { num_output: 5 } }
layer { name: "prob" type: "Softmax" bottom: "fc" top: "prob" }
"""
MODULES = {"openvino": "openvino", "onnxruntime": "onnxruntime", "opencv": "cv2"}
INSTALLED = [name for name, module in MODULES.items() if importlib.util.find_spec(module)]


def run(*arguments):
    """peers.py as a script."""
    path = os.pathsep.join(filter(None, [str(BENCHMARKS.parent), os.environ.get("PYTHONPATH")]))
    return subprocess.run([sys.executable, str(BENCHMARKS / "peers.py"), *map(str, arguments)], capture_output=True, text=True, check=False,
                          env={**os.environ, "PYTHONPATH": path})


@pytest.fixture
def models(tmp_path):
    """A folder of models with a tiny one."""
    (tmp_path / "models" / "tiny").mkdir(parents=True)
    (tmp_path / "models" / "tiny" / "deploy.prototxt").write_text(TINY)
    return tmp_path / "models"


@pytest.mark.skipif(not INSTALLED, reason="neither OpenVINO, onnxruntime nor OpenCV is installed (extra `bench`)")
def test_a_tiny_net_and_resuming(models, tmp_path):
    """All installed peers agree with ours and are timed; a second run measures only what is missing."""
    common = ("--models", models, "--only", "tiny", "--out", tmp_path / "out", "--engines", ",".join(["ours", *INSTALLED, "ours_fp16"]), "--rounds",
              3, "--seconds", 1, "--threads", 1)
    done = run(*common, "--batches", 1)
    assert done.returncode == 0, done.stderr
    first = json.loads((tmp_path / "out" / "peers.json").read_text())
    (network,) = first["networks"]
    (setting,) = network["settings"]
    assert setting["failures"] == {} and set(setting["engines"]) == {"ours", *INSTALLED, "ours_fp16"}
    assert all(e["median_ms"] >= e["min_ms"] > 0 and len(e["rounds_ms"]) >= 1 for e in setting["engines"].values())
    assert all(setting["engines"][p]["difference"] < 1e-4 for p in INSTALLED)
    macs = 8 * 27 * 144 + 5 * 8 * 36
    assert network["gflop"] == pytest.approx(2e-9 * macs, rel=1e-4)
    assert [r["bytes"] for r in network["layers"] if r["kind"] == "InnerProduct"] == [4 * (8 * 36 + 5 + 5 * 8 * 36 + 5)]
    assert 0.2 < network["largest_output"] <= 1 and network["limit_gflops"] > 0 and network["memory_gbytes"] > 0
    assert "| tiny |" in (tmp_path / "out" / "peers.md").read_text(encoding="utf-8")

    done = run(*common, "--batches", "1,2", "--resume")
    assert done.returncode == 0, done.stderr
    again = json.loads((tmp_path / "out" / "peers.json").read_text())
    assert again["started"] == first["started"]
    assert again["networks"][0]["settings"][0] == setting
    assert [s["batch"] for s in again["networks"][0]["settings"]] == [1, 2]
    assert "nothing left to measure" in run(*common, "--batches", "1,2", "--resume").stdout


@pytest.mark.parametrize(("arguments", "word"), [
    (("--only", "lenet"), "'lenet' is none of"), (("--engines", "openvino"), "must hold `ours`"), (("--engines", "ours,tvm"), "must hold `ours`"),
    (("--threads", "0"), "at least 1")])
def test_wrong_arguments(arguments, word):
    """A sentence, before anything is measured."""
    done = run(*arguments)
    assert done.returncode == 2 and word in done.stderr


def test_a_net_that_cannot_be_read_is_reported(tmp_path):
    """The run goes on without it, says so, and exits with an error."""
    done = run("--models", tmp_path, "--only", "absent", "--out", tmp_path / "out", "--quick")
    assert done.returncode == 1 and "not (wholly) measured: absent" in done.stdout
    assert not (tmp_path / "out" / "peers.json").exists()


@pytest.fixture
def case(models):
    """The tiny net with weights, two images."""
    net = caffe.Net(str(models / "tiny" / "deploy.prototxt"), caffe.TEST)
    fill_fake(net)
    return load("peers_engines").Case(net, 2, {})


def test_a_peer_that_errs_is_left_out_with_the_reason(case, monkeypatch):
    """Wrong numbers, exceptions: the next way to have the engine is tried, and every reason is kept."""
    engines = load("peers_engines")

    class Wrong(engines.Ours):
        note = "one way"

        def output(self):
            return super().output() * np.float32(1.01)

    class Broken(engines.Ours):
        note = "another way"

        def run(self):
            raise ValueError("no such\nlayer")

    ours, _, _ = engines.open_engine("ours", case, 1, None)
    expected = ours.output()
    monkeypatch.setitem(engines.ENGINES, "opencv", (Wrong, Broken))
    engine, found, why = engines.open_engine("opencv", case, 1, expected)
    assert engine is None and np.isnan(found)
    assert "one way: its output differs by 0.01 of the greatest value" in why and "another way: ValueError: no such layer" in why
    monkeypatch.setitem(engines.ENGINES, "opencv", (Broken, engines.Ours))
    engine, found, why = engines.open_engine("opencv", case, 1, expected)
    assert isinstance(engine, engines.Ours) and found == 0 and why.startswith("another way: ValueError")


@pytest.mark.skipif("opencv" not in INSTALLED, reason="OpenCV is not installed (extra `bench`)")
def test_both_importers_of_opencv(case):
    """Its ONNX importer, which stands in where its Caffe importer fails, gives the same."""
    engines = load("peers_engines")
    ours = engines.Ours(case, 1)
    ours.run()
    for way in (engines.OpenCv, engines.OpenCvOnnx):
        engine = way(case, 1)
        engine.run()
        assert engines.difference(ours.output(), engine.output()) < 1e-5


def test_difference():
    """Relative to our greatest value; sizes and values that are not finite never pass."""
    engines = load("peers_engines")
    a = np.array([[1.0, -4.0]], np.float32)
    assert engines.difference(a, np.array([1.0, -3.0], np.float32)) == 0.25
    assert engines.difference(a, np.array([1.0], np.float32)) == np.inf
    assert engines.difference(a, np.array([1.0, np.nan], np.float32)) == np.inf


def test_denormals_are_refused(models):
    """Values below the smallest normal float would make times say nothing."""
    network = load("peers_network")
    net = network.load_net("tiny", Path(models))
    assert network.tame(net)["denormal_share"] == 0
    net.params["conv"][0].data[...] *= np.float32(1e-38)
    net.params["conv"][1].data[...] = 0
    with pytest.raises(SystemExit, match="denormal"):
        network.tame(net)


def test_settings_of_another_machine_are_not_kept(tmp_path):
    """Times of two processors do not stand in one table."""
    network = load("peers_network")
    now = network.described_environment()
    path = tmp_path / "n.json"
    path.write_text(json.dumps({"network": "n", "environment": now, "settings": [{"threads": 1}]}))
    assert network.kept_settings(path) == [{"threads": 1}]
    path.write_text(json.dumps({"network": "n", "environment": now | {"cpu": "another"}, "settings": [{"threads": 1}]}))
    assert network.kept_settings(path) == []
    assert network.kept_settings(tmp_path / "absent.json") == []


def test_traffic_counts_each_value_once(models):
    """A fused group reads its inputs and weights and writes its last top."""
    net = caffe.Net(str(models / "tiny" / "deploy.prototxt"), caffe.TEST)
    traffic = load("peers_traffic").traffic
    assert traffic(net, "conv+relu") == 4 * (3 * 144 + 8 * 27 + 8 + 8 * 144)
    assert traffic(net, "to NHWC") is None
