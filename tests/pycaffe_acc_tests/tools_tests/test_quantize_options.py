"""Options of `quantize` that are for accuracy, on the demo net."""
from __future__ import annotations

import json

import pytest

from pycaffe_acc.quantize.method import METHODS
from pycaffe_acc.text_format import read_net
from pycaffe_acc.tools.demo import FOLDER
from pycaffe_acc.tools.main import main

MODEL, WEIGHTS = str(FOLDER / "deploy.prototxt"), str(FOLDER / "digits.caffemodel")
NET, FEED = ["--model", MODEL, "--weights", WEIGHTS], ["--preprocess", "raw", "--scale", "0.00392156862745098"]
IMAGES = ["--images", str(FOLDER / "test.txt"), "--limit", "30"]
VALIDATE = ["--validate", str(FOLDER / "test.txt"), "--validate-limit", "50", "--ranking-subset", "10"]


def quantized(tmp_path, capsys, *words, status=0):
    """Run it; the report and the layers by name."""
    out = tmp_path / "q.prototxt"
    assert main(["quantize", *NET, *FEED, *words, "--out", str(out), "--out-weights", str(tmp_path / "q.caffemodel"), "--json"]) == status
    return json.loads(capsys.readouterr().out), {layer.name: layer for layer in read_net(out).message.layer}


def top1(tmp_path, capsys, precision="int8"):
    """Of the files that were written."""
    assert main(["eval", "--model", str(tmp_path / "q.prototxt"), "--weights", str(tmp_path / "q.caffemodel"), "--images", str(FOLDER / "test.txt"),
                 *FEED, "--limit", "50", "--precision", precision, "--json"]) == 0
    return json.loads(capsys.readouterr().out)["top1"]


@pytest.mark.parametrize("method", METHODS)
def test_every_method(tmp_path, capsys, method):
    """Runs in INT8 and still knows its digits."""
    report, _ = quantized(tmp_path, capsys, *IMAGES, "--method", method)
    assert report["method"] == method and top1(tmp_path, capsys) >= 96


def test_more_for_accuracy(tmp_path, capsys):
    """Biases, equalized layers, ranges of weights by error."""
    report, layers = quantized(tmp_path, capsys, *IMAGES, "--bias-correction", "--equalize", "--weight-ranges", "mse", "--weight-rounding",
                               "adaptive")
    assert report["bias_correction"] and report["weight_rounding"] == "adaptive" and report["equalized"] and layers["conv1"].blobs_dtype
    assert top1(tmp_path, capsys) >= 96


def test_kept_layers(tmp_path, capsys):
    """Have no types and are listed."""
    report, layers = quantized(tmp_path, capsys, *IMAGES, "--keep-float", "first,types=InnerProduct", "--keep-float", "regex:.*2.*")
    assert {"conv1", "fc10"} < set(report["kept_float"])
    for name, layer in layers.items():
        assert bool(layer.blobs_dtype) == (layer.type == "Convolution" and name not in report["kept_float"])
    assert top1(tmp_path, capsys) >= 96


def test_tables(tmp_path, capsys):
    """A table written and read again gives the same net without an image; a line that is changed changes its layer."""
    table = tmp_path / "t.txt"
    quantized(tmp_path, capsys, *IMAGES, "--table", str(table))
    first, text = (tmp_path / "q.prototxt").read_bytes(), table.read_text()
    report, _ = quantized(tmp_path, capsys, "--from-table", str(table), "--table", str(tmp_path / "t2.txt"))
    assert (tmp_path / "q.prototxt").read_bytes() == first and report["images"] == 0 and report["method"] is None
    assert (tmp_path / "t2.txt").read_text().replace("\ttable\t", "\tmse\t", ).count("\n") == text.count("\n")
    lines = [line for line in text.splitlines() if not line.startswith("conv1\t")]
    table.write_text("\n".join(lines) + "\n")
    _, layers = quantized(tmp_path, capsys, "--from-table", str(table))
    assert not layers["conv1"].blobs_dtype and not layers["conv1"].bottom_mlu_dtype and layers["fc10"].blobs_dtype


def test_a_bound_that_holds(tmp_path, capsys):
    """From the start: nothing is returned."""
    report, _ = quantized(tmp_path, capsys, *IMAGES, "--max-drop", "2", *VALIDATE)
    bound = report["bound"]
    assert bound["met"] and bound["returned"] == [] and [t["returned"] for t in bound["trials"]] == [0]
    assert bound["fp32_top1"] - bound["top1"] <= 2 and top1(tmp_path, capsys) == bound["top1"]


def test_a_bound_that_cannot_be_met(tmp_path, capsys):
    """Better than FP32 by 50 points: a status, the best that was found, and which layers it returned, worst first."""
    report, layers = quantized(tmp_path, capsys, *IMAGES, "--bias-correction", "--max-drop", "-50", *VALIDATE, status=1)
    bound = report["bound"]
    assert not bound["met"] and bound["top1"] == max(t["top1"] for t in bound["trials"])
    assert bound["trials"][-1]["returned"] == 8  # of nine
    effects = [row["sqnr_db"] for row in bound["returned"]]
    assert effects == sorted(effects) and {row["layer"] for row in bound["returned"]} == set(report["kept_float"])
    assert top1(tmp_path, capsys) == bound["top1"]


def test_what_is_told(tmp_path, capsys):
    """For people at a terminal."""
    words = ["quantize", *NET, *FEED, *IMAGES, "--keep-float", "first", "--max-drop", "-50", *VALIDATE, "--out", str(tmp_path / "q.prototxt")]
    assert main(words) == 1
    told = capsys.readouterr()
    assert "CANNOT BE MET" in told.out and "in floating point: conv1" in told.out and "int8 by method mse" in told.out
    assert "top-1 in FP32" in told.err


@pytest.mark.parametrize(("words", "status", "rule"), [
    ([*IMAGES, "--bias-correction"], 2, "say with --out-weights"), ([*IMAGES, "--equalize"], 2, "say with --out-weights"),
    ([*IMAGES, "--weight-rounding", "adaptive"], 2, "--weight-rounding adaptive changes the weights; say with --out-weights"),
    ([*IMAGES, "--percentile", "99"], 2, "belongs to --method percentile"), ([*IMAGES, "--method", "percentile", "--percentile", "1"], 3, "is kept"),
    ([*IMAGES, "--max-drop", "1"], 2, "belong together"), ([*IMAGES, *VALIDATE], 2, "belong together"),
    ([*IMAGES, "--keep-float", "convv1"], 3, "did you mean conv1"), ([*IMAGES, "--keep-float", "regex:.*"], 3, "no layer would be quantized"),
    (["--from-table", "none.txt"], 3, "could not open calibration table 'none.txt'"), ([], 2, "give one of them")])
def test_refusals(tmp_path, capsys, words, status, rule):
    """A sentence, and no file."""
    assert main(["quantize", *NET, *FEED, *words, "--out", str(tmp_path / "q")]) == status
    assert rule in capsys.readouterr().err and not list(tmp_path.iterdir())


def test_refused_with_weights(tmp_path, capsys):
    """Methods and types that are not run."""
    for words in (["--method", "vendor"], ["--dtype", "int16"]):
        assert main(["quantize", *NET, *FEED, *IMAGES, "--bias-correction", *words, "--out", str(tmp_path / "q"), "--out-weights", "w"]) == 2
        assert "needs --dtype int8 and a method other than vendor" in capsys.readouterr().err
