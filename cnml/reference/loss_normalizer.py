"""What a loss is divided by."""
from __future__ import annotations

from enum import Enum


class Normalization(Enum):
    """Caffe's `loss_param.normalization`."""

    FULL = 0        # all outputs, ignored ones too
    VALID = 1       # outputs that are not ignored
    BATCH_SIZE = 2  # items along the axes in front
    NONE = 3        # 1


def loss_normalizer(mode: Normalization, outer: int, inner: int, valid: int) -> float:
    """The divisor of a loss over outer * inner outputs.

    Parameters
    ----------
    mode : Normalization
    outer, inner : int
        Items, and outputs per item.
    valid : int
        Outputs that were counted.

    Returns
    -------
    float
        At least 1, so that a batch without valid labels has the loss 0.
    """
    value = {Normalization.FULL: outer * inner, Normalization.VALID: valid, Normalization.BATCH_SIZE: outer, Normalization.NONE: 1}[mode]
    return max(1.0, float(value))
