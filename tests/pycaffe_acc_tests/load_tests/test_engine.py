"""Nets as engines: batches, filling, offline models on the host and on a card."""
from __future__ import annotations

import numpy as np
import pytest

from pycaffe_acc.evaluation.image_list import read_image_list
from pycaffe_acc.load.engine import NetEngine, batch_sizes
from pycaffe_acc.load.held_images import HeldImages
from pycaffe_acc.mode import TEST
from pycaffe_acc.net import Net
from pycaffe_acc.preprocess import preprocess_profile
from pycaffe_acc.tools.demo import FOLDER
from pycaffe_acc.tools.model_arguments import set_batch


@pytest.mark.parametrize(("most", "sizes"), [(1, [1]), (2, [1, 2]), (3, [1, 2, 3]), (8, [1, 2, 4, 8]), (12, [1, 2, 4, 8, 12])])
def test_batch_sizes(most, sizes):
    assert batch_sizes(most) == sizes


@pytest.fixture(scope="module")
def engine():
    """The embedded net for batches of 1, 2 and 4, and 20 images of it."""
    net = Net(str(FOLDER / "deploy.prototxt"), TEST, weights=str(FOLDER / "digits.caffemodel"), threads=1)
    nets = {1: net, 2: net.clone(), 4: net.clone()}
    for size, one in nets.items():
        set_batch(one, size)
    profile = preprocess_profile("raw", scale=1 / 255)
    images = HeldImages(read_image_list(FOLDER / "test.txt"), lambda pixels: profile.apply(pixels, (1, 1, 8, 8)), (1, 8, 8))
    images.hold(range(20))
    return NetEngine(images, nets, "data", "prob")


def test_answers_do_not_depend_on_the_batch(engine):
    alone = np.concatenate([engine.answer([i]) for i in range(20)])
    assert alone.shape == (20, 10) and (alone.argmax(1) == read_image_list(FOLDER / "test.txt").labels[:20]).mean() > 0.9
    for size in (2, 3, 4, 7, 20):
        together = np.concatenate([engine.answer(range(i, min(i + size, 20))) for i in range(0, 20, size)])
        np.testing.assert_allclose(together, alone, rtol=0, atol=1e-5)


def test_the_smallest_net_that_holds_a_batch_runs_it(engine):
    for images, rows in ((1, 1), (2, 2), (3, 4), (4, 4), (5, 5), (7, 8), (10, 10)):
        before = engine.rows
        assert len(engine.answer([0] * images)) == images and engine.rows - before == rows


def test_answers_are_kept(engine):
    first = engine.answer([3])
    kept = first.copy()
    engine.answer([4])
    np.testing.assert_array_equal(first, kept)


def test_an_image_that_is_not_held_is_an_error(engine):
    with pytest.raises(KeyError):
        engine.answer([99])
