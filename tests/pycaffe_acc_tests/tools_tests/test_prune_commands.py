"""`prune` and `prune-sensitivity`, on the demo net."""
from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

import pycaffe_acc as caffe
from pycaffe_acc.prune.prune_options import METHODS
from pycaffe_acc.text_format import read_net
from pycaffe_acc.tools.demo import FOLDER
from pycaffe_acc.tools.main import main

MODEL, WEIGHTS = str(FOLDER / "deploy.prototxt"), str(FOLDER / "digits.caffemodel")
NET, FEED = ["--model", MODEL, "--weights", WEIGHTS], ["--preprocess", "raw", "--scale", "0.00392156862745098"]
IMAGES = ["--images", str(FOLDER / "test.txt"), "--limit", "60"]
VALIDATE = ["--validate", str(FOLDER / "test.txt"), "--validate-limit", "60"]


def pruned(tmp_path, capsys, *words, status=0):
    """Run it; the report."""
    out = ["--out", str(tmp_path / "p.prototxt"), "--out-weights", str(tmp_path / "p.caffemodel")]
    assert main(["prune", *NET, *FEED, *words, *out, "--json"]) == status
    return json.loads(capsys.readouterr().out)


def top1(tmp_path, capsys):
    """Of the files that were written."""
    assert main(["eval", "--model", str(tmp_path / "p.prototxt"), "--weights", str(tmp_path / "p.caffemodel"), "--images", str(FOLDER / "test.txt"),
                 *FEED, "--limit", "60", "--json"]) == 0
    return json.loads(capsys.readouterr().out)["top1"]


@pytest.mark.parametrize("method", METHODS)
def test_every_method(tmp_path, capsys, method):
    """Writes a net that still knows its digits."""
    report = pruned(tmp_path, capsys, "--sparsity", "0.15", "--method", method)
    assert report["method"] == method and report["images"] == 0 and report["achieved"] > 0.1
    assert top1(tmp_path, capsys) >= 80
    layers = {layer.name: layer for layer in read_net(tmp_path / "p.prototxt").message.layer}
    assert layers["conv1"].convolution_param.sparse_mode == (method == "vendor")
    assert layers["fc10"].inner_product_param.sparse_mode == (method != "channel")


def test_the_vendors_tools_write_the_same_weights(tmp_path, capsys):
    """set_sparse and convert_caffemodel against the method vendor."""
    model, weights = tmp_path / "n.prototxt", tmp_path / "n.caffemodel"
    shutil.copy(MODEL, model)
    shutil.copy(WEIGHTS, weights)
    assert main(["set_sparse", str(model), "0.4"]) == 0
    assert main(["convert_caffemodel", "proto", "-model", f"{model}.sparse", "-weights", str(weights)]) == 0
    capsys.readouterr()
    pruned(tmp_path, capsys, "--sparsity", "0.4", "--method", "vendor", "--vendor-exact")
    theirs = caffe.Net(f"{model}.sparse", str(tmp_path / "n.cnml.caffemodel"), caffe.TEST)
    ours = caffe.Net(str(tmp_path / "p.prototxt"), str(tmp_path / "p.caffemodel"), caffe.TEST)
    for name, blobs in theirs.params.items():
        for mine, blob in zip(ours.params[name], blobs, strict=True):
            np.testing.assert_array_equal(mine.data, blob.data)


def test_compensation_keeps_answers(tmp_path, capsys):
    """At a sparsity at which magnitudes alone do not."""
    pruned(tmp_path, capsys, "--sparsity", "0.8")
    plain = top1(tmp_path, capsys)
    report = pruned(tmp_path, capsys, "--sparsity", "0.8", "--compensate", *IMAGES)
    assert report["compensated"] and report["images"] == 60 and report["achieved_in_pruned_layers"] == pytest.approx(0.8, abs=0.01)
    assert top1(tmp_path, capsys) >= max(90, plain)


def test_the_table(tmp_path, capsys):
    """Names what was left alone, and what was written."""
    out = ["--out", str(tmp_path / "p.prototxt"), "--out-weights", str(tmp_path / "p.caffemodel")]
    assert main(["prune", *NET, *FEED, "--sparsity", "0.5", "--reestimate", *IMAGES, *out]) == 0
    text = capsys.readouterr().out
    assert "left: first convolution" in text and f"wrote {tmp_path / 'p.prototxt'}" in text


def test_a_bound(tmp_path, capsys):
    """The largest sparsity that was measured within it is what is written."""
    report = pruned(tmp_path, capsys, "--max-drop", "3", *VALIDATE)
    bound = report["bound"]
    assert bound["met"] and bound["dense_top1"] - bound["top1"] <= 3 and len(bound["trials"]) <= 7
    assert report["sparsity"] == max(t["sparsity"] for t in bound["trials"] if bound["dense_top1"] - t["top1"] <= 3)
    assert top1(tmp_path, capsys) == pytest.approx(bound["top1"])


def test_a_bound_that_cannot_be_met(tmp_path, capsys):
    """Exit status 1, and no files."""
    report = pruned(tmp_path, capsys, "--max-drop", "-60", "--sparsity", "0.1", *VALIDATE, status=1)
    assert not report["bound"]["met"] and report["output"] is None and report["layers"] == []
    assert not (tmp_path / "p.prototxt").exists() and not (tmp_path / "p.caffemodel").exists()


def test_sensitivity_and_its_use(tmp_path, capsys):
    """A table, a JSON file and a picture; the file shares zeros out."""
    file, plot = tmp_path / "s.json", tmp_path / "s.svg"
    pytest.importorskip("matplotlib")
    assert main(["prune", "--sensitivity", *NET, *FEED, *IMAGES, "--sparsities", "0.4", "0.8", "--out", str(file), "--plot", str(plot)]) == 0
    text = capsys.readouterr().out
    assert "0.4: dB" in text and "60 images, top-1" in text and plot.read_bytes().startswith(b"<?xml")
    assert [len(layer["scores_db"]) for layer in json.loads(file.read_text())["layers"]][0] == 2
    report = pruned(tmp_path, capsys, "--sparsity", "0.5", "--sensitivities", str(file))
    shares = {row["zeros"] / row["size"] for row in report["layers"] if not row["left"]}
    assert report["achieved_in_pruned_layers"] == pytest.approx(0.5, abs=0.02) and max(shares) > min(shares) + 0.05


@pytest.mark.parametrize(("words", "status", "rule"), [
    (["--sparsity", "1"], 3, "at least 0 and less than 1"), (["--sparsity", "-0.5"], 3, "at least 0 and less than 1"),
    (["--sparsity", "nan"], 3, "at least 0 and less than 1"), ([], 2, "needs --sparsity"),
    (["--sparsity", "0.5", "--keep", "conv7"], 3, "--keep: the net has no layer 'conv7'"),
    (["--sparsity", "0.5", "--compensate"], 2, "give one of --images"), (["--sparsity", "0.5", *IMAGES], 2, "nothing looks at them"),
    (["--sparsity", "0.5", "--compensate", "--images", "none.txt"], 3, "none.txt"),
    (["--sparsity", "0.5", "--max-drop", "1"], 2, "belong together"), (["--sparsity", "0.5", "--method", "vendor", "--compensate", *IMAGES], 3,
                                                                      "knows magnitudes only"),
    (["--sparsity", "0.5", "--sensitivities", "none.json"], 3, "none.json"),
    (["--sparsity", "0.5", "--method", "global", "--sensitivities", "none.json"], 2, "their own way"),
    (["--sparsity", "0.5", "--method", "vendor", "--spread", "global"], 3, "--spread global goes with"),
])
def test_refusals(tmp_path, capsys, words, status, rule):
    """A sentence and the status, no file."""
    out = ["--out", str(tmp_path / "p.prototxt"), "--out-weights", str(tmp_path / "p.caffemodel")]
    assert main(["prune", *NET, *FEED, *words, *out]) == status
    assert rule in capsys.readouterr().err and not (tmp_path / "p.prototxt").exists()


def test_files_that_do_not_fit(tmp_path, capsys):
    """Weights of another shape; no file; an unreadable image."""
    text = (FOLDER / "deploy.prototxt").read_text()
    (tmp_path / "n.prototxt").write_text(text.replace("num_output: 10", "num_output: 11"))
    out = ["--out", str(tmp_path / "p.prototxt"), "--out-weights", str(tmp_path / "p.caffemodel"), "--sparsity", "0.5"]
    assert main(["prune", "--model", str(tmp_path / "n.prototxt"), "--weights", WEIGHTS, *FEED, *out]) == 3
    assert "cannot copy blob 0" in capsys.readouterr().err
    assert main(["prune", "--model", MODEL, "--weights", "none.caffemodel", *out]) == 3
    assert "none.caffemodel" in capsys.readouterr().err
    (tmp_path / "x.png").write_bytes(b"no image")
    (tmp_path / "list").write_text("x.png 0\n")
    assert main(["prune", *NET, *FEED, "--compensate", "--images", str(tmp_path / "list"), *out]) == 3
    assert "x.png" in capsys.readouterr().err


@pytest.mark.parametrize(("words", "status", "rule"), [([], 2, "give one of them"), ([*IMAGES, "--sparsities", "0.5", "0.2"], 2, "must grow"),
                                                       ([*IMAGES, "--sparsities", "1.5"], 3, "less than 1"),
                                                       ([*IMAGES, "--plot", "x.txt"], 3, "must end with")])
def test_refusals_of_a_scan(capsys, words, status, rule):
    """A sentence and the status."""
    assert main(["prune-sensitivity", *NET, *FEED, *words]) == status
    assert rule in capsys.readouterr().err
