"""One scale and one shift a channel: BN of SegNet, ENet and the vendor at TEST."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.emitter import Emitter
from cnml.epilogue import Fold
from cnml.errors import expect
from cnml.operator import Operator
from cnml.reference.channel_affine import affine_terms, channel_affine
from cnml.tensor import Layout, Shape, Tensor, count


class ChannelAffine(Operator):
    """y = slope * (x - mean) / sqrt(variance + eps) + bias per channel; without mean and variance slope * x + bias.

    Parameters: slope and bias, or slope, bias, mean, variance, of C elements each.

    Parameters
    ----------
    eps : float
    name : str
    """

    kind = "ChannelAffine"
    inplace = True

    def __init__(self, eps: float = 1e-5, name: str = ""):
        super().__init__(name)
        self.eps = eps

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """The shape stays; each parameter has C elements."""
        shape = inputs[0]
        expect(len(shape) >= 2, self, f"input {shape}", "it needs a batch and a channel axis")
        expect(len(parameters) in (2, 4), self, f"{len(parameters)} parameters", "it takes slope and bias, or slope, bias, mean and variance")
        for p in parameters:
            expect(count(p) == shape[1], self, f"input {shape} and a parameter {p}",
                   f"each parameter needs one value for each of the {shape[1]} channels")
        return [shape]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.channel_affine`."""
        return [channel_affine(inputs[0], parameters, self.eps)]

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """Any layout."""
        return [given[0]], [given[0]]

    def as_fold(self, shape: Shape, parameters: list[Shape]) -> Fold | None:
        """A step that convolutions take into their weights."""
        return Fold("scale", 2) if len(parameters) == 2 else Fold("bn", 4, self.eps)

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """Scale and shift are computed once in float64."""
        x, eps = inputs[0], self.eps

        def pack(*parameters: np.ndarray) -> np.ndarray:
            return np.stack(affine_terms(parameters, eps)).astype(np.float32)

        table = emit.packed(("channel_affine", eps), pack, *emit.parameters)
        n, c = x.shape[:2]
        emit.call("channel_affine_f32", x, outputs[0], table, n, c, count(x.shape[2:]), x.layout is Layout.NHWC)
