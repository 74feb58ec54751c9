"""Sums, differences and products of two tensors whose shapes broadcast."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.errors import expect
from cnml.operator import Operator
from cnml.reference.arithmetic import arithmetic
from cnml.tensor import Shape


class BroadcastArithmetic(Operator):
    """y = a combined with b, shapes broadcast as in NumPy.

    Parameters
    ----------
    function : {"add", "sub", "mul"}
    name : str
    """

    kind = "BroadcastArithmetic"
    host_reason = "free broadcasting appears only in converted nets"

    def __init__(self, function: str, name: str = ""):
        super().__init__(name)
        self.function = function

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """NumPy's rule."""
        a, b = inputs
        n = max(len(a), len(b))
        pairs = list(zip((1,) * (n - len(a)) + a, (1,) * (n - len(b)) + b, strict=True))
        expect(all(i == j or 1 in (i, j) for i, j in pairs), self, f"inputs {a} and {b}", "extents must be equal or 1, counted from the last axis")
        return [tuple(j if i == 1 else i for i, j in pairs)]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.arithmetic`."""
        return [arithmetic(self.function, *inputs)]
