"""Images prepared on threads: order, bound, errors."""
from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from pycaffe_acc.errors import CheckError
from pycaffe_acc.evaluation.feeder import Feeder


class Numbers:
    """Image i holds i; reading takes a time that shuffles the order of completion."""

    def __init__(self, count, fail_at=None):
        self.name, self.labels, self._count, self._fail_at = "numbers", np.arange(count), count, fail_at
        self.read_indices, self._lock = set(), threading.Lock()

    def __len__(self):
        return self._count

    def read(self, index, channels):
        time.sleep(0.002 * (index % 3))
        with self._lock:
            self.read_indices.add(index)
        if index == self._fail_at:
            raise CheckError("image is broken")
        return np.full((1, 1, channels), index, np.uint8)


def prepare(pixels):
    """(H, W, C) → (C, H, W)."""
    return pixels.transpose(2, 0, 1).astype(np.float32)


@pytest.mark.parametrize("workers", [1, 4])
@pytest.mark.parametrize(("count", "batch", "chunk"), [(20, 6, 4), (20, 6, 8), (7, 7, 7), (1, 4, 8)])
def test_images_come_in_order_and_no_part_reaches_over_a_batch(workers, count, batch, chunk):
    parts = list(Feeder(Numbers(count), prepare, (1, 1, 1), count, batch, workers, chunk))
    assert [int(v) for p in parts for v in p.values.ravel()] == list(range(count))
    assert [int(v) for p in parts for v in p.labels] == list(range(count))
    at = 0
    for part in parts:
        assert at // batch == (at + len(part.values) - 1) // batch
        at += len(part.values)
    assert sum(p.decode_ns for p in parts) > 0 and sum(p.preprocess_ns for p in parts) > 0


def test_reading_does_not_run_far_ahead():
    numbers = Numbers(200)
    feeder = Feeder(numbers, prepare, (1, 1, 1), 200, 4, workers=2, chunk=2)
    iterator = iter(feeder)
    next(iterator)
    time.sleep(0.2)
    assert len(numbers.read_indices) <= 2 * (feeder.ahead + 1) < 50
    iterator.close()


def test_an_error_of_a_thread_reaches_the_consumer_and_ends_the_pool():
    before = threading.active_count()
    with pytest.raises(CheckError, match="image is broken"):
        list(Feeder(Numbers(100, fail_at=9), prepare, (1, 1, 1), 100, 10, workers=3))
    assert threading.active_count() == before


def test_a_wrong_size_is_named():
    with pytest.raises(CheckError, match=r"image 0 became \(1, 1, 1\) by preprocessing; the net's input takes \(1, 2, 2\)"):
        list(Feeder(Numbers(1), prepare, (1, 2, 2), 1, 1, workers=1))
