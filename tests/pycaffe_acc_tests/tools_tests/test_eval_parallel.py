"""`eval` and `run` with cores, pipelines and devices: what they report, refuse and leave behind."""
from __future__ import annotations

import json
import shutil
import time

import pytest

from cnrt import get, trace
from cnrt.device import chosen_device
from pycaffe_acc.mode import mode
from pycaffe_acc.tools.demo import FOLDER
from pycaffe_acc.tools.main import main

DEMO = ["--model", str(FOLDER / "deploy.prototxt"), "--weights", str(FOLDER / "digits.caffemodel")]
PIXELS = ["--preprocess", "raw", "--scale", str(1 / 255)]
IMAGES = ["--images", str(FOLDER / "test.txt"), *PIXELS, "--limit", "60"]


def report(capsys, *words, status=0):
    """The document of a verb, and what was said."""
    assert main([*words, "--json"]) == status
    captured = capsys.readouterr()
    return json.loads(captured.out), captured.err


@pytest.fixture(scope="module")
def offline(tmp_path_factory):
    """The embedded net as an offline model of batch 2 and model parallelism 2."""
    folder = tmp_path_factory.mktemp("offline")
    assert main(["compile", *DEMO, "--batch", "2", "--model-parallel", "2", "--precision", "fp16", "--out", str(folder / "m")]) == 0
    return str(folder / "m.cambricon")


@pytest.mark.parametrize(("words", "shape", "cores"), [
    ([], (1, 1, 1), None), (["--threads", "1"], (1, 1, 1), 1), (["--threads", "2", "--dp", "2"], (2, 2, 1), None),
    (["--mp", "2", "--fifosize", "1"], (1, 1, 2), None)])
def test_shapes_on_the_host(capsys, words, shape, cores):
    got, _ = report(capsys, "eval", *DEMO, *IMAGES, "--batch", "4", *words)
    assert (got["threads"], got["dp"], got["mp"]) == shape and got["images"] == 60 and got["top1"] > 95 and got["failed"] == []
    assert got["core_use"] and all(0 < use["share"] <= 1.01 and use["channel"] == 0 and use["functions"] > 0 for use in got["core_use"])
    assert cores is None or len(got["core_use"]) == cores


def test_shapes_on_a_card(capsys):
    before = chosen_device(), mode()
    got, _ = report(capsys, "eval", *DEMO, *IMAGES, "--batch", "4", "--device", "MLU100", "--threads", "2", "--dp", "2", "--mp", "4")
    assert (got["threads"], got["dp"], got["mp"], got["precision"], got["device"]) == (2, 2, 4, "mlu", "MLU100") and got["top1"] > 95
    assert [(use["core"], use["channel"]) for use in got["core_use"]] == [(c, c // 8) for c in range(16)]
    assert (chosen_device(), mode()) == before
    got, _ = report(capsys, "eval", *DEMO, *IMAGES, "--batch", "4", "--device", "MLU100", "--threads", "2", "--channel", "3")
    assert [use["channel"] for use in got["core_use"]] == [3] * len(got["core_use"])


@pytest.mark.parametrize("device", ["host", "MLU100"])
def test_an_offline_model(capsys, offline, device):
    alone, _ = report(capsys, "run", offline, *IMAGES)
    got, _ = report(capsys, "run", offline, *IMAGES, "--device", device, "--threads", "2", "--dp", "4")
    assert (got["threads"], got["dp"], got["mp"], got["batch"], got["device"]) == (2, 4, 2, 8, device)
    assert (got["top1"], got["top5"], got["images"]) == (alone["top1"], alone["top5"], 60) and alone["batch"] == 2


@pytest.mark.parametrize(("words", "status", "text"), [
    (["--dp", "8", "--mp", "8"], 2, "64"), (["--threads", "257"], 2, "256 at most"),
    (["--dp", "8", "--mp", "8", "--device", "MLU100"], 2, "must be at most 32 (ERR_INVALID, code 632007)"),
    (["--dp", "3", "--device", "MLU100"], 2, "must be one of 1, 2, 4, 8, 16, 32 (ERR_INVALID, code 632007)"),
    (["--threads", "5", "--dp", "8", "--device", "MLU100"], 2, "at most 4 threads"),
    (["--channel", "4", "--device", "MLU100"], 2, "channels 0 to 3 (ERR_OUT_RANGE, code 632026)"),
    (["--channel", "1"], 2, "channels 0 to 0 (ERR_OUT_RANGE, code 632026)"),
    (["--device", "MLU100:9"], 2, "device 9 of kind MLU100"),
    (["--device", "TPU"], 2, "failed to find device kind 'TPU'"),
    (["--device", "null"], 2, "does not compute"),
    (["--device", "MLU100", "--precision", "fp32"], 2, "computes in FP16 and INT8"),
    (["--device", "MLU100", "--compare"], 2, "no FP32"),
    (["--trace", "no/such/folder/t.json"], 2, "folder that exists"),
    (["--batch", "5", "--dp", "2"], 3, "data parallelism 2 does not divide"),
    (["--batch", "5", "--dp", "2", "--device", "MLU100"], 3, "data parallelism 2 does not divide"),
    (["--images", "none.txt"], 3, "none.txt")])
def test_refusals(capsys, words, status, text):
    assert main(["eval", *DEMO, *IMAGES, *words]) == status
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.startswith("pycaffe-acc: ") and captured.err.count("\n") == 1 and text in captured.err


@pytest.mark.parametrize(("words", "status", "text"), [
    (["--dp", "32"], 2, "64"), (["--dp", "32", "--device", "MLU100"], 2, "code 632007"),
    (["--threads", "9", "--dp", "2", "--device", "MLU100"], 2, "at most 8 threads")])
def test_refusals_of_offline_models(capsys, offline, words, status, text):
    assert main(["run", offline, *IMAGES, *words]) == status
    assert text in capsys.readouterr().err


def test_a_model_too_big_for_its_channel(capsys, offline, monkeypatch):
    monkeypatch.setattr(get("MLU100").account, "limits", (20_000,) * 4)
    for words in (["eval", *DEMO, *IMAGES, "--device", "MLU100"], ["run", offline, *IMAGES, "--device", "MLU100"]):
        assert main(words) == 3
        err = capsys.readouterr().err
        assert "20000 bytes are in use" in err and "(ERR_NOMEM, code 632008)" in err and err.count("\n") == 1


def test_images_that_cannot_be_read_are_listed_behind_the_results(capsys, tmp_path):
    lines = (FOLDER / "test.txt").read_text().splitlines()[:20]
    for line in lines:
        target = tmp_path / line.split()[0]
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(FOLDER / line.split()[0], target)
    torn = tmp_path / lines[3].split()[0]
    torn.write_bytes(torn.read_bytes()[:40])
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "list").write_text("\n".join([*lines, "missing.png 1", "folder.png 2"]))
    got, err = report(capsys, "eval", *DEMO, "--images", str(tmp_path / "list"), *PIXELS, "--batch", "4", "--threads", "2", status=3)
    assert got["images"] == 19 and got["top1"] > 90 and [f["number"] for f in got["failed"]] == [3, 20, 21]
    assert [line.count("left out: ") for line in err.splitlines()] == [1, 1, 1] and "missing.png" in err and str(torn) in err
    assert main(["eval", *DEMO, "--images", str(tmp_path / "list"), *PIXELS]) == 3
    assert "\n3 images could not be used: all figures are of the others\n" in capsys.readouterr().out


def test_labels_that_are_no_class(capsys, tmp_path):
    first = (FOLDER / "test.txt").read_text().splitlines()[0].split()[0]
    (tmp_path / "list").write_text(f"{first} 3\n{first} 10\n")
    assert main(["eval", *DEMO, "--images", str(tmp_path / "list"), "--root", str(FOLDER), *PIXELS]) == 3
    err = capsys.readouterr().err
    assert "1 of 2 labels are no class of the net, which has the classes 0 to 9; the first is 10, of " in err


def test_an_interrupt_keeps_the_results(capsys, monkeypatch):
    """As if Ctrl-C came when the main thread waits for the pipelines, and ten images are there."""
    from pycaffe_acc.evaluation.pipeline import Pipeline
    from pycaffe_acc.evaluation.provider import Provider
    wait, take, calls, taken = Pipeline.join, Provider.take, [], []

    def join(self):
        calls.append(self)
        if len(calls) == 1:
            while len(self.clock.batches) < 10:  # with two places for results, eight are judged then
                time.sleep(0.001)
            raise KeyboardInterrupt
        wait(self)

    def ten(self, most):
        while len(taken) == 10 and not self._ready.closed:
            time.sleep(0.001)
        part = take(self, most)
        taken.append(part)
        return part

    monkeypatch.setattr(Pipeline, "join", join)
    monkeypatch.setattr(Provider, "take", ten)
    got, err = report(capsys, "eval", *DEMO, "--images", str(FOLDER / "test.txt"), *PIXELS, "--batch", "1", "--threads", "1", status=130)
    assert 8 <= got["images"] <= 10 and got["stopped"] == "KeyboardInterrupt" and err == "pycaffe-acc: interrupted\n"


def test_a_trace_has_a_row_for_each_queue_core_channel_and_thread(capsys, tmp_path):
    path = tmp_path / "trace.json"
    report(capsys, "eval", *DEMO, *IMAGES, "--batch", "4", "--threads", "2", "--trace", str(path))
    rows = json.loads(path.read_text())["traceEvents"]
    kinds = {r["pid"]: r["args"]["name"] for r in rows if r["name"] == "process_name"}
    names = {kind: [r["args"]["name"] for r in rows if r["name"] == "thread_name" and kinds[r["pid"]] == kind] for kind in kinds.values()}
    assert len(names["queues"]) == 2 and names["channels"] == ["channel 0 of host:0"] and len(names["cores"]) >= 1
    assert {f"pipeline {i} {step}" for i in range(2) for step in ("provide", "run", "judge")} | {"decode 0"} <= set(names["host threads"])
    steps = {r["name"] for r in rows if r["ph"] == "X" and kinds[r["pid"]] == "host threads"}
    assert steps == {"decode", "preprocess", "gather", "copy in", "forward", "copy out", "judge"} and not trace.active
