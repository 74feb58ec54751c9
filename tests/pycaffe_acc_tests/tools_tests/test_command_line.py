"""The program: exit statuses, one JSON document, sentences instead of tracebacks."""
from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnml.cpu import converts_half
from pycaffe_acc.tools.demo import FOLDER
from pycaffe_acc.tools.main import COMMANDS, VERBS, build_parser, main

DEMO = ["--model", str(FOLDER / "deploy.prototxt"), "--weights", str(FOLDER / "digits.caffemodel")]
DEMO_IMAGES = ["--images", str(FOLDER / "test.txt"), "--preprocess", "raw", "--scale", "0.00392156862745098"]


def run(capsys, *words):
    """Status, parsed stdout, stderr of a verb with --json."""
    status = main([*words, "--json"])
    captured = capsys.readouterr()
    return status, json.loads(captured.out) if captured.out else None, captured.err


def refused(capsys, *words):
    """Status and the one line on stderr."""
    status = main(list(words))
    captured = capsys.readouterr()
    assert captured.out == "" and "Traceback" not in captured.err
    assert captured.err.startswith("pycaffe-acc: ") and captured.err.count("\n") == 1
    return status, captured.err


def test_eval_reports_what_pytorch_measured(capsys):
    status, report, err = run(capsys, "eval", *DEMO, *DEMO_IMAGES, "--batch", "32", "--labels", str(FOLDER / "labels.txt"), "--threads", "1")
    assert status == 0 and err == ""
    assert report["images"] == 360 and report["top1"] == pytest.approx(100 * 357 / 360) and report["batch"] == 32 and report["threads"] == 1
    assert report["hardware_fps"] >= report["end_to_end_fps"] > 0
    assert report["hardware_fps_vendor"] == pytest.approx(report["hardware_fps"])
    assert sum(report["split_seconds"].values()) == pytest.approx(report["wall_seconds"], rel=0.01)
    assert report["latency_ms"]["p50"] <= report["latency_ms"]["p90"] <= report["latency_ms"]["p99"]
    assert report["time"] == "measured" and report["simulated"] is False
    assert report["preprocess"].startswith("raw: ") and report["environment"]["packages"]["numpy"] == np.__version__


@pytest.mark.parametrize("batch", ["1", "7", "50"])
def test_accuracy_does_not_depend_on_the_batch(capsys, batch):
    _, report, _ = run(capsys, "eval", *DEMO, *DEMO_IMAGES, "--batch", batch, "--limit", "50")
    assert report["images"] == 50 and report["batch"] == int(batch) and report["top1"] == 98.0


def test_a_missed_bound_is_status_1(capsys):
    status, report, _ = run(capsys, "eval", *DEMO, *DEMO_IMAGES, "--batch", "36", "--min-top1", "99.9")
    assert status == 1 and report["valid"] is False and report["bound"] == "top-1 of at least 99.9 %"
    status, report, _ = run(capsys, "eval", *DEMO, *DEMO_IMAGES, "--batch", "36", "--min-top1", "90")
    assert status == 0 and report["valid"] is True


def test_eval_as_text_names_preprocessing_and_kind_of_time(capsys):
    assert main(["eval", *DEMO, *DEMO_IMAGES, "--batch", "36", "--limit", "36"]) == 0
    text = capsys.readouterr().out
    assert "top-1 %" in text and "hardware FPS" in text and "preprocessing raw: " in text and "times are measured on host" in text


@pytest.mark.parametrize("verb", ["eval", "time", "classify"])
def test_fp16(capsys, verb):
    picture = str(next(FOLDER.rglob("*.png")))
    words = {"eval": [*DEMO_IMAGES, "--batch", "36"], "time": ["--iterations", "1", "--batch", "1"], "classify": [picture, *DEMO_IMAGES[2:]]}[verb]
    reports = [run(capsys, verb, *DEMO, *words, "--precision", precision) for precision in ("fp32", "fp16")]
    assert [status for status, _, _ in reports] == [0, 0]
    single, half = (report["rows"][0] if "rows" in report else report for _, report, _ in reports)
    assert (single["precision"], half["precision"]) == ("fp32", "fp16")
    if verb == "eval":
        assert half["delta_fp16"] == 0 and half["delta_fp32"] is None and abs(half["top1"] - single["top1"]) < 0.5
    elif verb == "time":
        assert half["memory"]["packed"] < single["memory"]["packed"] or not converts_half()
    else:
        a, b = (r["images"][0]["classes"][0] for r in (single, half))
        assert a["class"] == b["class"] and a["score"] != b["score"] and abs(a["score"] - b["score"]) < 0.01


@pytest.mark.parametrize("verb", ["eval", "time"])
def test_int8_needs_a_quantized_net(capsys, verb):
    status, err = refused(capsys, verb, *DEMO, *(DEMO_IMAGES if verb == "eval" else ()), "--precision", "int8")
    assert status == 3 and "no layer of net" in err and "pycaffe-acc quantize" in err


def test_usage_is_status_2(capsys):
    assert refused(capsys, "eval", *DEMO)[0] == 2
    for words in (["eval"], ["nonsense"], ["time", *DEMO, "--iterations", "0"], []):
        with pytest.raises(SystemExit) as stop:
            main(words)
        assert stop.value.code == 2
        capsys.readouterr()


def test_bad_files_are_status_3(capsys, tmp_path):
    assert refused(capsys, "summary", str(tmp_path / "none.prototxt"))[0] == 3
    broken = tmp_path / "broken.prototxt"
    broken.write_text('layer { name: "x" type: "ReLU" ')
    status, err = refused(capsys, "summary", str(broken))
    assert status == 3 and "broken.prototxt" in err
    weights = tmp_path / "broken.caffemodel"
    weights.write_bytes(b"\xff" * 100)
    assert refused(capsys, "time", "--model", DEMO[1], "--weights", str(weights))[0] == 3
    listing = tmp_path / "list.txt"
    listing.write_text("none.png 0\n")
    status, err = refused(capsys, "eval", *DEMO, "--images", str(listing))
    assert status == 3 and "none.png" in err


def test_an_unknown_layer_is_status_4(capsys, tmp_path):
    path = tmp_path / "net.prototxt"
    path.write_text('layer { name: "d" type: "Input" top: "d" input_param { shape { dim: 1 } } } '
                    'layer { name: "x" type: "Convolutoin" bottom: "d" top: "x" }')
    status, err = refused(capsys, "summary", str(path))
    assert status == 4 and "Convolutoin" in err and "Convolution" in err


def test_debug_shows_the_traceback(capsys):
    assert main(["summary", "none.prototxt", "--debug"]) == 3
    assert "Traceback" in capsys.readouterr().err


def test_time_has_medians_layers_and_no_throughput(capsys):
    status, report, _ = run(capsys, "time", *DEMO, "--batch", "4", "--iterations", "3")
    assert status == 0 and report["iterations"] == 3 and report["batch"] == 4
    assert 0 < report["min_ms"] <= report["median_ms"]
    kinds = {row["type"] for row in report["layers"]}
    assert {"Convolution", "InnerProduct", "Softmax"} <= kinds
    assert report["macs"] == sum(row["macs"] for row in report["layers"]) > 0
    assert not any("fps" in key for key in report)
    assert main(["time", "--model", DEMO[1], "--iterations", "2", "--no-fusion", "--threads", "1"]) == 0
    text = capsys.readouterr().out
    assert "seeded random values" in text and "BatchNorm" in text
    assert main(["time", *DEMO, "--iterations", "1", "--no-layers", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["layers"] == []


def test_summary_counts(capsys):
    status, report, _ = run(capsys, "summary", DEMO[1], "--batch", "2")
    layers = {row["name"]: row for row in report["layers"]}
    assert status == 0 and report["inputs"] == {"data": [2, 1, 8, 8]}
    assert layers["conv1"]["parameters"] == 16 * 9 and layers["conv1"]["macs"] == 2 * 16 * 64 * 9
    assert layers["conv1"]["tops"] == {"conv1": [2, 16, 8, 8]}
    assert layers["conv1"]["top_bytes"] == 4 * 2 * 16 * 64 and layers["conv1/relu"]["top_bytes"] == 0
    assert layers["fc10"]["parameters"] == 330
    assert report["parameters"] == sum(row["parameters"] for row in report["layers"])
    assert main(["summary", DEMO[1]]) == 0
    assert "38,690 parameters" in capsys.readouterr().out


def test_check_finds_everything_at_once(capsys, tmp_path):
    status, report, _ = run(capsys, "check", DEMO[1], DEMO[3])
    assert status == 0 and report["ok"] and report["coverage"]["complete"]
    path = tmp_path / "net.prototxt"
    path.write_text("""name: "three faults"
layer { name: "d" type: "Input" top: "d" input_param { shape { dim: 1 dim: 3 dim: 8 dim: 8 } } }
layer { name: "a" type: "Convolutoin" bottom: "d" top: "a" }
layer { name: "b" type: "NoSuchLayerAtAll" bottom: "a" top: "b" }
layer { name: "r" type: "ReLU" bottom: "b" top: "r" relu_param { slope: 1 } }
""")
    status, report, _ = run(capsys, "check", str(path))
    assert status == 4 and not report["ok"]
    assert [(r["layer"], r["closest"]) for r in report["unknown_layers"]] == [("a", "Convolution"), ("b", None)]
    assert [(f["line"], f["field"]) for f in report["unknown_fields"]] == [(5, "slope")]
    assert main(["check", str(path)]) == 4
    text = capsys.readouterr().out
    assert "NoSuchLayerAtAll" in text and f"{path}:5" in text


def test_check_tells_of_shapes_and_missing_weights(capsys, tmp_path):
    path = tmp_path / "net.prototxt"
    text = Path(DEMO[1]).read_text()
    path.write_text(text.replace('name: "fc10"', 'name: "fc11"'))
    status, report, _ = run(capsys, "check", str(path), DEMO[3])
    assert status == 3 and report["coverage"]["never_initialised"] == ["fc11"] and report["coverage"]["unused"] == ["fc10"]
    path.write_text(text.replace("num_output: 10", "num_output: 0"))
    status, report, _ = run(capsys, "check", str(path))
    assert status == 3 and "fc10" in report["error"]


def test_classify(capsys):
    first = [(FOLDER / line.split()[0], int(line.split()[1])) for line in (FOLDER / "test.txt").read_text().splitlines()[:3]]
    words = ["classify", *DEMO, "--preprocess", "raw", "--scale", "0.00392156862745098", "--top", "2", "--labels", str(FOLDER / "labels.txt")]
    status, report, _ = run(capsys, *words, *(str(p) for p, _ in first), "--batch", "2")
    assert status == 0
    for (path, label), result in zip(first, report["images"], strict=True):
        assert result["image"] == str(path) and len(result["classes"]) == 2
        assert result["classes"][0]["class"] == label and result["classes"][0]["label"] == str(label) and result["classes"][0]["score"] > 0.5
    assert main([*words, str(first[0][0])]) == 0
    assert "preprocessing raw" in capsys.readouterr().out


def test_labels_must_belong_to_the_net(capsys, tmp_path):
    (tmp_path / "labels.txt").write_text("one\ntwo\n")
    status, err = refused(capsys, "classify", *DEMO, "--labels", str(tmp_path / "labels.txt"), str(FOLDER / "images/000.png"))
    assert status == 3 and "2 lines for the net's 10 classes" in err


def test_draw(capsys, tmp_path):
    for suffix, begin in ((".svg", b"<"), (".dot", b"digraph")):
        status, report, _ = run(capsys, "draw", DEMO[1], "--out", str(tmp_path / f"net{suffix}"))
        assert status == 0 and report["out"] == str(tmp_path / f"net{suffix}")
        assert (tmp_path / f"net{suffix}").read_bytes().startswith(begin)
    assert [p.name for p in tmp_path.iterdir() if p.suffix not in (".svg", ".dot")] == []


def test_doctor(capsys):
    status, report, _ = run(capsys, "doctor")
    assert status == 0 and report["cpus_usable"] >= 1 and "host" in report["device_kinds"] and report["packages"]["numba"]
    assert main(["doctor"]) == 0
    assert "numba" in capsys.readouterr().out


def test_warmup_of_a_net(capsys):
    status, report, _ = run(capsys, "warmup", "--model", DEMO[1])
    assert status == 0 and report["compile_seconds"] > 0


def test_demo(capsys):
    status, report, _ = run(capsys, "demo")
    assert status == 0 and [row["batch"] for row in report["rows"]] == [1, 36] and all(row["valid"] for row in report["rows"])


def test_upgrade(capsys, tmp_path):
    old = tmp_path / "old.prototxt"
    old.write_text('name: "n" input: "data" input_dim: 1 input_dim: 3 input_dim: 4 input_dim: 4 '
                   'layers { name: "r" type: RELU bottom: "data" top: "r" }')
    status, report, _ = run(capsys, "upgrade_net_proto_text", str(old), str(tmp_path / "new.prototxt"))
    assert status == 0 and report["changed"] and report["generation"] == "V1"
    assert 'type: "ReLU"' in (tmp_path / "new.prototxt").read_text()
    assert run(capsys, "upgrade_net_proto_text", str(tmp_path / "new.prototxt"), str(tmp_path / "again.prototxt"))[1]["changed"] is False
    assert (tmp_path / "new.prototxt").read_text() == (tmp_path / "again.prototxt").read_text()
    status, report, _ = run(capsys, "upgrade_net_proto_binary", DEMO[3], str(tmp_path / "new.caffemodel"))
    assert status == 0 and run(capsys, "check", DEMO[1], str(tmp_path / "new.caffemodel"))[1]["ok"]


def test_inputs_that_are_no_images(capsys, tmp_path):
    path = tmp_path / "net.prototxt"
    path.write_text('layer { name: "d" type: "Input" top: "d" input_param { shape { dim: 1 dim: 7 } } } '
                    'layer { name: "s" type: "Softmax" bottom: "d" top: "s" }')
    status, err = refused(capsys, "eval", "--model", str(path), "--weights", DEMO[3], *DEMO_IMAGES)
    assert status == 3 and "must have one input for images" in err


def test_every_verb_has_json_and_help():
    parser = build_parser()
    text = parser.format_help()
    for verb in (*VERBS, *COMMANDS):
        assert verb.NAME in text and verb.HELP
    document = (Path(__file__).resolve().parents[3] / "docs/command_line.md").read_text()
    assert all(f"`{verb.NAME}" in document for verb in (*VERBS, *COMMANDS))


def test_the_installed_program_and_the_module_are_one():
    root = Path(__file__).resolve().parents[3]
    result = subprocess.run([sys.executable, "-m", "pycaffe_acc", "--version"], capture_output=True, text=True, timeout=60, check=False, cwd=root)
    assert result.returncode == 0 and result.stdout.startswith("pycaffe-acc ")


def test_a_picture_that_is_none(capsys, tmp_path):
    (tmp_path / "x.png").write_bytes(b"not a picture")
    status, err = refused(capsys, "classify", *DEMO, str(tmp_path / "x.png"))
    assert status == 3 and "x.png" in err
    Image.new("RGB", (8, 8)).save(tmp_path / "ok.png")
    assert main(["classify", *DEMO, "--preprocess", "raw", str(tmp_path / "ok.png")]) == 0
