"""Pipelines of an evaluation: order, bounds, failures, ends."""
from __future__ import annotations

import _thread
import threading
import time

import numpy as np
import pytest
from pycaffe_acc_tests.evaluation_tests.known_net import CLASSES, Images, KnownNet, prepare, right

from pycaffe_acc.errors import CheckError
from pycaffe_acc.evaluation.evaluate import Settings, evaluate
from pycaffe_acc.evaluation.provider import Provider
from pycaffe_acc.image_error import ImageError


def run(nets, images, **settings):
    return evaluate(nets, "data", images, prepare, settings=Settings(**settings))


@pytest.mark.parametrize("fifo_size", [1, 2, 5])
@pytest.mark.parametrize(("nets", "batch", "workers"), [(1, 4, 1), (3, 4, 2), (2, 7, 3), (4, 50, 2)])
def test_every_image_once_whatever_the_shape_of_the_pipelines(nets, batch, workers, fifo_size):
    outcome = run([KnownNet(batch) for _ in range(nets)], Images(45), workers=workers, fifo_size=fifo_size, keep_scores=True)
    assert (outcome.accuracy.images, outcome.accuracy.hits1, outcome.stopped, outcome.failures) == (45, right(45), None, [])
    assert outcome.best[:, 0].tolist() == [i % CLASSES for i in range(45)] and sorted(outcome.scores) == list(range(45))
    t = outcome.throughput
    assert sum(t.split_seconds.values()) == pytest.approx(t.wall_seconds) and min(t.split_seconds.values()) >= 0


def test_a_slow_image_stalls_nobody():
    """Image 3 is ready only when 40 others were judged."""
    judged, enough = [0], threading.Event()

    def progress(images):
        judged[0] += images
        if judged[0] >= 40:
            enough.set()

    waited = []
    images = Images(45, lambda index: waited.append(enough.wait(60)) if index == 3 else None)
    outcome = run([KnownNet(4), KnownNet(4)], images, workers=2, progress=progress)
    assert waited == [True] and outcome.accuracy.images == 45 and outcome.best[3, 0] == 3


@pytest.mark.parametrize("error", [ImageError("it is torn"), MemoryError("too large"), IndexError("deep in a decoder")])
def test_a_poisoned_image_is_listed_and_the_rest_goes_on(error):
    bad = {0, 13, 44}

    def before(index):
        if index in bad:
            raise error

    outcome = run([KnownNet(4), KnownNet(4)], Images(45, before), workers=3)
    assert (outcome.accuracy.images, outcome.accuracy.hits1) == (42, right(45, bad)) and outcome.stopped is None
    assert [(f.number, f.image) for f in outcome.failures] == [(i, f"{i}.png") for i in sorted(bad)]
    assert all(str(error) in f.to_dict()["reason"] for f in outcome.failures) and (outcome.best[sorted(bad)] == -1).all()


def test_failures_keep_no_pixels():
    """Neither the error nor what it came from holds on to the frames, and so to the arrays, of the thread that met it."""
    def before(index):
        pixels = np.zeros(1000)
        try:
            raise OSError(f"image {index} of {pixels.size}")
        except OSError as e:
            raise ImageError(f"image {index} is torn") from e

    outcome = run(KnownNet(2), Images(5, lambda i: before(i) if i == 3 else None))
    error = outcome.failures[0].error
    assert str(error) == "image 3 is torn" and error.__traceback__ is None and error.__cause__.__traceback__ is None


def test_nothing_but_poison_is_an_error():
    def before(index):
        raise ImageError(f"image {index} is torn")

    with pytest.raises(CheckError, match=r"none of 5 images could be used; the first, 0.png: image 0 is torn"):
        run(KnownNet(2), Images(5, before))


def test_a_broken_net_ends_the_run_and_the_results_stay():
    before = threading.active_count()
    outcome = run([KnownNet(2, fails_at=6), KnownNet(2, 0.001)], Images(4000), workers=1)
    assert str(outcome.stopped) == "the engine broke" and 0 < outcome.accuracy.images < 4000
    answered = np.flatnonzero(outcome.best[:, 0] >= 0)
    assert len(answered) == outcome.accuracy.images and (outcome.best[answered, 0] == answered % CLASSES).all()
    assert outcome.throughput.images == outcome.accuracy.images and threading.active_count() == before


def test_a_net_that_breaks_at_once_gives_its_own_error():
    with pytest.raises(RuntimeError, match="the engine broke"):
        run(KnownNet(2, fails_at=3), Images(5))


def test_an_interrupt_ends_the_run_and_the_results_stay():
    before = threading.active_count()
    seen = [0]

    def progress(images):
        seen[0] += 1
        if seen[0] == 5:
            _thread.interrupt_main()

    outcome = run([KnownNet(2, 0.005), KnownNet(2, 0.005)], Images(4000), workers=2, progress=progress)
    assert isinstance(outcome.stopped, KeyboardInterrupt) and 10 <= outcome.accuracy.images < 4000
    assert threading.active_count() == before


def test_decoding_does_not_run_away_from_a_slow_net():
    started, lock, ahead, judged = [0], threading.Lock(), [], [0]

    def before(index):
        with lock:
            started[0] += 1
            ahead.append(started[0] - judged[0])
        time.sleep(0.003)  # as long as a decoder takes: one image is one run

    def progress(images):
        judged[0] += images

    run(KnownNet(2, 0.02), Images(80, before), workers=2, fifo_size=2, progress=progress)
    # two buffers for batches and two for results, one batch in the net, what lies between the threads, one image in each of two threads
    assert max(ahead) <= 2 * 2 + 2 * 2 + 2 + 4 + 2 + 1 < 80


def test_labels_that_are_no_class_are_refused_before_anything_runs():
    images, net = Images(20), KnownNet(4)
    images.labels[[5, 9]] = CLASSES
    with pytest.raises(CheckError, match=r"2 of 20 labels are no class of the net, which has the classes 0 to 5; the first is 6, of 5.png"):
        run(net, images)
    assert net.forwards == 0
    assert run(net, images, limit=5).accuracy.images == 5


def test_starving_pipelines_part_the_two_hardware_figures():
    """One pipeline: the same. Two that wait for images take turns: time in which any works is the sum, and the vendor's figure is twice as high."""
    def before(index):
        time.sleep(0.02)

    alone = run(KnownNet(1, 0.001), Images(20, before), workers=1).throughput
    assert alone.hardware_fps == pytest.approx(alone.hardware_fps_vendor)
    starved = run([KnownNet(1, 0.001), KnownNet(1, 0.001)], Images(30, before), workers=1).throughput
    assert starved.hardware_fps_vendor == pytest.approx(2 * starved.hardware_fps, rel=0.15)
    assert starved.end_to_end_fps < 0.2 * starved.hardware_fps


def test_decoders_that_end_behind_the_close_say_nothing(monkeypatch):
    """Images that fail give nothing to push, so the last thread finds the end by itself, behind the close."""
    said = []
    monkeypatch.setattr(threading, "excepthook", said.append)
    begun, closed = threading.Event(), threading.Event()

    def before(index):
        begun.set()
        closed.wait(10)
        raise ImageError("damaged")

    provider = Provider(Images(50, before), prepare, (3, 2, 2), 50, 1, 1)
    with provider:
        assert begun.wait(10)
        provider.close()
        closed.set()
    assert said == [] and len(provider.failures) == 1
