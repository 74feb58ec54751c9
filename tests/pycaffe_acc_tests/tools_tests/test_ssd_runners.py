"""The vendor's SSD runners over a net that finds one box in bright pictures."""
from __future__ import annotations

import json
import re

import numpy as np
import pytest
from PIL import Image

import pycaffe_acc as caffe
from cnrt.device import chosen_device
from pycaffe_acc.mode import mode
from pycaffe_acc.tools.main import main

NET = """name: "bright"
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 2 dim: 3 dim: 8 dim: 8 } } }
layer { name: "pool" type: "Pooling" bottom: "data" top: "pool" pooling_param { pool: AVE kernel_size: 8 } }
layer { name: "loc" type: "Convolution" bottom: "pool" top: "loc" convolution_param { num_output: 4 kernel_size: 1 } }
layer { name: "loc_flat" type: "Flatten" bottom: "loc" top: "loc_flat" }
layer { name: "conf" type: "Convolution" bottom: "pool" top: "conf" convolution_param { num_output: 2 kernel_size: 1 } }
layer { name: "prob" type: "Softmax" bottom: "conf" top: "prob" }
layer { name: "conf_flat" type: "Flatten" bottom: "prob" top: "conf_flat" }
layer { name: "prior" type: "PriorBox" bottom: "pool" bottom: "data" top: "prior" prior_box_param { min_size: 4 variance: 0.1 } }
layer { name: "out" type: "DetectionOutput" bottom: "loc_flat" bottom: "conf_flat" bottom: "prior" top: "out"
  detection_output_param { num_classes: 2 nms_param { nms_threshold: 0.45 top_k: 10 } keep_top_k: 10 confidence_threshold: 0.01
                           code_type: CENTER_SIZE } }
"""
BRIGHT = (True, False, True, True, False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Net, weights, pictures, list, label map, offline model."""
    folder = tmp_path_factory.mktemp("ssd")
    (folder / "net.prototxt").write_text(NET)
    net = caffe.Net(str(folder / "net.prototxt"), caffe.TEST)
    net.params["conf"][0].data[1, :, 0, 0] = 0.02
    net.params["conf"][1].data[...] = [6, 0]  # bright: 12 against 6, dark: 0.6 against 6
    net.save(str(folder / "net.caffemodel"))
    for i, bright in enumerate(BRIGHT):
        Image.fromarray(np.full((20 + i, 30, 3), 200 if bright else 10, np.uint8)).save(folder / f"{i}.png")
    (folder / "list").write_text("".join(f"{folder / str(i)}.png\n" for i in range(len(BRIGHT))))
    (folder / "map").write_text('item { name: "lamp" label: 1 }')
    for name, options in (("whole", ["-cpu_info", "1"]), ("device", [])):
        assert main(["caffe", "genoff", "-model", str(folder / "net.prototxt"), "-weights", str(folder / "net.caffemodel"), "-mcore", "MLU100",
                     "-mname", str(folder / name), *options]) == 0
    return folder


def words(folder, name, out, *more):
    """The command line of a runner."""
    given = (["-model", str(folder / "net.prototxt"), "-weights", str(folder / "net.caffemodel")] if "online" in name
             else ["-offlinemodel", str(folder / "whole.cambricon")])
    return [name, *given, "-images", str(folder / "list"), "-labelmapfile", str(folder / "map"), "-outputdir", str(out),
            "-confidencethreshold", "0.6", *more]


@pytest.mark.parametrize(("name", "options"), [
    ("ssd_offline_singlecore", []), ("ssd_offline_multicore", ["-threads", "2"]), ("ssd_online_singlecore", []),
    ("ssd_online_singlecore", ["-mmode", "CPU"]), ("ssd_online_multicore", ["-threads", "3", "-mmode", "MLU"]),
])
def test_every_runner(folder, tmp_path, capsys, monkeypatch, name, options):
    monkeypatch.setenv("OUTPUT_JSON_FILE", str(tmp_path / "result.json"))
    out, before = tmp_path / "out", chosen_device()
    out.mkdir()
    assert main(words(folder, name, out, *options)) == 0
    err = capsys.readouterr().err
    assert mode() == "CPU" and chosen_device() is before
    for i, bright in enumerate(BRIGHT):
        text = (out / f"{i}.txt").read_text()
        if not bright:
            assert text == ""
            continue
        label, score, *box = text.split()
        assert label == "lamp" and float(score) > 0.99 and [float(v) for v in box] == pytest.approx([0.25, 0.25, 0.75, 0.75], abs=1e-3)
    lines = ["3 detections in 5 images", r"Total execution time: \S+ us"] + [r"Hardware fps: \S+"] * ("CPU" not in options) + [
        r"End2end throughput fps: \S+"]
    assert re.search("^" + "\n".join(lines) + "$", err, re.MULTILINE), err
    accuracy = json.loads((tmp_path / "result.json").read_text())["output"]["accuracy"]
    assert accuracy == {"top1": "-1.00", "top5": "-1.00", "meanAp": "-1.00"}


def test_no_dump(folder, tmp_path, capsys):
    assert main(words(folder, "ssd_offline_singlecore", tmp_path, "-dump", "0")) == 0
    assert list(tmp_path.iterdir()) == [] and "3 detections" in capsys.readouterr().err


@pytest.mark.parametrize(("name", "options", "status", "message"), [
    ("ssd_offline_multicore", ["-dataparallel", "2"], 2, "detectors run with 1"),
    ("ssd_offline_singlecore", ["-outputdir", "none"], 2, "-outputdir is 'none'"),
    ("ssd_offline_singlecore", ["-labelmapfile", "none"], 3, "none"),
    ("ssd_online_singlecore", ["-mcore", "MLU1"], 2, "MLU1"),
])
def test_refusals(folder, tmp_path, capsys, name, options, status, message):
    assert main(words(folder, name, tmp_path, *options)) == status
    assert message in capsys.readouterr().err


def test_a_model_without_its_last_step(folder, tmp_path, capsys):
    given = words(folder, "ssd_offline_singlecore", tmp_path)
    given[given.index(str(folder / "whole.cambricon"))] = str(folder / "device.cambricon")
    assert main(given) == 3
    assert re.search(r"cpu.info|rows of 7 values", capsys.readouterr().err)
