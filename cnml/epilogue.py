"""What a convolution or inner product may do to its result before it is stored, and how affine steps fold into its weights."""
from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

#: added to the mode of a kernel's ending: what it stores is rounded to half
HALF = 4


class Activation(NamedTuple):
    """An element-wise end of a fused operator.

    Attributes
    ----------
    kind : str
        "none", "relu" (max(x, 0) + a * min(x, 0)) or "clip" (a ≤ x ≤ b).
    a, b : float
    """

    kind: str = "none"
    a: float = 0.0
    b: float = 0.0

    def words(self) -> tuple[int, float, float]:
        """Mode, low and high as the tiles take them: 0 none, 1 relu, 2 leaky (low is the slope), 3 clip."""
        if self.kind == "relu":
            return (2, float(self.a), 0.0) if self.a else (1, 0.0, 0.0)
        return (3, float(self.a), float(self.b)) if self.kind == "clip" else (0, 0.0, 0.0)

    def apply(self, y: np.ndarray) -> np.ndarray:
        """The activation of an array."""
        if self.kind == "relu":
            return np.maximum(y, 0) + self.a * np.minimum(y, 0)
        if self.kind == "clip":
            return np.minimum(np.maximum(y, self.a), self.b)
        return y


#: no activation
IDENTITY = Activation()


class Fold(NamedTuple):
    """An affine step per output channel whose parameters follow those of the operator.

    Attributes
    ----------
    kind : str
        "batch_norm" (mean, variance, scale factor), "scale" (factor[, shift]), "bias" (shift) or "bn" (factor, shift, mean, variance).
    parameters : int
        How many of the node's parameters it takes.
    eps : float
        Of a batch norm.
    """

    kind: str
    parameters: int
    eps: float = 0.0


def fold_affine(folds: Sequence[Fold], arrays: Sequence[np.ndarray], outputs: int) -> tuple[np.ndarray, np.ndarray]:
    """The steps in sequence as one: y = factor * x + shift.

    Parameters
    ----------
    folds : sequence of Fold
    arrays : sequence of ndarray
        Their parameters, one after another.
    outputs : int
        Number of channels.

    Returns
    -------
    factor, shift : (outputs,) float64 ndarray
    """
    factor, shift = np.ones(outputs), np.zeros(outputs)
    at = 0
    with np.errstate(all="ignore"):  # a variance of 0 with eps 0 gives infinity, as in Caffe
        for fold in folds:
            own = [np.asarray(a, np.float64).reshape(-1) for a in arrays[at:at + fold.parameters]]
            at += fold.parameters
            if fold.kind == "batch_norm":
                mean, variance, count = own
                f = 0.0 if count[0] == 0 else 1.0 / count[0]
                g = 1.0 / np.sqrt(variance * f + fold.eps)
                factor, shift = factor * g, (shift - mean * f) * g
            elif fold.kind == "scale":
                factor, shift = factor * own[0], shift * own[0] + (own[1] if len(own) > 1 else 0.0)
            elif fold.kind == "bn":
                g = own[0] / np.sqrt(own[3] + fold.eps)
                factor, shift = factor * g, (shift - own[2]) * g + own[1]
            else:
                shift = shift + own[0]
    return factor, shift
