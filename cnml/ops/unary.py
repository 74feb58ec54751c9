"""Element-wise functions of one tensor: the activations and Power, Exp, Log, Threshold."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.emitter import Emitter
from cnml.epilogue import Activation
from cnml.errors import expect
from cnml.operator import Operator, follow_layouts
from cnml.reference.unary import unary
from cnml.tensor import Layout, Shape, Tensor

#: function → names of its parameters, in order; the formulas stand in `cnml.reference.unary`
FUNCTIONS: dict[str, tuple[str, ...]] = {
    "relu": ("slope",),
    "relu_limit": ("slope", "limit"),
    "clip": ("low", "high"),
    "elu": ("alpha",),
    "sigmoid": (),
    "tanh": (),
    "abs": (),
    "swish": ("beta",),
    "bnll": (),
    "exp": ("inner", "outer"),
    "log": ("scale", "shift", "outer"),
    "power": ("exponent", "scale", "shift"),
    "threshold": ("limit",),
}


class Unary(Operator):
    """y = function(x) for every element.

    Parameters
    ----------
    function : str
        A key of `FUNCTIONS`.
    *params : float
        The function's parameters in the order of `FUNCTIONS`.
    name : str

    Attributes
    ----------
    function : str
    params : tuple of float
        What a producer needs to apply the function itself: `Unary("relu", slope)` is max(x, 0) + slope * min(x, 0), `Unary("clip", low, high)` is
        max(low, min(x, high)).
    """

    kind = "Unary"
    inplace = True

    def __init__(self, function: str, *params: float, name: str = ""):
        super().__init__(name)
        self.function = function
        self.params = tuple(float(p) for p in params)
        self.kind = function.title()  # type: ignore[misc]
        if function in ("abs", "threshold") or (function == "relu" and not any(self.params)):
            self.results = "selected"  # type: ignore[misc]

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """The shape stays."""
        expect(self.function in FUNCTIONS, self, f"function '{self.function}'", f"known functions: {', '.join(FUNCTIONS)}")
        names = FUNCTIONS[self.function]
        expect(len(self.params) == len(names), self, f"{len(self.params)} parameters",
               f"'{self.function}' takes {len(names)}: {', '.join(names) or 'none'}")
        return [inputs[0]]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.unary`."""
        return [unary(inputs[0], self.function, self.params)]

    def as_activation(self) -> Activation | None:
        """relu and clip can be applied by a producer while it stores."""
        return Activation(self.function, *self.params) if self.function in ("relu", "clip") else None

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """Any order will do."""
        return follow_layouts(given, shapes)

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """One pass over the elements."""
        emit.call(f"unary_{self.function}_f32", inputs[0], outputs[0], inputs[0].count, *self.params)
