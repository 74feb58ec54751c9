"""`eval` of nets that are quantized in memory, and their distance to the float net."""
from __future__ import annotations

import json

import pytest
from PIL import Image

from pycaffe_acc.net import Net
from pycaffe_acc.tools.demo import FOLDER
from pycaffe_acc.tools.main import main

DEMO = ["--model", str(FOLDER / "deploy.prototxt"), "--weights", str(FOLDER / "digits.caffemodel")]
LIST = str(FOLDER / "test.txt")
PIXELS = ["--preprocess", "raw", "--scale", str(1 / 255)]
IMAGES = ["--images", LIST, *PIXELS, "--batch", "36", "--limit", "72"]
CALIBRATION = ["--calibration-images", LIST, "--calibration-limit", "24"]


def report(capsys, *words, status=0):
    """The document of `eval`."""
    assert main(["eval", *words, "--json"]) == status
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(("method", "precision"), [("mse", "int8"), ("vendor", "mlu"), ("kl", "int8")])
def test_quantized_in_memory_as_by_quantize(capsys, tmp_path, method, precision):
    """The same scores as the files that `quantize` writes, so the same hits."""
    got = report(capsys, *DEMO, *IMAGES, "--precision", precision, "--calibration", method, *CALIBRATION)
    assert got["calibration"] == {"method": method, "dataset": "test.txt", "images": 24} and got["precision"] == precision
    assert main(["quantize", *DEMO, "--images", LIST, "--limit", "24", *PIXELS, "--method", method, "--out", str(tmp_path / "q")]) == 0
    capsys.readouterr()
    want = report(capsys, "--model", str(tmp_path / "q"), *DEMO[2:], *IMAGES, "--precision", precision)
    assert (got["top1"], got["top5"]) == (want["top1"], want["top5"]) and want["calibration"] is None
    assert sorted(p.name for p in tmp_path.iterdir()) == ["q"], "eval writes nothing"


def test_distances(capsys):
    got = report(capsys, *DEMO, *IMAGES, "--precision", "int8", "--calibration", "absmax", *CALIBRATION, "--compare")
    rows = {row["precision"]: row for row in got["rows"]}
    assert list(rows) == ["int8", "fp16", "fp32"] and got["precision"] == "int8"
    for row in rows.values():
        assert row["delta_fp16"] == pytest.approx(row["top1"] - rows["fp16"]["top1"]) and row["images"] == 72
        assert row["delta_fp32"] == pytest.approx(row["top1"] - rows["fp32"]["top1"]) and row["hardware_fps"] > 0 and row["time"] == "measured"
    assert got["valid"] is True and got["bound"] == f"top-1 of at least {0.99 * rows['fp16']['top1']:.2f} %, 99 % of FP16's"
    assert rows["fp16"]["calibration"] is None and rows["fp16"]["valid"] is None


def test_a_float_row_is_its_own_yardstick(capsys):
    got = report(capsys, *DEMO, *IMAGES, "--precision", "fp16", "--compare")
    assert [row["precision"] for row in got["rows"]] == ["fp16", "fp32"]
    assert got["delta_fp16"] == 0 and got["delta_fp32"] is not None and got["valid"] is True


def test_what_is_lost_too_much_is_status_1(capsys, tmp_path):
    """Weights of the wrong sign: the answers are wrong, and the float net's are right."""
    net = Net(DEMO[1], 1, weights=DEMO[3])
    first = next(iter(net.params.values()))
    first[0].data[:] = -first[0].data
    net.save(tmp_path / "wrong.caffemodel")
    words = ["--model", DEMO[1], "--weights", str(tmp_path / "wrong.caffemodel"), *IMAGES, "--precision", "int8", "--calibration", "absmax",
             *CALIBRATION]
    got = report(capsys, *words, "--compare", "--float-weights", DEMO[3], status=1)
    assert got["valid"] is False and got["delta_fp16"] < -20 and got["rows"][1]["weights"] == DEMO[3]
    got = report(capsys, *words, "--compare", "--float-weights", DEMO[3], "--within", "99.5")
    assert got["valid"] is True
    got = report(capsys, *words, "--compare", "--min-top1", "99", "--within", "99.5", "--float-weights", DEMO[3], status=1)
    assert got["valid"] is False and " and top-1 of at least 99 %" in got["bound"]


def test_as_text(capsys):
    assert main(["eval", *DEMO, *IMAGES, "--precision", "int8", "--calibration", "mse", *CALIBRATION, "--compare"]) == 0
    out = capsys.readouterr().out
    assert "to FP16" in out and "quantized in memory: method mse, 24 images of test.txt" in out and "99 % of FP16's" in out


@pytest.mark.parametrize(("words", "status", "said"), [
    (["--calibration", "mse", *CALIBRATION], 2, "--precision is fp32; give --precision int8 or mlu"),
    (["--precision", "int8", "--calibration", "mse"], 2, "needs images"),
    (["--precision", "int8", "--calibration", "mse", *CALIBRATION, "--calibration-dataset", "mnist:x"], 2, "needs images"),
    (["--precision", "int8", *CALIBRATION], 2, "belong to --calibration METHOD"),
    (["--within", "2"], 2, "--within belongs to --compare"), (["--float-weights", "w"], 2, "--float-weights belongs to --compare"),
    (["--compare", "--within", "100"], 2, "from 0 to less than 100"),
    (["--precision", "int8", "--calibration", "mse", "--calibration-images", "none.txt"], 3, "none.txt"),
])
def test_refusals(capsys, words, status, said):
    assert main(["eval", *DEMO, *IMAGES, *words]) == status
    captured = capsys.readouterr()
    assert captured.out == "" and said in captured.err and "Traceback" not in captured.err


def test_black_images_name_the_layer(capsys, tmp_path):
    """Nothing to find a range on."""
    Image.new("L", (8, 8)).save(tmp_path / "black.png")
    (tmp_path / "list").write_text("black.png 0\n")
    words = ["--precision", "int8", "--calibration", "mse", "--calibration-images", str(tmp_path / "list")]
    assert main(["eval", *DEMO, *IMAGES, *words]) == 3
    assert "all values were 0" in capsys.readouterr().err
