"""Functions of one, two or three tensors, element by element, for which there is no kernel."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.errors import expect
from cnml.operator import Operator
from cnml.reference.elementwise import FUNCTIONS, elementwise
from cnml.tensor import Shape

#: functions whose results are values of the inputs, or 0 and 1
_SELECTING = {"maximum", "minimum", "choose", "not", "and", "or", "xor", "equal", "not_equal", "less", "less_equal", "greater", "greater_equal"}


class Elementwise(Operator):
    """y = function(tensors…, numbers…) for every element, shapes broadcast as in NumPy: rsqrt, floor, sine, division, logic, comparisons.

    Parameters
    ----------
    function : str
        A key of `cnml.reference.elementwise.FUNCTIONS`.
    *numbers : float
        What the function takes behind its tensors.
    name : str
    """

    kind = "Elementwise"
    host_reason = "functions of the vendor's interface that no deployed network is built of"

    def __init__(self, function: str, *numbers: float, name: str = ""):
        super().__init__(name)
        self.function = function
        self.numbers = tuple(float(n) for n in numbers)
        if function in _SELECTING:
            self.results = "selected"  # type: ignore[misc]

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """NumPy's rule of broadcasting."""
        expect(self.function in FUNCTIONS, self, f"function '{self.function}'", f"known functions: {', '.join(FUNCTIONS)}")
        wanted = FUNCTIONS[self.function][1]
        expect(len(inputs) == wanted, self, f"{len(inputs)} inputs", f"'{self.function}' takes {wanted}")
        ndim = max(len(s) for s in inputs)
        columns = list(zip(*((1,) * (ndim - len(s)) + tuple(s) for s in inputs), strict=True))
        expect(all(len(set(c) - {1}) <= 1 for c in columns), self, f"inputs {inputs}", "extents must be equal or 1, counted from the last axis")
        return [tuple(next((d for d in c if d != 1), 1) for c in columns)]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.elementwise`."""
        return [elementwise(self.function, inputs, self.numbers)]
