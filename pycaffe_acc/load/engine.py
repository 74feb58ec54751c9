"""What answers queries: nets of several batch sizes, or a function of an offline model on a virtual card."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from pycaffe_acc.evaluation.evaluate import Evaluated, class_scores
from pycaffe_acc.load.held_images import HeldImages
from pycaffe_acc.runners.offline_engine import OfflineEngine


class Engine(Protocol):
    """One worker's own.

    Attributes
    ----------
    rows : int
        Images that were computed so far, those of rows that no query fills included.
    """

    rows: int

    def bind(self) -> None:
        """Called once by the thread that uses it, before all else."""

    def answer(self, samples: Sequence[int]) -> np.ndarray:
        """Scores of images, (n, classes) float32, an array of its own."""


def batch_sizes(most: int) -> list[int]:
    """Batches that nets are kept for: powers of two, and the largest."""
    sizes = [1 << k for k in range(most.bit_length()) if 1 << k < most]
    return [*sizes, most]


class NetEngine:
    """Nets with the same weights and one batch size each; a batch runs in the smallest net that holds it.

    Rows that no query fills keep the images of an earlier batch: their time counts, their scores do not.

    Parameters
    ----------
    images : HeldImages
    nets : dict of int to Net or OfflineNet
        By batch size.
    source, output : str
        Blobs of images and of scores.
    """

    def __init__(self, images: HeldImages, nets: Mapping[int, Evaluated], source: str, output: str):
        self._images, self._nets, self._source, self._output = images, dict(sorted(nets.items())), source, output
        self.rows = 0

    def bind(self) -> None:
        """See `Engine.bind`: a net knows its device."""

    def answer(self, samples: Sequence[int]) -> np.ndarray:
        """See `Engine.answer`; more samples than the largest net holds run one batch after the other."""
        parts, left = [], list(samples)
        while left:
            size = next((n for n in self._nets if n >= len(left)), max(self._nets))
            parts.append(self._forward(self._nets[size], left[:size]))
            left = left[size:]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _forward(self, net: Evaluated, samples: Sequence[int]) -> np.ndarray:
        values = net.blobs[self._source].data
        for row, sample in enumerate(samples):
            values[row] = self._images[sample]
        net.forward()
        self.rows += len(values)
        return class_scores(np.array(net.blobs[self._output].data[:len(samples)]))


class CardEngine:
    """A function of an offline model on a virtual card.

    Parameters
    ----------
    images : HeldImages
    engine : OfflineEngine
    """

    def __init__(self, images: HeldImages, engine: OfflineEngine):
        self._images, self._engine = images, engine
        self._source, self._target = engine.input_buffer(), engine.output_buffer()
        self._values = np.zeros(engine.shape, np.float32)
        self.rows = 0

    def bind(self) -> None:
        """See `Engine.bind`."""
        self._engine.bind()

    def answer(self, samples: Sequence[int]) -> np.ndarray:
        """See `Engine.answer`."""
        size, parts = len(self._values), []
        for begin in range(0, len(samples), size):
            part = samples[begin:begin + size]
            for row, sample in enumerate(part):
                self._values[row] = self._images[sample]
            self._engine.copy_in(self._values, self._source)
            self._engine.run(self._source, self._target)
            self.rows += size
            parts.append(class_scores(self._engine.copy_out(self._target)[:len(part)]))
        return parts[0] if len(parts) == 1 else np.concatenate(parts)
