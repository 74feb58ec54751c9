"""test_forward_offline and test_forward_online."""
from __future__ import annotations

import json

import numpy as np
import pytest

from pycaffe_acc.mode import mode
from pycaffe_acc.tools.demo import FOLDER
from pycaffe_acc.tools.main import main

NET = [str(FOLDER / "deploy.prototxt"), str(FOLDER / "digits.caffemodel")]


@pytest.fixture(scope="module")
def offline(tmp_path_factory):
    """The embedded net as an offline model."""
    name = tmp_path_factory.mktemp("offline") / "digits"
    assert main(["caffe", "genoff", "-model", NET[0], "-weights", NET[1], "-mcore", "MLU100", "-mname", str(name)]) == 0
    return f"{name}.cambricon"


def online(capsys, folder, which, *more):
    """The results of a mode."""
    assert main(["test_forward_online", *NET, which, "MLU100", str(folder / f"{which}.txt"), *map(str, more)]) == 0
    assert mode() == "CPU"
    return np.loadtxt(folder / f"{which}.txt", dtype=np.float32)


def test_offline_is_online(offline, tmp_path, capsys):
    assert main(["test_forward_offline", offline, str(tmp_path / "out.txt"), "subnet0", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["outputs"]
    assert rows == [{"function": "subnet0", "output": "prob", "shape": [1, 10, 1, 1]}]
    found = np.loadtxt(tmp_path / "out.txt", dtype=np.float32)
    np.testing.assert_array_equal(found, online(capsys, tmp_path, "2"))
    assert found.sum() == pytest.approx(1, abs=1e-2) and found.shape == (10,)
    assert main(["test_forward_offline", offline, str(tmp_path / "twice.txt"), "subnet0", "subnet0"]) == 0
    np.testing.assert_array_equal(np.loadtxt(tmp_path / "twice.txt", dtype=np.float32), np.tile(found, 2))


def test_modes(tmp_path, capsys):
    cpu, layers = online(capsys, tmp_path, "0"), online(capsys, tmp_path, "1", tmp_path / "addresses", tmp_path / "sizes")
    assert abs(cpu - layers).max() < 0.05
    sizes = dict(line.split() for line in (tmp_path / "sizes").read_text().splitlines())
    assert sizes["data"] == "256" and sizes["prob"] == "40"
    assert (tmp_path / "addresses").read_text().splitlines()[0].startswith("data 0x")
    assert "hardware time" in capsys.readouterr().err


def test_null_writes_nothing(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["test_forward_online", *NET, "2", "1H16", "NULL"]) == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("words", "status", "message"), [
    (["test_forward_offline", "none.cambricon", "out", "subnet0"], 3, "none.cambricon"),
    (["test_forward_offline", NET[1], "out", "subnet0"], 3, "digits.caffemodel"),
    (["test_forward_online", *NET, "2", "MLU999", "out"], 2, "MLU999"),
    (["test_forward_online", "none.prototxt", NET[1], "2", "MLU100", "out"], 3, "none.prototxt"),
])
def test_refusals(words, status, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(words) == status
    assert message in capsys.readouterr().err and list(tmp_path.iterdir()) == []


def test_a_function_that_is_not_there(offline, tmp_path, capsys):
    assert main(["test_forward_offline", offline, str(tmp_path / "out.txt"), "subnet1"]) == 3
    assert "subnet1" in capsys.readouterr().err and not (tmp_path / "out.txt").exists()
