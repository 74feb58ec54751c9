"""`report` over the embedded net: rows, resuming, rows that fail, a disk that fills."""
from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from pycaffe_acc.suite import document as documents
from pycaffe_acc.suite import runner
from pycaffe_acc.suite.plan import FOLDER
from pycaffe_acc.tools.demo import FOLDER as EMBEDDED
from pycaffe_acc.tools.main import main

SMALL = json.loads((FOLDER / "digits.json").read_text(encoding="utf-8"))
SMALL["models"][0] |= {"sparsities": [0.6], "sparse_variants": ["fp16"], "runtimes": [], "prunings": ["vendor"],
                       "variants": ["fp16", "int8-vendor"], "limit": 40}
SMALL["models"][1] |= {"limit": 4, "batch": 4}


@pytest.fixture(autouse=True)
def _short_turns(monkeypatch):
    """One round is enough to see that there are turns."""
    turns, whole = runner.in_turns, runner.end_to_end_in_turns
    monkeypatch.setattr(runner, "in_turns", lambda nets, seed: turns(nets, seed, rounds=1))
    monkeypatch.setattr(runner, "end_to_end_in_turns", lambda nets, images, preprocess: whole(nets, images, preprocess, rounds=1))


def suite_file(tmp_path, models=None):
    """A suite's file, with changed models."""
    path = tmp_path / "suite.json"
    path.write_text(json.dumps(SMALL | {"models": models or SMALL["models"]}), encoding="utf-8")
    return str(path)


def run(capsys, *words):
    """Status, document, stderr."""
    status = main(["report", *words, "--json"])
    captured = capsys.readouterr()
    return status, json.loads(captured.out) if captured.out else None, captured.err


def test_the_whole_way(tmp_path, capsys):
    out = tmp_path / "out"
    words = ["--suite", suite_file(tmp_path), "--out", str(out)]
    status, document, err = run(capsys, *words)
    rows = {r["id"]: r for r in document["rows"]}
    assert status == 0 and document == documents.read_document(out / "report.json") and document["failures"] == []
    assert set(rows) == {"digits.fp16@host", "digits.fp16@MLU100", "digits.int8-vendor@host", "digits.int8-vendor@MLU100", "digits.fp16.s0.6@host",
                         "digits.fp16.s0.6@MLU100", "transformer_encoder.fp32@host", "transformer_encoder.fp16@host",
                         "transformer_encoder.fp16@MLU100"}
    half, card = rows["digits.fp16@host"], rows["digits.fp16@MLU100"]
    assert half["accuracy"]["top1"] > 95 and half["accuracy"]["images"] == 40 and half["accuracy"]["valid"] and half["time"] == "measured"
    assert card["accuracy"]["top1"] == half["accuracy"]["top1"] and card["time"] == "simulated"
    assert half["throughput"]["in_turn_fps"] > 0 and half["throughput"]["in_turn_end_to_end_fps"] > 0
    assert rows["digits.fp16.s0.6@host"]["zeros"] == pytest.approx(0.6, abs=0.03)
    encoder = rows["transformer_encoder.fp16@host"]
    assert encoder["accuracy"] is None and encoder["claim"] == "no accuracy claim" and encoder["accuracy_reason"] == "seeded weights"
    assert {t["row"] for t in document["layers"]} >= {"digits.fp16@host", "digits.fp16@MLU100"}
    told = [line for line in err.splitlines() if line.startswith("[")]  # others say what pages and pictures need
    assert len(told) == 5
    before = {r["id"]: r["throughput"] for r in document["rows"]}
    os.utime(out / "results" / "digits.fp16.json", (1e9, 1e9))
    status, again, err = run(capsys, *words, "--resume")
    assert again["started"] == "2001-09-09 01:46:40 UTC" < document["started"] <= again["finished"]
    assert status == 0 and {r["id"]: r["throughput"] for r in again["rows"]} == before and err.count("kept") == 5
    # other circumstances are measured anew, and simulated times are the same every time
    status, fewer, err = run(capsys, *words, "--resume", "--limit", "20", "--models", "digits")
    cards = {r["id"]: r["throughput"]["hardware_fps"] for r in fewer["rows"] if r["time"] == "simulated"}
    assert status == 0 and err.count("kept") == 0 and cards == {k: before[k]["hardware_fps"] for k in cards} and len(cards) == 3


def test_what_fails_is_told_and_the_rest_goes_on(tmp_path, capsys):
    digits = SMALL["models"][0] | {"sparsities": []}
    models = [digits | {"name": "lost", "model": "none.prototxt"}, digits, digits | {"name": "pictureless", "images": "nowhere"}]
    path = Path(suite_file(tmp_path, models))
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | {"images": SMALL["images"] | {"nowhere": {"list": "nowhere.txt"}}}),
                    encoding="utf-8")
    status, document, err = run(capsys, "--suite", str(path), "--out", str(tmp_path / "out"))
    told = {f["id"]: f["sentence"] for f in document["failures"]}
    assert status == 0 and {r["model"] for r in document["rows"]} == {"digits"} and len(document["rows"]) == 4
    assert set(told) == {"lost.fp16", "lost.int8-vendor", "pictureless.fp16", "pictureless.int8-vendor"}
    assert "none.prototxt" in told["lost.fp16"] and "nowhere.txt" in told["pictureless.fp16"] and "none.prototxt" in err


def test_a_suite_of_which_nothing_could_be_measured(tmp_path, capsys):
    path = suite_file(tmp_path, [SMALL["models"][0] | {"model": "none.prototxt"}])
    status, document, _ = run(capsys, "--suite", path, "--out", str(tmp_path / "out"))
    assert status == 3 and document["rows"] == [] and document["failures"]


def test_a_card_that_refuses_costs_its_rows_only(tmp_path, capsys, monkeypatch):
    def refusing(net, zeros, device, images):
        raise runner.CheckError(f"{device.name} refuses")
    monkeypatch.setattr(runner, "simulated", refusing)
    path = suite_file(tmp_path, [SMALL["models"][0] | {"sparsities": []}])
    status, document, _ = run(capsys, "--suite", path, "--out", str(tmp_path / "out"))
    assert status == 0 and {r["device"] for r in document["rows"]} == {"host"}
    assert {f["id"] for f in document["failures"]} == {"digits.fp16@MLU100", "digits.int8-vendor@MLU100"}


def test_a_disk_that_fills_keeps_what_was_measured(tmp_path, capsys, monkeypatch):
    out = tmp_path / "out"
    words = ["--suite", suite_file(tmp_path, SMALL["models"][1:]), "--out", str(out)]
    write = Path.write_text

    def full(self, *args, **kwargs):
        if "report.json" in self.name:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(self, *args, **kwargs)
    monkeypatch.setattr(Path, "write_text", full)
    assert main(["report", *words]) == 3
    assert "No space left on device" in capsys.readouterr().err and not list(out.glob("*report.json*"))
    monkeypatch.undo()
    status, document, err = run(capsys, *words, "--resume")
    assert status == 0 and err.count("kept") == 2 and len(document["rows"]) == 3


def test_interrupted(tmp_path, capsys, monkeypatch):
    def stopped(*args):
        raise KeyboardInterrupt
    monkeypatch.setattr(runner, "measured", stopped)
    assert main(["report", "--suite", suite_file(tmp_path), "--out", str(tmp_path / "out")]) == 130
    assert "go on with --resume" in capsys.readouterr().err


@pytest.mark.parametrize(("words", "status", "told"), [
    ([], 2, "give --suite NAME and --out DIR"), (["--suite", "digits"], 2, "--out DIR"), (["--suite", "pitfall", "--out", "x"], 2, "--data DIR"),
    (["--suite", "nothing", "--out", "x"], 3, "no suite 'nothing'"), (["--suite", "digits", "--out", "x", "--models", "y"], 3, "no model 'y'"),
    (["--suite", "digits", "--out", "x", "--data", str(EMBEDDED / "none")], 3, "no folder"), (["render", "none.json", "--out", "x.html"], 3,
                                                                                              "none.json")])
def test_refused(words, status, told, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYCAFFE_ACC_DATA", raising=False)
    assert main(["report", *words]) == status
    captured = capsys.readouterr()
    assert told in captured.err and captured.err.count("\n") == 1 and not list(tmp_path.iterdir())
