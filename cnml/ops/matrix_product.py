"""Products of two computed matrices."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.errors import expect
from cnml.operator import Operator
from cnml.reference.matrix_product import matrix_product
from cnml.tensor import Shape


class MatrixProduct(Operator):
    """y = a b for the matrices in the last two axes; either may be read transposed.

    Parameters
    ----------
    transpose_a, transpose_b : bool
    name : str
    """

    kind = "MatrixProduct"
    host_reason = "both factors are computed values, which no Caffe layer multiplies; NumPy's product is a library call"

    def __init__(self, transpose_a: bool = False, transpose_b: bool = False, name: str = ""):
        super().__init__(name)
        self.transpose_a, self.transpose_b = transpose_a, transpose_b

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """Leading axes are equal, and so are the inner extents."""
        a, b = inputs
        expect(len(a) == len(b) >= 2 and a[:-2] == b[:-2], self, f"factors {a} and {b}", "their leading axes must be equal")
        rows, inner = (a[-1], a[-2]) if self.transpose_a else a[-2:]
        inner_b, columns = (b[-1], b[-2]) if self.transpose_b else b[-2:]
        expect(inner == inner_b, self, f"factors {a} and {b}", f"the first gives rows of {inner} and the second columns of {inner_b}")
        return [(*a[:-2], rows, columns)]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.matrix_product`."""
        return [matrix_product(*inputs, self.transpose_a, self.transpose_b)]
