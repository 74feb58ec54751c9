"""Element-wise sum, product and maximum of tensors of one shape."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.emitter import Emitter
from cnml.epilogue import IDENTITY, Activation, Fold
from cnml.errors import expect
from cnml.operator import Operator, follow_layouts
from cnml.reference.eltwise import eltwise
from cnml.tensor import Layout, Shape, Tensor


class Eltwise(Operator):
    """SUM of coeff_i * x_i, PROD of x_i, or MAX of x_i.

    Parameters
    ----------
    operation : str
        "SUM", "PROD" or "MAX".
    coeff : sequence of float
        SUM only: one for each input; empty means all 1. Ignored by MAX.
    name : str
    activation : Activation
        Applied to the result.

    Attributes
    ----------
    operation : str
    coeff : tuple of float
    activation : Activation
    """

    kind = "Eltwise"
    inplace = True

    def __init__(self, operation: str, coeff: Sequence[float] = (), name: str = "", activation: Activation = IDENTITY):
        super().__init__(name)
        self.operation = operation
        self.coeff = tuple(float(c) for c in coeff)
        self.activation = activation
        if operation == "MAX" and activation.kind == "none":
            self.results = "selected"  # type: ignore[misc]

    def coefficients(self, n: int) -> tuple[float, ...]:
        """One coefficient for each of n inputs."""
        return self.coeff or (1.0,) * n

    def takes_folds(self, shape: Shape) -> bool:
        """No."""
        return False

    def fused(self, fold: Fold | None = None, activation: Activation | None = None, name: str | None = None) -> Eltwise:
        """This operator with an activation behind it."""
        return Eltwise(self.operation, self.coeff, self.name if name is None else name, activation or self.activation)

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """All inputs have one shape, which stays."""
        expect(self.operation in ("SUM", "PROD", "MAX"), self, f"operation '{self.operation}'", "it must be SUM, PROD or MAX")
        expect(len(inputs) >= 2, self, f"{len(inputs)} inputs", "it takes at least 2")
        for i, shape in enumerate(inputs):
            expect(shape == inputs[0], self, f"input {i} of shape {shape}", f"all inputs must have the shape of the first, {inputs[0]}")
        if self.coeff:
            expect(len(self.coeff) == len(inputs), self, f"{len(self.coeff)} coefficients",
                   f"there must be none, or one for each of the {len(inputs)} inputs")
            expect(self.operation != "PROD", self, f"coefficients {self.coeff}", "PROD takes none; use SUM or scale the inputs")
        return [inputs[0]]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.eltwise`."""
        return [self.activation.apply(eltwise(inputs, self.operation, self.coefficients(len(inputs))))]

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """Any common order will do."""
        return follow_layouts(given, shapes)

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """Two inputs in one pass, each further one in another."""
        y, n = outputs[0], inputs[0].count
        terms = [(x, c) for x, c in zip(inputs, self.coefficients(len(inputs)), strict=True) if c != 0]
        if self.operation != "SUM":
            name = f"eltwise_{self.operation.lower()}_f32"
            # MAX lets a later input win only when it is greater, so it stands first from the third on
            emit.call(name, inputs[0], inputs[1], y, n)
            for x in inputs[2:]:
                emit.call(name, x, y, y, n)
        elif len(terms) < 2:
            # without any term it is the constant 0
            x, c = terms[0] if terms else (inputs[0], 0.0)
            emit.call("unary_power_f32", x, y, n, 1.0, c, 0.0)
        else:
            (x, p), *others = terms
            for i, (other, q) in enumerate(others, 1):
                end = self.activation if i == len(others) else IDENTITY
                emit.call("eltwise_sum_f32", x, other, y, n, p, q, *end.words())
                x, p = y, 1.0
            return
        self._activate(emit, y, n)

    def _activate(self, emit: Emitter, y: Tensor, n: int) -> None:
        """The activation as a pass of its own."""
        if self.activation.kind == "relu":
            emit.call("unary_relu_f32", y, y, n, float(self.activation.a))
        elif self.activation.kind == "clip":
            emit.call("unary_clip_f32", y, y, n, float(self.activation.a), float(self.activation.b))
