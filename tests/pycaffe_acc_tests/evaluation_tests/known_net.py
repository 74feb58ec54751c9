"""Doubles for tests of pipelines: a net whose answers are known, and images that misbehave on demand."""
from __future__ import annotations

import time

import numpy as np

from cnrt import Notifier
from pycaffe_acc.offline_net import OfflineBlob

CLASSES = 6


class KnownNet:
    """The score of class k is high when k is the image's first value.

    Parameters
    ----------
    batch : int
    seconds : float
        Time of a forward.
    fails_at : int, optional
        Number of the forward that raises; the two that warm up count.
    """

    name, outputs, inputs, threads = "known", ["prob"], ["data"], 1

    def __init__(self, batch, seconds=0.0, fails_at=None):
        self.blobs = {"data": OfflineBlob((batch, 1, 2, 2)), "prob": OfflineBlob((batch, CLASSES))}
        self.seconds, self.fails_at, self.forwards, self.notifiers = seconds, fails_at, 0, None

    def forward(self):
        self.forwards += 1
        if self.forwards == self.fails_at:
            raise RuntimeError("the engine broke")
        around = Notifier(), Notifier()
        for notifier in around:
            notifier.expect()
        around[0].reach("host")
        time.sleep(self.seconds)
        self.blobs["prob"].data[...] = np.arange(CLASSES) == self.blobs["data"].data[:, 0, 0, :1]
        around[1].reach("host")
        if self.notifiers is not None:
            self.notifiers.append(around)


class Images:
    """Image i is filled with i modulo the number of classes, its label too but for every seventh.

    Parameters
    ----------
    count : int
    before : callable, optional
        Called with the number of an image before it is read; what it raises is the image's fault.
    """

    name = "images"

    def __init__(self, count, before=None):
        numbers = np.arange(count)
        self.labels = np.where(numbers % 7 == 6, (numbers + 1) % CLASSES, numbers % CLASSES)
        self.before = before or (lambda index: None)

    def __len__(self):
        return len(self.labels)

    def read(self, index, channels):
        self.before(index)
        return np.full((2, 2, channels), index % CLASSES, np.uint8)

    def where(self, index):
        return f"{index}.png"


def prepare(pixels):
    """(H, W, C) uint8 → (C, H, W) float32."""
    return pixels.transpose(2, 0, 1).astype(np.float32)


def right(count, without=()):
    """Hits among the first images."""
    return sum(i % 7 != 6 for i in range(count) if i not in without)
