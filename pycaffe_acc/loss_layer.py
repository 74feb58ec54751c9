"""What Caffe's loss layers have in common."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnml.reference.loss_normalizer import Normalization
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer


@dataclass(frozen=True)
class LossParams:
    """loss_param: what does not count, and what the sum is divided by."""

    ignore: int | None
    normalization: Normalization


def read_loss_param(message: Any, default: Normalization = Normalization.VALID) -> LossParams:
    """loss_param of a layer; the older `normalize: true/false` means VALID/BATCH_SIZE and loses to `normalization`."""
    p = message.loss_param
    mode = default
    if p.HasField("normalization"):
        mode = Normalization(int(p.normalization))
    elif p.HasField("normalize"):
        mode = Normalization.VALID if p.normalize else Normalization.BATCH_SIZE
    return LossParams(int(p.ignore_label) if p.HasField("ignore_label") else None, mode)


class LossLayer(Layer):
    """Two bottoms with the same number of items, one scalar top, which is made up when the prototxt names none."""

    exact_bottoms = 2
    auto_top = True

    def check_items(self, bottoms: list[Tensor]) -> None:
        """Bottom 0 and bottom 1 must agree along axis 0."""
        a, b = bottoms[0].shape, bottoms[1].shape
        self.check(a[:1] == b[:1], f"the data has the shape {a} and the label {b}; both must have the same first dimension")
