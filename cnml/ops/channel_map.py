"""Affine steps per channel and an activation, in one pass."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.broadcast import bands, repeated, repeats
from cnml.emitter import Emitter
from cnml.epilogue import IDENTITY, Activation, Fold, fold_affine
from cnml.errors import expect
from cnml.operator import Operator
from cnml.reference.channel_map import channel_map
from cnml.tensor import Layout, Shape, Tensor, count


class ChannelMap(Operator):
    """y = activation(factor * x + shift) per channel (axis 1): what BatchNorm, Scale and ReLU in a row amount to.

    Parameters
    ----------
    folds : tuple of Fold
        The affine steps; the node's parameters are theirs, one after another.
    activation : Activation
    name : str
    """

    kind = "ChannelMap"
    inplace = True

    def __init__(self, folds: tuple[Fold, ...], activation: Activation = IDENTITY, name: str = ""):
        super().__init__(name)
        self.folds = folds
        self.activation = activation

    def takes_folds(self, shape: Shape) -> bool:
        """Always: every step is along the same axis."""
        return True

    def fused(self, fold: Fold | None = None, activation: Activation | None = None, name: str | None = None) -> ChannelMap:
        """This operator with one more step behind it."""
        return ChannelMap((*self.folds, fold) if fold else self.folds, activation or self.activation, self.name if name is None else name)

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """The shape stays; every parameter has one value a channel, or a single one."""
        shape = inputs[0]
        expect(len(shape) >= 2, self, f"input {shape}", "it must have at least 2 axes; axis 1 holds the channels")
        wanted = sum(f.parameters for f in self.folds)
        expect(len(parameters) == wanted, self, f"{len(parameters)} parameters", f"its steps take {wanted}")
        for p in parameters:
            expect(count(p) in (1, shape[1]), self, f"input {shape} and a parameter {p}",
                   f"it must have one value for each of the {shape[1]} channels")
        return [shape]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.channel_map`."""
        factor, shift = fold_affine(self.folds, parameters, inputs[0].shape[1])
        return [self.activation.apply(channel_map(inputs[0], factor, shift))]

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """Any order will do."""
        return [given[0]], [given[0]]

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """One pass; factor and shift are computed once in float64."""
        x = inputs[0]
        plan = bands(x.shape, x.layout, 1, 1)
        times = repeats(plan)

        def pack(*arrays: np.ndarray) -> np.ndarray:
            return np.tile(np.stack(fold_affine(self.folds, arrays, x.shape[1])), times).astype(np.float32)

        first, *others = emit.parameters
        maps = emit.packed(("channel_map", self.folds, times), pack, first, *others)
        emit.call("factor_affine_f32", x, maps[0], maps[1], outputs[0], x.count, *repeated(plan, times), *self.activation.words())
