"""The report about a quantized net, and planted faults in it."""
from __future__ import annotations

import json
import math
import sys

import numpy as np
import pytest
from pycaffe_acc_tests.quantize_tests.small_nets import INPUT, convolution, small_net

from pycaffe_acc.errors import CheckError, MissingExtraError
from pycaffe_acc.quantize.method import find_method
from pycaffe_acc.quantize.quantize_net import Quantizer
from pycaffe_acc.quantize.report import QuantizationReport
from pycaffe_acc.quantize.report_plot import plot_report, pyplot
from pycaffe_acc.text_format import format_message, read_net
from pycaffe_acc.tools.demo import FOLDER
from pycaffe_acc.tools.main import main

NET = ["--model", str(FOLDER / "deploy.prototxt"), "--weights", str(FOLDER / "digits.caffemodel")]
FEED = ["--images", str(FOLDER / "test.txt"), "--limit", "24", "--preprocess", "raw", "--scale", "0.00392156862745098"]
RELU = 'layer {{ name: "r{0}" type: "ReLU" bottom: "{0}" top: "{0}" }}\n'
TEXT = (INPUT + convolution("a", "data", "a", outputs=8) + RELU.format("a") + convolution("b", "a", "b", outputs=8) + RELU.format("b")
        + convolution("c", "b", "c", outputs=6))


def nets(tmp_path, rng, *steps):
    """A float net of three convolutions, quantized; its files, the quantizer and batches."""
    files = small_net(tmp_path, TEXT, {"a": [rng.normal(size=(8, 2))], "b": [rng.normal(size=(8, 8))], "c": [rng.normal(size=(6, 8))]})
    q = Quantizer(*files, find_method("absmax"))
    batches = [rng.normal(size=(n, 2, 3, 3)).astype(np.float32) for n in (4, 4, 2)]
    if "equalize" in steps:
        q.equalize()
    q.calibrate("data", batches)
    q.finish()
    if "bias" in steps:
        q.correct_bias("data", batches)
    q.save(tmp_path / "q.prototxt", tmp_path / "q.caffemodel")
    return files, q, batches


def planted(tmp_path, name, what):
    """The scale of one layer's bottom or weights divided by 8."""
    message = read_net(tmp_path / "q.prototxt").message
    layer = next(layer for layer in message.layer if layer.name == name)
    field = (layer.bottom_mlu_dtype if what == "bottom" else layer.blobs_dtype)[0]
    scales = [s / 8 for s in field.scale]
    field.ClearField("scale")
    field.scale.extend(scales)
    (tmp_path / "bad.prototxt").write_text(format_message(message))
    return tmp_path / "bad.prototxt"


def test_numbers(tmp_path, rng):
    """By their definitions, of the first layer, whose input is known."""
    files, _, batches = nets(tmp_path, rng)
    report = QuantizationReport(*files, tmp_path / "q.prototxt").run("data", batches)
    assert report.images == 10 and report.order == ("a", "b", "c") and sorted(r.name for r in report.layers) == ["a", "b", "c"]
    row = next(r for r in report.layers if r.name == "a")
    x = np.concatenate([b.transpose(1, 0, 2, 3).reshape(2, -1) for b in batches], 1)
    w = read_weights_of(files[1], "a")
    steps = np.abs(w).max(1, keepdims=True) / 127
    coded, unit = np.rint(w / steps) * steps, np.abs(x).max() / 127
    y, q = w @ x, coded @ (np.rint(x / unit) * unit)
    for value, exact, noisy in ((row.weights_db, w, coded), (row.alone_db, y, q)):
        assert value == pytest.approx(10 * math.log10(np.square(exact).sum() / np.square(exact - noisy).sum()), abs=0.05)
    assert row.cumulative_db == pytest.approx(row.alone_db, abs=0.01) and row.saturated_percent == 0
    assert row.zeroed_percent == pytest.approx(100 * (np.abs(x) < unit / 2).mean(), abs=0.01)
    last = next(r for r in report.layers if r.name == "c")
    assert last.cumulative_db < last.alone_db and report.scores_db < min(r.scores_db for r in report.layers) + 1


def read_weights_of(path, name):
    """(outputs, inputs) of a 1x1 convolution."""
    from pycaffe_acc.weights_file import read_weights
    blob = next(layer for layer in read_weights(path).layers if layer.name == name).blobs[0]
    return blob.array().reshape(blob.shape[:2]).astype(np.float64)


@pytest.mark.parametrize("what", ["bottom", "weights"])
@pytest.mark.parametrize("name", ["a", "b", "c"])
def test_a_planted_fault_is_first(tmp_path, rng, name, what):
    """Whichever layer it is: a scale divided by 8, of the bottom or of the weights."""
    files, _, batches = nets(tmp_path, rng)
    report = QuantizationReport(*files, planted(tmp_path, name, what)).run("data", batches)
    assert report.layers[0].name == name and report.layers[0].badness_db < report.layers[1].badness_db - 6


def test_clipping(tmp_path, rng):
    """A scale times 8 clips most values."""
    files, _, batches = nets(tmp_path, rng)
    message = read_net(tmp_path / "q.prototxt").message
    message.layer[1].bottom_mlu_dtype[0].scale[0] *= 8
    (tmp_path / "q.prototxt").write_text(format_message(message))
    row = QuantizationReport(*files, tmp_path / "q.prototxt").run("data", batches).layers[0]
    assert row.name == "a" and row.saturated_percent > 30


def test_corrected_biases(tmp_path, rng):
    """Belong to the layer in INT8; the float net has none."""
    files, _, batches = nets(tmp_path, rng, "bias")
    with_bias = QuantizationReport(*files, tmp_path / "q.prototxt", tmp_path / "q.caffemodel").run("data", batches)
    assert all(math.isfinite(r.alone_db) and r.alone_db > 20 for r in with_bias.layers)


def test_nets_that_do_not_belong_together(tmp_path, rng):
    """Other layers; equalized weights."""
    files, _, _ = nets(tmp_path, rng)
    other = tmp_path / "other.prototxt"
    other.write_text((tmp_path / "q.prototxt").read_text().replace('name: "b"', 'name: "z"'))
    with pytest.raises(CheckError, match="other.prototxt was not made from .*: where the latter has 'b' .Convolution., the former has 'z'"):
        QuantizationReport(*files, other)
    files, _, _ = nets(tmp_path, rng, "equalize")
    with pytest.raises(CheckError, match="if they were equalized"):
        QuantizationReport(*files, tmp_path / "q.prototxt", tmp_path / "q.caffemodel")


def quantize_demo(tmp_path, capsys):
    """The demo net in INT8."""
    files = ["--out", str(tmp_path / "q.prototxt"), "--out-weights", str(tmp_path / "q.caffemodel")]
    assert main(["quantize", *NET, *FEED, "--bias-correction", *files]) == 0
    capsys.readouterr()
    return [*NET, "--quantized", str(tmp_path / "q.prototxt"), "--quantized-weights", str(tmp_path / "q.caffemodel"), *FEED]


@pytest.mark.parametrize("words", [["quantize-report"], ["quantize", "report"]])
def test_the_command(tmp_path, capsys, words):
    """As JSON and as a table, in the same order."""
    rest = quantize_demo(tmp_path, capsys)
    assert main([*words, *rest, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["images"] == 24 and len(document["layers"]) == 9
    sums = [row["alone_db"] + row["scores_db"] for row in document["layers"]]
    assert sums == sorted(sums)
    assert main([*words, *rest]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[2:11]] == [row["name"] for row in document["layers"]]


def test_the_picture(tmp_path, capsys):
    """Written whole, in the format of its name."""
    pytest.importorskip("matplotlib")
    rest = quantize_demo(tmp_path, capsys)
    assert main(["quantize-report", *rest, "--plot", str(tmp_path / "r.svg")]) == 0
    picture = (tmp_path / "r.svg").read_text()
    assert "<svg" in picture and picture.rstrip().endswith("</svg>") and not list(tmp_path.glob(".*"))
    assert main(["quantize-report", *rest, "--plot", str(tmp_path / "r.txt")]) == 3
    assert "must end with one of .png, .svg, .pdf" in capsys.readouterr().err


def test_without_matplotlib(monkeypatch, tmp_path, rng):
    """The extra is named."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'pycaffe-acc\[report\]'"):
        pyplot()
    files, _, batches = nets(tmp_path, rng)
    report = QuantizationReport(*files, tmp_path / "q.prototxt").run("data", batches)
    with pytest.raises(MissingExtraError):
        plot_report(report, tmp_path / "x.png", "x")
    assert not (tmp_path / "x.png").exists()


@pytest.mark.parametrize(("words", "status", "rule"), [
    ([*NET, "--quantized", "none.prototxt", *FEED], 3, "could not open quantized prototxt 'none.prototxt'"),
    ([*NET, "--quantized", NET[1], *FEED], 3, "no layer of net"), ([*NET, "--quantized", NET[1]], 2, "give one of them")])
def test_refusals(capsys, words, status, rule):
    """Each with a sentence."""
    assert main(["quantize-report", *words]) == status
    assert rule in capsys.readouterr().err
