"""Pipelines over an engine that only counts."""
from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from PIL import Image

from pycaffe_acc.runners.fifo import Fifo, FifoClosedError
from pycaffe_acc.runners.figures import Figure
from pycaffe_acc.runners.fleet import run_fleet
from pycaffe_acc.runners.pipeline import Job, run_serially
from pycaffe_acc.runners.pixels import Preparation
from pycaffe_acc.runners.sink import ClassSink


class Counting:
    """The score of class k of an image is high when k is its first pixel."""

    shape = (2, 3, 2, 2)
    output_shape = (2, 4)
    times_hardware = True

    def __init__(self, fails_at=None):
        self.fails_at, self.runs, self.bound, self.buffers = fails_at, 0, set(), 0

    def bind(self):
        self.bound.add(threading.current_thread().name)

    def input_buffer(self):
        self.buffers += 1
        return np.zeros(self.shape, np.float32)

    def output_buffer(self):
        return np.zeros(self.output_shape, np.float32)

    def copy_in(self, values, buffer):
        buffer[...] = values

    def run(self, source, target):
        start = time.perf_counter_ns()
        self.runs += 1
        if self.runs == self.fails_at:
            raise ValueError("the engine broke")
        target[...] = np.arange(4) == source[:, 0, 0, :1]
        return [(start, time.perf_counter_ns())]

    def copy_out(self, buffer):
        return buffer.copy()

    def lines(self):
        return []

    def close(self):
        pass


@pytest.fixture
def figures(tmp_path):
    """Seven images; the pixels of image i are i modulo 4, its label too but for the last."""
    found = []
    for i in range(7):
        Image.fromarray(np.full((2, 2, 3), i % 4, np.uint8)).save(tmp_path / f"{i}.png")
        found.append(Figure(f"{i}.png", tmp_path / f"{i}.png", i % 4 if i < 6 else 0))
    return found


def job(figures, engine, said):
    """Of one pipeline."""
    return Job(figures, engine, Preparation((3, 2, 2)), ClassSink("abcd", said.append), said.append)


def test_a_fleet(figures):
    said, engines = [], [Counting(), Counting()]
    tallies, wall_us = run_fleet([job(figures[::2], engines[0], said), job(figures[1::2], engines[1], said)], 3, said.append)
    assert [(t.hits.images, t.hits.top1, len(t.busy)) for t in tallies] == [(4, 3, 2), (3, 3, 2)]
    assert wall_us > sum(t.hardware_us for t in tallies) / 2
    assert said.count("Waiting ...") == 2 and said.count("Notify to start ...") == 1
    heads = [line.split("\n")[1] for line in said if "top5" in line]
    assert sorted(head.split()[-1] for head in heads) == [f"{i}.png" for i in range(7)]
    for word, times in (("prepare input data time: ", 4), ("copyin time: ", 4), (" execution time: ", 4), ("copyout time: ", 4),
                        ("post process time: ", 4)):
        assert sum(line.startswith(word) for line in said) == times, word
    assert all(e.buffers == 3 and {f"pipeline {i} {step}" for step in ("provide", "run", "judge")} <= e.bound for i, e in enumerate(engines))


def test_more_pipelines_than_images(figures):
    tallies, _ = run_fleet([job(figures[:1], Counting(), []), job([], Counting(), [])], 1, lambda line: None)
    assert [t.hits.images for t in tallies] == [1, 0]


def test_one_after_the_other_gives_the_same(figures):
    said: list[str] = []
    tally = run_serially(job(figures, Counting(), said))
    assert (tally.hits.images, tally.hits.top1, len(tally.busy)) == (7, 6, 4)
    kinds = [line.split(" time")[0].strip() for line in said if " time: " in line]
    assert kinds == ["prepare input data", "copyin", "execution", "copyout", "post process"] * 4


@pytest.mark.parametrize("at", [1, 2])
def test_a_failure_ends_everything(figures, at):
    before = threading.active_count()
    with pytest.raises(ValueError, match="the engine broke"):
        run_fleet([job(figures, Counting(), []), job(figures, Counting(fails_at=at), [])], 1, lambda line: None)
    assert threading.active_count() == before


@pytest.mark.parametrize("at", [1, 3])
def test_what_ends_a_run_early_leaves_the_tallies(figures, at):
    stopped: list[BaseException] = []
    tallies, wall_us = run_fleet([job(figures, Counting(fails_at=at), [])], 1, lambda line: None, stopped)
    assert [str(e) for e in stopped] == ["the engine broke"] and wall_us > 0 and tallies[0].hits.images <= 2 * (at - 1)


def test_a_fifo_with_a_capacity():
    fifo = Fifo(1, capacity=2)
    fifo.push(2)
    pushed = []

    def push(item):
        try:
            fifo.push(item)
            pushed.append(item)
        except FifoClosedError:
            pushed.append("closed")

    threads = [threading.Thread(target=push, args=(3,)), threading.Thread(target=push, args=(3,))]
    for thread in threads:
        thread.start()
    time.sleep(0.05)
    assert pushed == [] and fifo.pop() == 1
    while pushed != [3]:
        time.sleep(0.001)
    fifo.push(4, forced=True)
    fifo.close()
    for thread in threads:
        thread.join(5)
    assert pushed == [3, "closed"]


def test_fifo():
    fifo = Fifo(1, 2)
    fifo.push(3)
    assert [fifo.pop() for _ in range(3)] == [1, 2, 3]
    seen = []

    def wait():
        seen.append(fifo.pop())
        with pytest.raises(FifoClosedError):
            fifo.pop()
        seen.append("closed")
    thread = threading.Thread(target=wait)
    thread.start()
    fifo.push("late")
    time.sleep(0.05)
    fifo.close()
    thread.join(5)
    assert seen == ["late", "closed"]
