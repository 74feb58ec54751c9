"""SqueezeNet v1.1 on real images: accuracy in INT8, a bound, and a planted fault."""
from __future__ import annotations

import json

import pytest

from pycaffe_acc.text_format import format_message, read_net
from pycaffe_acc.tools.main import main

pytestmark = pytest.mark.slow


@pytest.fixture
def files(data_dir):
    """Net, calibration images and labelled images, as options."""
    folder = data_dir / "models" / "squeezenet_v1.1"
    net = ["--model", str(folder / "deploy.prototxt"), "--weights", str(folder / "squeezenet_v1.1.caffemodel")]
    calibration = ["--images", str(data_dir / "imagenet1000" / "val.txt"), "--root", str(data_dir / "imagenet1000" / "img")]
    validation = str(data_dir / "ilsvrc_val" / "val.txt"), str(data_dir / "ilsvrc_val" / "img")
    return net, calibration, validation


def test_accuracy(files, tmp_path, capsys):
    """Within 0.8 points of FP32 with everything that needs no labels; 73.85 % is what others measured in FP32."""
    net, calibration, (images, root) = files
    out = ["--out", str(tmp_path / "q.prototxt"), "--out-weights", str(tmp_path / "w")]
    assert main(["quantize", *net, *calibration, "--limit", "100", "--bias-correction", "--weight-rounding", "adaptive", *out]) == 0
    capsys.readouterr()
    assert main(["eval", "--model", out[1], "--weights", out[3], "--images", images, "--root", root, "--precision", "int8", "--batch", "10",
                 "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["top1"] >= 73.85 - 0.8


def test_a_bound(files, tmp_path, capsys):
    """Ranges that lose more than is allowed: layers go back until the bound holds, by the same measurement as FP32's."""
    net, calibration, (images, root) = files
    bound = ["--max-drop", "0.2", "--validate", images, "--validate-root", root, "--ranking-subset", "16"]
    assert main(["quantize", *net, *calibration, "--limit", "50", "--method", "absmax", *bound, "--out", str(tmp_path / "q"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["bound"]["met"] and document["bound"]["fp32_top1"] - document["bound"]["top1"] <= 0.2 + 1e-9
    assert document["kept_float"] and len(document["kept_float"]) < 20
    assert main(["eval", *net[2:], "--model", str(tmp_path / "q"), "--images", images, "--root", root, "--precision", "int8", "--batch", "8",
                 "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["top1"] == pytest.approx(document["bound"]["top1"])


@pytest.mark.parametrize("name", ["conv1", "fire5/expand3x3", "fire8/expand1x1", "conv10"])
@pytest.mark.parametrize("what", ["bottom_mlu_dtype", "blobs_dtype"])
def test_a_planted_fault_is_first(files, tmp_path, capsys, name, what):
    """A scale divided by 8."""
    net, calibration, _ = files
    assert main(["quantize", *net, *calibration, "--limit", "16", "--out", str(tmp_path / "q")]) == 0
    message = read_net(tmp_path / "q").message
    field = getattr(next(layer for layer in message.layer if layer.name == name), what)[0]
    scales = [s / 8 for s in field.scale]
    field.ClearField("scale")
    field.scale.extend(scales)
    (tmp_path / "q").write_text(format_message(message))
    capsys.readouterr()
    assert main(["quantize-report", *net, "--quantized", str(tmp_path / "q"), *calibration, "--limit", "16", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["layers"][0]["name"] == name
