"""Evaluation of a net with known answers."""
from __future__ import annotations

import sys

import numpy as np
import pytest

import pycaffe_acc as caffe
from pycaffe_acc.errors import CheckError
from pycaffe_acc.evaluation.array_images import ArrayImages
from pycaffe_acc.evaluation.evaluate import Settings, class_scores, evaluate, score_output

MEANS = """layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 4 dim: 3 dim: 2 dim: 2 } } }
layer { name: "pool" type: "Pooling" bottom: "data" top: "pool" pooling_param { pool: AVE global_pooling: true } }
"""


@pytest.fixture
def net(tmp_path):
    """Scores are the channels' means."""
    path = tmp_path / "net.prototxt"
    path.write_text(MEANS)
    return caffe.Net(str(path), caffe.TEST)


@pytest.fixture
def images(rng):
    """Ten images whose brightest channel is the label of eight of them."""
    pixels = rng.integers(0, 100, (10, 3, 2, 2), np.uint8)
    labels = np.arange(10) % 3
    pixels[np.arange(10), labels] += 100
    labels[[2, 7]] = (labels[[2, 7]] + 1) % 3
    return ArrayImages(pixels, labels, "ten")


def prepare(pixels):
    """BGR (H, W, C) → RGB (C, H, W)."""
    return pixels[:, :, ::-1].transpose(2, 0, 1).astype(np.float32)


def test_hits_and_times(net, images):
    seen = []
    outcome = evaluate(net, "data", images, prepare, settings=Settings(progress=seen.append))
    assert (outcome.accuracy.images, outcome.accuracy.hits1, outcome.accuracy.hits5) == (10, 8, 10)
    assert seen == [4, 4, 2]
    t = outcome.throughput
    assert t.images == 10 and t.hardware_fps >= t.end_to_end_fps > 0 and not t.simulated
    assert set(t.split_seconds) == {"decode", "preprocess", "copy_in", "compute", "copy_out", "post", "other"} and min(t.split_seconds.values()) >= 0
    assert t.hardware_fps > 10 / t.split_seconds["compute"]  # the notifiers stand inside the forward
    assert t.hardware_fps == pytest.approx(t.hardware_fps_vendor)


def test_a_limit(net, images):
    assert evaluate(net, "data", images, prepare, settings=Settings(limit=3)).accuracy.images == 3


def test_the_interpreters_switch_interval_is_given_back(net, images):
    before = sys.getswitchinterval()
    with pytest.raises(CheckError):
        evaluate(net, "data", ArrayImages(np.zeros((2, 3, 2, 2), np.uint8), np.array([0, 9]), "wrong label"), prepare)
    assert sys.getswitchinterval() == before


def test_nothing_to_evaluate(net):
    with pytest.raises(CheckError, match="no images"):
        evaluate(net, "data", ArrayImages(np.zeros((0, 3, 2, 2), np.uint8), np.zeros(0, int), "empty"), prepare)


def test_the_output_must_be_clear(net, tmp_path):
    assert score_output(net) == "pool" == score_output(net, "pool")
    with pytest.raises(CheckError, match="no blob 'prob'"):
        score_output(net, "prob")
    path = tmp_path / "two.prototxt"
    path.write_text(MEANS + 'layer { name: "max" type: "Pooling" bottom: "data" top: "max" pooling_param { pool: MAX kernel_size: 2 } }')
    with pytest.raises(CheckError, match="max .*, pool"):
        score_output(caffe.Net(str(path), caffe.TEST))


def test_positions_of_a_map_are_averaged():
    assert class_scores(np.arange(8.0).reshape(1, 2, 2, 2)).tolist() == [[1.5, 5.5]]
    with pytest.raises(CheckError):
        class_scores(np.zeros(3))
