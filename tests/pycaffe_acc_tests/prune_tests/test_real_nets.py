"""A real net keeps its answers where the vendor's way loses them."""
from __future__ import annotations

import json
import os

import pytest

from pycaffe_acc.tools.main import main

pytestmark = pytest.mark.skipif(not os.environ.get("PYCAFFE_ACC_DATA"), reason="PYCAFFE_ACC_DATA must name the folder of external models and images")


def told(capsys, *words):
    """A verb's JSON."""
    assert main([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.slow
def test_squeezenet(data_dir, tmp_path, capsys):
    """SqueezeNet v1.1 at one half, over 100 images that it was not compensated with; then in INT8 with the same zeros."""
    folder = data_dir / "models" / "squeezenet_v1.1"
    net = ["--model", str(folder / "deploy.prototxt"), "--weights", str(folder / "squeezenet_v1.1.caffemodel")]
    images = ["--images", str(data_dir / "imagenet1000/val.txt"), "--root", str(data_dir / "imagenet1000/img")]
    files = ["--model", str(tmp_path / "p.prototxt"), "--weights", str(tmp_path / "p.caffemodel")]
    out = ["--out", files[1], "--out-weights", files[3]]
    validation = ["--images", str(data_dir / "ilsvrc_val/val.txt"), "--root", str(data_dir / "ilsvrc_val/img"), "--limit", "100", "--batch", "10"]
    dense = told(capsys, "eval", *net, *validation)["top1"]
    told(capsys, "prune", *net, "--sparsity", "0.5", "--method", "vendor", *out)
    vendor = told(capsys, "eval", *files, *validation)["top1"]
    report = told(capsys, "prune", *net, "--sparsity", "0.5", "--compensate", *images, "--limit", "64", *out)
    ours = told(capsys, "eval", *files, *validation)["top1"]
    assert report["achieved"] == pytest.approx(0.5, abs=0.01)
    assert ours >= vendor + 20 and ours >= dense - 15
    quantized = ["--model", str(tmp_path / "q.prototxt"), "--weights", str(tmp_path / "q.caffemodel")]
    told(capsys, "quantize", *files, *images, "--limit", "32", "--bias-correction", "--out", quantized[1], "--out-weights", quantized[3])
    assert told(capsys, "eval", *quantized, *validation, "--precision", "int8")["top1"] >= ours - 8
