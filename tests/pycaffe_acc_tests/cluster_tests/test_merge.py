"""Shares and how they are put together: no cluster needed."""
from __future__ import annotations

import numpy as np
import pytest

from pycaffe_acc.cluster.merge import merged
from pycaffe_acc.cluster.shard import ShardResult, WorkerUse, shards
from pycaffe_acc.cluster.worker import Opened, Worker
from pycaffe_acc.errors import CheckError
from pycaffe_acc.evaluation.array_images import ArrayImages
from pycaffe_acc.evaluation.evaluate import Settings, evaluate
from pycaffe_acc.evaluation.image_list import read_image_list
from pycaffe_acc.evaluation.report import SPLIT
from pycaffe_acc.mode import TEST
from pycaffe_acc.net import Net
from pycaffe_acc.preprocess import preprocess_profile
from pycaffe_acc.tools.demo import FOLDER


@pytest.mark.parametrize(("images", "batch"), [(1, 1), (7, 2), (8, 2), (9, 2), (650, 10), (3, 8)])
def test_shares_are_all_images_once_in_whole_batches(images, batch):
    found = shards(images, batch)
    assert [i for s in found for i in range(s.first, s.end)] == list(range(images))
    assert all(s.first % batch == 0 for s in found) and [s.number for s in found] == list(range(len(found)))


def share(number, images, busy, busy_sum=None, failures=()):
    """A share of which half was right."""
    return ShardResult(number, np.full((images + len(failures), 5), number), images // 2, images, images, list(failures), [10.0 * (number + 1)],
                       dict.fromkeys(SPLIT, 0.1), {"decode": 1.0, "preprocess": 1.0, "post": 0.0}, busy, busy_sum or busy, 1.0)


def test_merged():
    found = {s.number: share(s.number, 4, 1.0) for s in shards(16, 1)}
    uses = [WorkerUse("a", 3, 12, 3.0, 3.0, compile_seconds=5.0), WorkerUse("b", 1, 4, 1.0, 1.0, load_seconds=2.0)]
    outcome = merged(shards(16, 1), found, uses, 0, 2.0, 2)
    t = outcome.throughput
    assert (outcome.accuracy.images, outcome.accuracy.hits1, outcome.accuracy.hits5) == (16, 8, 16)
    assert t.hardware_fps == pytest.approx(8.0) and t.hardware_fps_vendor == pytest.approx(16 / 4.0 * 2) and t.end_to_end_fps == pytest.approx(8.0)
    assert sum(t.split_seconds.values()) == pytest.approx(2.0) and t.split_seconds["decode"] == pytest.approx(0.2)
    assert t.latency_ms["p50"] == 25.0 and t.work_seconds["decode"] == 4.0
    assert (outcome.load_seconds, outcome.compile_seconds) == (2.0, 5.0) and outcome.best[:, 0].tolist() == [0] * 4 + [1] * 4 + [2] * 4 + [3] * 4


def test_a_worker_that_was_lost_does_not_make_the_cluster_faster():
    found = {s.number: share(s.number, 4, 1.0) for s in shards(16, 1)}
    uses = [WorkerUse("a", 2, 8, 2.0, 2.0), WorkerUse("lost", 1, 4, 1.0, 1.0, lost=True), WorkerUse("c", 1, 4, 1.0, 1.0)]
    assert merged(shards(16, 1), found, uses, 1, 2.0, 2).throughput.hardware_fps == pytest.approx(8.0)


def test_images_that_could_not_be_used():
    failure = {"number": 0, "image": "a.png", "reason": "it is no picture"}
    with pytest.raises(CheckError, match="none of 1 images could be used; the first, a.png: it is no picture"):
        merged(shards(1, 1), {0: share(0, 0, 1.0, failures=[failure])}, [WorkerUse("a")], 0, 1.0, 1)


def opened(dataset=None):
    """The embedded net."""
    net = Net(str(FOLDER / "deploy.prototxt"), TEST, weights=str(FOLDER / "digits.caffemodel"), threads=1)
    source = net.inputs[0]
    net.blobs[source].reshape(10, *net.blobs[source].shape[1:])
    net.reshape()
    preprocess = preprocess_profile("raw", scale=1 / 255)
    shape = net.blobs[source].shape
    return Opened(net, source, net.outputs[0], dataset or read_image_list(FOLDER / "test.txt"), lambda pixels: preprocess.apply(pixels, shape), 1)


def test_a_worker_gives_what_one_machine_gives():
    one = opened()
    whole = evaluate(one.net, one.source, one.dataset, one.prepare, settings=Settings(limit=95))
    worker = Worker(opened)
    with pytest.raises(CheckError, match="before it was ready"):
        worker.run(shards(95, 10)[0])
    assert worker.ready().name.partition(":")[2].isdigit()
    parts = {s.number: worker.run(s) for s in shards(95, 10)}
    assert len(parts) == 3 and all(p.busy_seconds > 0 for p in parts.values())
    outcome = merged(shards(95, 10), parts, [WorkerUse("a", 3, 95, 1.0, 1.0)], 0, 1.0, 1)
    np.testing.assert_array_equal(outcome.best, whole.best)
    assert outcome.accuracy == whole.accuracy and outcome.failures == []


def test_pictures_that_cannot_be_read_are_listed_by_their_number_in_the_whole():
    class Damaged(ArrayImages):
        def read(self, index, channels):
            if index == 45:
                raise CheckError("it is damaged")
            return super().read(index, channels)

    shape = opened().net.blobs[opened().source].shape
    images = Damaged(np.zeros((50, *shape[1:]), np.uint8), np.zeros(50, np.int64), "damaged")
    worker = Worker(lambda: opened(images))
    worker.ready()
    result = worker.run(shards(50, 10)[1])
    assert result.images == 9 and [(f["number"], f["reason"]) for f in result.failures] == [(45, "it is damaged")]
    assert (result.best[5] == -1).all() and (result.best[4] >= 0).all()
