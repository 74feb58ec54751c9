"""Accuracies that others measured with the same weights, images and preprocessing."""
from __future__ import annotations

import json

import pytest

from pycaffe_acc.tools.main import main


def evaluate(capsys, data_dir, prototxt, weights, *options):
    """The report of `eval --json`."""
    models = data_dir / "models"
    assert main(["eval", "--model", str(models / prototxt), "--weights", str(models / weights), *map(str, options), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_lenet_on_mnist(data_dir, capsys):
    report = evaluate(capsys, data_dir, "lenet_mnist/lenet.prototxt", "lenet_mnist/lenet_iter_10000.caffemodel",
                      "--dataset", f"mnist:{data_dir / 'mnist'}", "--preprocess", "raw", "--scale", 1 / 256)
    assert report["images"] == 10000 and report["top1"] == pytest.approx(99.14)


@pytest.mark.parametrize(("name", "iterations", "top1"), [("quick", 5000, 73.5), ("full", 70000, 79.4)])
def test_cifar10(data_dir, capsys, name, iterations, top1):
    """The published figures are of other images of the same set: 1.5 points either way."""
    report = evaluate(capsys, data_dir, f"cifar10_quick_full/cifar10_{name}.prototxt",
                      f"cifar10_quick_full/cifar10_{name}_iter_{iterations}.caffemodel",
                      "--dataset", f"cifar10:{data_dir / 'cifar10/test2000.npz'}", "--preprocess", "raw", "--mean", data_dir / "cifar10/mean.npy",
                      "--order", "RGB", "--batch", 50)
    assert report["images"] == 2000 and report["top1"] == pytest.approx(top1, abs=1.5)


@pytest.mark.slow
def test_squeezenet_on_a_thousand_imagenet_images(data_dir, capsys):
    """67.0 / 87.3 percent by OpenCV's engine; one image in a thousand may fall on the other side of a near tie."""
    report = evaluate(capsys, data_dir, "squeezenet_v1.1/deploy.prototxt", "squeezenet_v1.1/squeezenet_v1.1.caffemodel", "--batch", 10,
                      "--images", data_dir / "imagenet1000/val.txt", "--root", data_dir / "imagenet1000/img", "--preprocess", "caffe-tool")
    assert report["images"] == 1000
    assert report["top1"] == pytest.approx(67.0, abs=0.1 + 1e-6) and report["top5"] == pytest.approx(87.3, abs=0.1 + 1e-6)


@pytest.mark.slow
def test_profiles_differ_and_say_so(data_dir, capsys):
    """The same hundred images under two profiles: other numbers under other names."""
    common = ["--batch", 10, "--limit", 100, "--images", data_dir / "imagenet1000/val.txt", "--root", data_dir / "imagenet1000/img"]
    reports = {p: evaluate(capsys, data_dir, "squeezenet_v1.1/deploy.prototxt", "squeezenet_v1.1/squeezenet_v1.1.caffemodel", *common, "--preprocess",
                           p)
               for p in ("caffe-tool", "caffe")}
    assert all(r["preprocess"].startswith(f"{p}: ") and r["top5"] > 80 for p, r in reports.items())
