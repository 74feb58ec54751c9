"""The caffe binary's commands and lines."""
from __future__ import annotations

import re
import subprocess

import numpy as np
import pytest

from pycaffe_acc.card import settings
from pycaffe_acc.mode import mode as current_mode
from pycaffe_acc.tools import shims
from pycaffe_acc.tools.demo import FOLDER
from pycaffe_acc.tools.glog import glog
from pycaffe_acc.tools.main import COMMANDS, VERBS, main

TEST_NET = """name: "scored"
layer { name: "data" type: "DummyData" top: "data" top: "label"
  dummy_data_param { shape { dim: 4 dim: 3 } shape { dim: 4 } data_filler { type: "constant" value: 2 } data_filler { type: "constant" value: 1 } } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param { num_output: 2 } }
layer { name: "accuracy" type: "Accuracy" bottom: "ip" bottom: "label" top: "accuracy" include { phase: TEST } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }
"""


@pytest.fixture
def scored(tmp_path):
    """A net with its own data, and weights under which class 1 always wins by 6."""
    import pycaffe_acc as caffe
    path = tmp_path / "net.prototxt"
    path.write_text(TEST_NET)
    net = caffe.Net(str(path), caffe.TEST)
    net.params["ip"][0].data[...] = np.array([[0, 0, 0], [1, 1, 1]])
    net.params["ip"][1].data[...] = 0
    net.save(str(tmp_path / "net.caffemodel"))
    return str(path), str(tmp_path / "net.caffemodel")


def test_test_prints_batches_and_means(scored, capsys):
    assert main(["caffe", "test", "-model", scored[0], "-weights", scored[1], "-iterations", "2"]) == 0
    captured = capsys.readouterr()
    loss = np.log1p(np.exp(-6.0))
    lines = captured.err.splitlines()
    assert captured.out == ""
    assert lines[:2] == ["Use CPU.", "Running for 2 iterations."]
    assert lines[2:6] == [f"Batch {i}, {name} = {value:g}" for i in range(2) for name, value in (("accuracy", 1.0), ("loss", np.float32(loss)))]
    printed = re.match(r"Loss: (\S+)$", lines[6])
    assert printed and float(printed[1]) == pytest.approx(loss, rel=1e-4)
    assert lines[7] == "accuracy = 1"
    assert re.match(r"loss = \S+ \(\* 1 = \S+ loss\)$", lines[8]) and len(lines) == 9


def test_time_prints_layers(capsys):
    assert main(["caffe", "time", "--model=" + str(FOLDER / "deploy.prototxt"), "-iterations=2"]) == 0
    err = capsys.readouterr().err
    assert "*** Benchmark begins ***" in err and "Testing for 2 iterations." in err and "*** Benchmark ends ***" in err
    assert re.search(r"^ *conv1\tforward: [\d.e-]+ ms\.$", err, re.MULTILINE)
    assert re.search(r"^Average Forward pass: [\d.e-]+ ms\.$", err, re.MULTILINE)
    assert "backward" not in err.lower()


@pytest.mark.parametrize(("mode", "expected"), [
    ("MLU", [r"layer data cpu time: [\d.e+-]+ us", r"layer ip hardware time: [\d.e+-]+ us"]),
    ("mfus", [r"subnet\[1\] layers : 1\(ip\)", r"forwarding subnet\[1\]\.\.\."]),
])
def test_test_on_the_card(scored, capsys, mode, expected):
    words = ["-model", scored[0], "-weights", scored[1], "-iterations", "1", "-mmode", mode, "-mcore", "MLU100", "-data_parallel", "4"]
    assert main(["caffe", "test", *words]) == 0
    err = capsys.readouterr().err
    assert err.startswith("Using MLU device 0\n") and f"Use {mode.upper()}." in err and "\naccuracy = 1\n" in err
    for line in expected:
        assert re.search(f"^{line}$", err, re.MULTILINE), line
    assert current_mode() == "CPU" and settings().data_parallel == 1


def test_too_much_parallelism_is_none(scored, capsys):
    words = ["-model", scored[0], "-weights", scored[1], "-iterations", "1", "-data_parallel", "8", "-model_parallel", "8"]
    assert main(["caffe", "test", *words, "-mmode", "MFUS"]) == 0
    assert "data_parallel 8 times model_parallel 8 is more than the 32 cores of a card; both are set to 1" in capsys.readouterr().err


def test_time_on_the_card(capsys):
    assert main(["caffe", "time", "--model=" + str(FOLDER / "deploy.prototxt"), "-iterations=1", "-mmode=MFUS", "-phase=TEST"]) == 0
    err = capsys.readouterr().err
    assert "times of layers and forwards are simulated" in err and "split done: 2 subnets in total." in err
    assert re.search(r"^ *conv1\tforward: [\d.e-]+ ms\.$", err, re.MULTILINE)


def test_device_query(capsys):
    assert main(["caffe", "device_query"]) == 0
    err = capsys.readouterr().err
    assert re.search(r"Number of cores: +\d+", err) and re.search("Times: +measured", err)


def test_device_query_of_a_card(capsys):
    assert main(["caffe", "device_query", "-mcore", "MLU100"]) == 0
    err = capsys.readouterr().err
    for pattern in ("Querying device MLU100:0", "Number of cores: +32", "Peak float16: +16.384 TOPS", "Peak int8: +32.768 TOPS", "Times: +simulated"):
        assert re.search(pattern, err), pattern
    for words, text in ((["-mcore", "MLU220"], "-mcore is 'MLU220'"), (["-mcore", "MLU100", "-mludevice", "7"], "failed to find device 7")):
        assert main(["caffe", "device_query", *words]) == 2
        assert text in capsys.readouterr().err


@pytest.mark.parametrize(("words", "status", "message"), [
    (["train", "-solver", "s"], 4, "training is not part of this package"),
    (["test", "-model", "m", "-weights", "w", "-mmode", "GPU"], 2, "the mode is 'GPU'"),
    (["test", "-model", "m", "-weights", "w", "-mmode", "MFUS", "-mcore", "MLU220"], 2, "the core version is 'MLU220'"),
    (["test", "-model", "m", "-weights", "w", "-mmode", "MLU", "-mreshape", "NEVER"], 2, "SETUPONLY or ALWAYS"),
    (["time", "-model", "m", "-mmode", "MLU", "-mludevice", "1"], 2, "from 0 to 0"),
    (["time", "-model", "m", "-data_parallel", "0"], 2, "from 1 to 32"),
    (["time", "-model", "none.prototxt", "-mmode", "MFUS"], 3, "none.prototxt"),
    (["dance"], 2, "unknown action 'dance'"),
    (["test", "time"], 2, "one command"),
    (["test"], 2, "need a model definition to score"),
    (["test", "-model", "m"], 2, "need model weights to score"),
    (["time", "-model", "m", "-phase", "LUNCH"], 2, "phase must be"),
    (["time", "-model", "none.prototxt"], 3, "none.prototxt"),
    (["time", "-model", "m", "-iterations", "0"], 3, "at least one iteration"),
    (["time", "-modle", "m"], 2, "unknown command line flag"),
])
def test_refusals(words, status, message, capsys):
    assert main(["caffe", *words]) == status
    err = capsys.readouterr().err
    assert message in err and "Traceback" not in err


def test_usage(capsys):
    assert main(["caffe"]) == 2
    assert "commands:" in capsys.readouterr().out
    assert main(["caffe", "--help"]) == 0


def test_glog_prefix_and_level(capsys, monkeypatch):
    monkeypatch.setenv("log_prefix", "true")
    glog("hello")
    assert re.match(r"I\d{4} \d\d:\d\d:\d\d\.\d{6} +\d+ caffe.py\] hello\n$", capsys.readouterr().err)
    glog("two\nlines", "W")
    assert [line[0] + line[-5:] for line in capsys.readouterr().err.splitlines()] == ["W] two", "Wlines"]
    monkeypatch.setenv("GLOG_minloglevel", "2")
    glog("hello")
    glog("broken", "E")
    assert capsys.readouterr().err.startswith("E")


def test_every_shim_is_a_verb():
    assert {words[0] for words in shims.COMMANDS.values()} <= {verb.NAME for verb in (*VERBS, *COMMANDS)}


def test_shims_run(tmp_path, capsys):
    assert main(["shims", str(tmp_path / "bin")]) == 0
    assert "PATH=" in capsys.readouterr().out
    assert sorted(p.name for p in (tmp_path / "bin").iterdir()) == sorted(shims.COMMANDS)
    result = subprocess.run([tmp_path / "bin" / "caffe", "train"], capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode in (1, 4), result.stderr  # 1: the package is not installed, only on this process's path
    assert "Traceback" not in result.stderr or "No module named" in result.stderr
