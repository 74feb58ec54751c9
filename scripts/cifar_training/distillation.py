"""Training on a teacher's answers (Hinton, Vinyals, Dean 2015) to unlabelled pictures: parts of photographs at CIFAR-10's size."""
from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from cifar_training.augmentation import flipped, mixed, shifted
from cifar_training.labelled_images import centred
from cifar_training.picture_crops import crops
from cifar_training.resnet import CifarResNet, answers, freeze_norms
from cifar_training.shortening import divergence
from cifar_training.training import LAYOUT, Score

TEMPERATURE = 4.0
_LOGITS = 0.1  # weight of the squared difference of logits beside the divergence of softened answers


class Distilling(NamedTuple):
    """Numbers of a training on a teacher's answers."""

    batch: int
    steps: int         # of an epoch
    seed: int
    mixup: float       # share of the pictures that others shine through
    labelled: float    # share of labelled pictures in a batch
    label_weight: float


class Labelled(NamedTuple):
    """Pictures with labels: (N, 3, 32, 32) uint8 and (N,) int64."""

    images: np.ndarray
    labels: np.ndarray


def folded(net: CifarResNet) -> CifarResNet:
    """A copy for inference: BatchNorm's stored statistics are in the convolutions' weights."""
    found = copy.deepcopy(net).eval()
    for _, part in found.numbered():
        part.conv, part.norm = fuse_conv_bn_eval(part.conv, part.norm), torch.nn.Identity()
    return found.requires_grad_(False)


class Distillation:
    """A student that learns to answer as its teacher does. BatchNorm keeps the teacher's statistics, which are those of the pictures that the net is
    for; the crops' own would be others.

    Parameters
    ----------
    teacher : CifarResNet
        On the device of the training.
    pictures : sequence of (H, W, 3) uint8 RGB
        Parts of these, new ones in every step.
    held : (N, 3, 32, 32) float32 tensor
        Centred crops of other pictures, for the score; on the teacher's device.
    mean : (3, 32, 32) float32
    labelled : Labelled, optional
        Pictures of the net's own kind, shown beside the crops.
    numbers : Distilling
    """

    def __init__(self, teacher: CifarResNet, pictures: Sequence[np.ndarray], held: torch.Tensor, mean: np.ndarray, labelled: Labelled | None,
                 numbers: Distilling):
        self._teacher = folded(teacher).to(memory_format=LAYOUT)
        self._pictures, self._held, self._mean, self._labelled, self._numbers = pictures, held, mean, labelled, numbers
        self._wanted = answers(self._teacher, held)
        self.steps = numbers.steps

    def optimizer(self, net: CifarResNet, rate: float) -> torch.optim.Optimizer:
        """Adam without decay: the start is near the end, and each weight has its own scale there."""
        return torch.optim.Adam(net.parameters(), rate)

    def prepare(self, net: CifarResNet) -> None:
        """BatchNorm by the stored statistics."""
        net.train()
        freeze_norms(net)

    def batches(self, epoch: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """New crops, labelled pictures moved and flipped among them; the label is -1 where there is none."""
        n = self._numbers
        generator = np.random.default_rng((n.seed, epoch))
        known = 0 if self._labelled is None else round(n.labelled * n.batch)
        for _ in range(self.steps):
            inputs = centred(crops(self._pictures, n.batch - known, generator), self._mean)
            labels = np.full(n.batch, -1, np.int64)
            if self._labelled is not None:
                chosen = generator.integers(0, len(self._labelled.images), known)
                inputs = np.concatenate([inputs, shifted(centred(self._labelled.images[chosen], self._mean), generator)])
                labels[n.batch - known:] = self._labelled.labels[chosen]
            inputs, changed = mixed(flipped(inputs, generator), n.mixup, generator)
            labels[changed] = -1
            yield torch.from_numpy(inputs), torch.from_numpy(labels)

    def loss(self, logits: torch.Tensor, inputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """T² KL(teacher / T, student / T) + 0.1 mean squared difference of logits, and the labels' cross-entropy with its weight."""
        with torch.no_grad():
            wanted = self._teacher(inputs)
        soft = F.kl_div(F.log_softmax(logits / TEMPERATURE, 1), F.log_softmax(wanted / TEMPERATURE, 1), log_target=True, reduction="batchmean")
        loss = TEMPERATURE ** 2 * soft + _LOGITS * F.mse_loss(logits, wanted)
        if self._numbers.label_weight:
            loss = loss + self._numbers.label_weight * F.cross_entropy(logits, labels, ignore_index=-1, reduction="sum") / len(labels)
        return loss

    def score(self, net: CifarResNet) -> Score:
        """Divergence from the teacher's answers on the held-out crops."""
        found = answers(net, self._held)
        value = divergence(found, self._wanted)
        same = 100 * float((found.argmax(1) == self._wanted.argmax(1)).float().mean())
        return Score(value, f"held-out crops: divergence {value:.4f}, same answer {same:.2f} %")
