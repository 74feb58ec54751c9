"""A real cluster on this machine: equal answers, a worker that is killed, errors of workers."""
from __future__ import annotations

import importlib.util
import json
import os
import signal
from dataclasses import dataclass

import numpy as np
import pytest

from pycaffe_acc.cluster.evaluate import LOCAL, ClusterRun, evaluate_on_cluster
from pycaffe_acc.cluster.worker import Opened
from pycaffe_acc.errors import CheckError
from pycaffe_acc.evaluation.evaluate import Settings, evaluate
from pycaffe_acc.evaluation.image_list import read_image_list
from pycaffe_acc.mode import TEST
from pycaffe_acc.net import Net
from pycaffe_acc.preprocess import preprocess_profile
from pycaffe_acc.tools.demo import FOLDER
from pycaffe_acc.tools.main import main

pytestmark = [pytest.mark.slow, pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed"),
              pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::FutureWarning", "ignore::DeprecationWarning",
                                                           "ignore::pytest.PytestUnraisableExceptionWarning")]
BATCH, IMAGES = 5, 355


def digits() -> Opened:
    """The embedded net."""
    net = Net(str(FOLDER / "deploy.prototxt"), TEST, weights=str(FOLDER / "digits.caffemodel"), threads=1)
    source = net.inputs[0]
    net.blobs[source].reshape(BATCH, *net.blobs[source].shape[1:])
    net.reshape()
    preprocess, shape = preprocess_profile("raw", scale=1 / 255), net.blobs[source].shape
    return Opened(net, source, net.outputs[0], read_image_list(FOLDER / "test.txt"), lambda pixels: preprocess.apply(pixels, shape), 1)


@dataclass(frozen=True)
class Digits:
    """Opens it, or fails."""

    fails: bool = False

    def __call__(self) -> Opened:
        """Net and images."""
        if self.fails:
            raise CheckError("the weights are not on this machine")
        return digits()


@pytest.fixture(scope="module")
def whole():
    """What this process finds."""
    one = digits()
    return evaluate(one.net, one.source, one.dataset, one.prepare, settings=Settings(limit=IMAGES))


@pytest.fixture
def three_nodes():
    """The address of a cluster of three nodes with a CPU each."""
    import ray
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    for _ in range(2):
        cluster.add_node(num_cpus=1)
    yield cluster.address
    ray.shutdown()
    cluster.shutdown()


def test_three_nodes_one_of_which_loses_its_worker(three_nodes, whole):
    killed, done = [], []

    def kill(images):
        done.append(images)
        if len(done) == 3:
            victim = list(run.alive.values())[-1]
            killed.append(victim.name)
            os.kill(int(victim.name.rpartition(":")[2]), signal.SIGKILL)
    run = ClusterRun(three_nodes, 3, 1, Digits(), IMAGES, BATCH, kill)
    outcome = run.run()
    np.testing.assert_array_equal(outcome.best, whole.best)
    assert outcome.accuracy == whole.accuracy and sum(done) == IMAGES and outcome.failures == []
    assert [w.name for w in outcome.workers if w.lost] == killed and len(outcome.workers) == 4 and outcome.redone == 1
    assert sum(w.images for w in outcome.workers) == IMAGES and outcome.throughput.end_to_end_fps > 0


def test_errors_of_workers_are_told_as_if_they_had_been_raised_here():
    with pytest.raises(CheckError, match="the weights are not on this machine"):
        evaluate_on_cluster(LOCAL, 1, 1, Digits(fails=True), 10, BATCH)
    import ray

    assert not ray.is_initialized()


@pytest.mark.parametrize(("address", "told"), [("127.0.0.1:1", "there is no Ray cluster at '127.0.0.1:1'"), ("127.0.0.1:99999", "no Ray cluster"),
                                               ("somewhere", "must be local, auto, or HOST:PORT")])
def test_no_cluster_at_an_address(address, told):
    with pytest.raises(CheckError, match=told):
        evaluate_on_cluster(address, 1, 1, Digits(), 10, BATCH)


def test_the_command(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(FOLDER)
    words = ["eval", "--model", "deploy.prototxt", "--weights", "digits.caffemodel", "--images", "test.txt", "--preprocess", "raw",
             "--scale", str(1 / 255), "--batch", "10", "--json"]
    assert main(words) == 0
    alone = json.loads(capsys.readouterr().out)
    assert main([*words, "--cluster", "local", "--cluster-workers", "2"]) == 0
    together = json.loads(capsys.readouterr().out)
    assert (together["top1"], together["top5"], together["images"]) == (alone["top1"], alone["top5"], 360)
    workers = together["cluster"]["workers"]
    assert len(workers) == 2 and sum(w["images"] for w in workers) == 360 and together["cluster"]["redone_shares"] == 0
    assert together["cluster"]["busy_seconds"] == pytest.approx(sum(w["busy_seconds"] for w in workers))
