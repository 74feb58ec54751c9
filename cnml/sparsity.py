"""How many weights of an operator are zero, and how many of them its kernel leaves out."""
from __future__ import annotations

from typing import NamedTuple


class Sparsity(NamedTuple):
    """Weights of an operator, or of several in sum.

    Attributes
    ----------
    weights : int
    zeros : int
        Those that are zero: the sparsity that pruning achieved.
    skipped : int
        Zeros that the chosen kernel neither reads nor multiplies: the sparsity that is exploited, none of it in a dense kernel.
    macs, skipped_macs : int
        Multiply-accumulates of the dense operator, and those of them that the kernel leaves out.
    """

    weights: int = 0
    zeros: int = 0
    skipped: int = 0
    macs: int = 0
    skipped_macs: int = 0

    def __add__(self, other: object) -> Sparsity:
        """Both together."""
        if not isinstance(other, Sparsity):
            return NotImplemented
        return Sparsity(*(a + b for a, b in zip(self, other, strict=True)))

    @property
    def achieved(self) -> float:
        """Share of the weights that is zero."""
        return self.zeros / self.weights if self.weights else 0.0

    @property
    def exploited(self) -> float:
        """Share of the weights that the kernels skip."""
        return self.skipped / self.weights if self.weights else 0.0
