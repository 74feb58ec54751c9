"""The runners' -yuv 1: frames of video pixels instead of pictures."""
from __future__ import annotations

import re

import numpy as np
import pytest
from PIL import Image

import pycaffe_acc as caffe
from cnml.reference.colour import yuv_to_rgb
from pycaffe_acc.runners.video_pixels import read_frame
from pycaffe_acc.tools.main import main

NET = """name: "video"
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 2 dim: 1 dim: 24 dim: 16 } } }
layer { name: "colours" type: "MLUYUVtoRGB" bottom: "data" top: "rgb" }
layer { name: "conv" type: "Convolution" bottom: "rgb" top: "conv"
  convolution_param { num_output: 8 kernel_size: 3 mean_value: 104 mean_value: 117 mean_value: 123 std: 0.017 weight_filler { type: "xavier" } } }
layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }
layer { name: "ip" type: "InnerProduct" bottom: "conv" top: "ip" inner_product_param { num_output: 6 weight_filler { type: "xavier" } } }
layer { name: "prob" type: "Softmax" bottom: "ip" top: "prob" }
"""
FRAMES = 5


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A net, frames of both kinds of files and of no kind, an offline model."""
    folder = tmp_path_factory.mktemp("video")
    rng = np.random.default_rng(5)
    np.random.seed(5)
    (folder / "net.prototxt").write_text(NET)
    net = caffe.Net(str(folder / "net.prototxt"), caffe.TEST)
    net.save(str(folder / "net.caffemodel"))
    lines = []
    for i in range(FRAMES):
        frame = rng.integers(0, 256, (24, 16)).astype(np.uint8)
        frame.tofile(folder / f"{i}.yuv")
        np.stack([frame, np.full_like(frame, 10)], axis=-1).tofile(folder / f"{i}.lines.yuv")
        lines.append(f"{folder / (f'{i}.yuv' if i % 2 else f'{i}.lines.yuv')} {i}\n")
    (folder / "short.yuv").write_bytes(b"x" * 100)
    (folder / "list").write_text("".join([*lines[:2], f"{folder / 'short.yuv'} 0\n", *lines[2:]]))
    (folder / "labels").write_text("".join(f"class{i}\n" for i in range(6)))
    names = ["-model", str(folder / "net.prototxt"), "-weights", str(folder / "net.caffemodel"), "-mname", str(folder / "offline")]
    assert main(["caffe", "genoff", *names, "-mcore", "MLU100"]) == 0
    return folder


def rankings(err):
    """Best class and score of each frame."""
    return {name.rsplit("/", 1)[1]: (float(score), label)
            for name, score, label in re.findall(r"^----- top5 for (\S+)\n(\d\.\d+) - (\S+)$", err, re.MULTILINE)}


@pytest.mark.parametrize(("program", "more"), [
    ("clas_offline_multicore", ["-dataparallel", "2"]), ("clas_offline_singlecore", []), ("clas_online_multicore", ["-mmode", "MFUS"]),
    ("clas_online_singlecore", ["-mmode", "MLU"]), ("clas_online_singlecore", ["-mmode", "CPU"])])
def test_frames_go_in_as_they_are(folder, capsys, program, more):
    given = (["-model", str(folder / "net.prototxt"), "-weights", str(folder / "net.caffemodel")] if "online" in program
             else ["-offlinemodel", str(folder / "offline.cambricon")])
    assert main([program, *given, "-images", str(folder / "list"), "-labels", str(folder / "labels"), "-yuv", "1", "-meanvalue", "9,9,9", *more]) == 0
    err = capsys.readouterr().err
    assert f"failed to read {folder / 'short.yuv'}" in err and "there are 6 figures" in err
    net = caffe.Net(str(folder / "net.prototxt"), str(folder / "net.caffemodel"), caffe.TEST)
    found = rankings(err)
    assert len(found) == FRAMES
    for i in range(FRAMES):
        net.blobs["data"].data[...] = np.fromfile(folder / f"{i}.yuv", np.uint8).reshape(24, 16)
        scores = net.forward()["prob"][0]
        score, label = found[f"{i}.yuv" if i % 2 else f"{i}.lines.yuv"]
        assert label == f"class{scores.argmax()}" and score == pytest.approx(scores.max(), abs=5e-3)


def test_the_layer_is_on_the_card(folder):
    """The offline model begins with it."""
    assert "0 YuvToRgb 'colours' (data 2x1x24x16)" in (folder / "offline.cambricon_twins").read_text()


def test_a_picture_becomes_a_frame(tmp_path, capsys):
    """And its colours come back, where neighbours are alike."""
    pixels = np.kron(np.random.default_rng(2).integers(0, 256, (4, 6, 3)), np.ones((4, 4, 1))).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    assert main(["convertJpg2Yuv", str(tmp_path / "a.png")]) == 0
    assert "a.png.yuv (height 24, width 24)" in capsys.readouterr().err
    frame = read_frame(tmp_path / "a.png.yuv", 24, 24)
    colours = yuv_to_rgb(frame[None, :, :, 0][:, None], True, "RGB0")[0, :3].transpose(1, 2, 0)
    assert np.abs(colours - pixels).max() <= 4
    assert main(["convertJpg2Yuv", str(tmp_path / "a.png"), "-width", "8", "-height", "6"]) == 0
    assert read_frame(tmp_path / "a.png.yuv", 9, 8).shape == (9, 8, 1)


@pytest.mark.parametrize(("words", "status", "said"), [(["a", "b"], 2, "takes one IMAGE"), (["none.jpg"], 3, "none.jpg"),
                                                       (["PICTURE", "-width", "7", "-height", "6"], 3, "even width and height")])
def test_pictures_that_become_none(tmp_path, capsys, words, status, said):
    Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / "a.png")
    assert main(["convertJpg2Yuv", *(str(tmp_path / "a.png") if w == "PICTURE" else w for w in words)]) == status
    assert said in capsys.readouterr().err and not (tmp_path / "a.png.yuv").exists()
