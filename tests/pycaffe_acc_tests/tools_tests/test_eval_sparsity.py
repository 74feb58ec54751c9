"""`eval --sparsity` on the embedded demo net."""
from __future__ import annotations

import json

import pytest
from pycaffe_acc_tests.tools_tests.test_command_line import DEMO, DEMO_IMAGES, refused, run

from pycaffe_acc.tools.main import main

WORDS = (*DEMO, *DEMO_IMAGES, "--batch", "36", "--limit", "72")


def test_zeros_are_those_of_prune(capsys, tmp_path):
    """The same net as `prune` writes, and the same answers."""
    out = (str(tmp_path / "p.prototxt"), str(tmp_path / "p.caffemodel"))
    assert main(["prune", *DEMO, "--sparsity", "0.7", "--method", "block4", "--out", out[0], "--out-weights", out[1]]) == 0
    capsys.readouterr()
    status, pruned, _ = run(capsys, "eval", *WORDS, "--sparsity", "0.7", "--prune-method", "block4")
    _, written, _ = run(capsys, "eval", "--model", out[0], "--weights", out[1], *DEMO_IMAGES, "--batch", "36", "--limit", "72")
    row, other = pruned["rows"][0], written["rows"][0]
    assert status == 0 and row["sparsity"] == 0.7 and row["model"] == DEMO[1]
    assert row["weight_sparsity"]["zeros"] == other["weight_sparsity"]["zeros"] > 0.5 * row["weight_sparsity"]["weights"]
    assert (row["top1"], row["top5"]) == (other["top1"], other["top5"])


def test_pruned_then_quantized_and_compared_with_the_dense_net(capsys):
    calibration = ("--calibration", "absmax", f"--calibration-{DEMO_IMAGES[0].removeprefix('--')}", DEMO_IMAGES[1], "--calibration-limit", "16")
    _, report, _ = run(capsys, "eval", *WORDS, "--sparsity", "0.5", "--precision", "int8", *calibration, "--compare", "--within", "99")
    first, *others = report["rows"]
    assert [row["precision"] for row in report["rows"]] == ["int8", "fp16", "fp32"]
    assert first["sparsity"] == 0.5 and first["weight_sparsity"]["zeros"] and all(row["sparsity"] == 0 for row in others)
    assert first["delta_fp32"] == pytest.approx(first["top1"] - others[1]["top1"])


def test_a_sparse_net_is_not_its_own_yardstick(capsys):
    _, report, _ = run(capsys, "eval", *WORDS, "--sparsity", "0.9")
    assert report["rows"][0]["delta_fp32"] is None
    _, report, _ = run(capsys, "eval", *WORDS, "--sparsity", "0.9", "--compare", "--within", "99")
    assert [(row["precision"], row["sparsity"]) for row in report["rows"]] == [("fp32", 0.9), ("fp16", 0.0), ("fp32", 0.0)]
    assert json.dumps(report, allow_nan=False)


@pytest.mark.parametrize(("words", "why"), [
    (["--sparsity", "1"], "--sparsity is 1; it is the share of weights that becomes zero, at least 0 and less than 1"),
    (["--sparsity", "-0.1"], "--sparsity is -0.1"), (["--sparsity", "nan"], "--sparsity is nan"),
    (["--prune-method", "block4"], "--prune-method belongs to --sparsity S")])
def test_what_makes_no_sense_is_refused_before_anything_is_read(capsys, words, why):
    nothing = ["--model", "nothing.prototxt", "--weights", "nothing.caffemodel", "--images", "nothing.txt"]
    status, err = refused(capsys, "eval", *nothing, *words)
    assert status == 2 and why in err
