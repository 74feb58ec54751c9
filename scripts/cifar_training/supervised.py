"""Training on labelled pictures: the usual way."""
from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional as F

from cifar_training.augmentation import flipped, shifted
from cifar_training.labelled_images import centred
from cifar_training.resnet import CifarResNet


class Supervision(NamedTuple):
    """Numbers of a training on labels."""

    batch: int
    seed: int
    smoothing: float
    decay: float


class Supervised:
    """Cross-entropy on pictures that are moved by up to four pixels and flipped; SGD with Nesterov's momentum.

    Parameters
    ----------
    images : (N, 3, 32, 32) uint8
    labels : (N,) int64
    mean : (3, 32, 32) float32
    numbers : Supervision
    """

    def __init__(self, images: np.ndarray, labels: np.ndarray, mean: np.ndarray, numbers: Supervision):
        self._images, self._labels, self._mean, self._numbers = images, labels, mean, numbers
        self.steps = -(-len(images) // numbers.batch)

    def optimizer(self, net: CifarResNet, rate: float) -> torch.optim.Optimizer:
        """SGD; shifts, scales and biases are not decayed."""
        matrices = [p for p in net.parameters() if p.ndim > 1]
        vectors = [p for p in net.parameters() if p.ndim <= 1]
        groups = [{"params": matrices, "weight_decay": self._numbers.decay}, {"params": vectors, "weight_decay": 0.0}]
        return torch.optim.SGD(groups, rate, momentum=0.9, nesterov=True)

    def prepare(self, net: CifarResNet) -> None:
        """BatchNorm by the batch."""
        net.train()

    def batches(self, epoch: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Every picture once, in the epoch's own order."""
        generator = np.random.default_rng((self._numbers.seed, epoch))
        order = generator.permutation(len(self._images))
        for part in np.array_split(order, self.steps):
            inputs = flipped(shifted(centred(self._images[part], self._mean), generator), generator)
            yield torch.from_numpy(np.ascontiguousarray(inputs)), torch.from_numpy(self._labels[part])

    def loss(self, logits: torch.Tensor, inputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Cross-entropy with smoothed labels."""
        return F.cross_entropy(logits, labels, label_smoothing=self._numbers.smoothing)

    def score(self, net: CifarResNet) -> None:
        """Nothing is held out."""
