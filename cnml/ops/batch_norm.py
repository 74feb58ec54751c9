"""Batch normalisation without its affine part."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.broadcast import bands, repeated, repeats
from cnml.emitter import Emitter
from cnml.epilogue import IDENTITY, Activation, Fold
from cnml.errors import expect
from cnml.operator import Operator
from cnml.ops.channel_map import ChannelMap
from cnml.reference.batch_norm import batch_statistics, normalize, stored_statistics, update_statistics
from cnml.tensor import Layout, Shape, Tensor


class BatchNorm(Operator):
    """y = (x - mean) / sqrt(variance + eps) per channel (axis 1).

    Parameters of the node: mean * f, variance * f, f (shapes (C), (C), (1)).

    Parameters
    ----------
    eps : float
    use_global_stats : bool
        True: the stored statistics. False: those of the batch, which are also folded into the stored ones.
    fraction : float
        Weight of the stored statistics when a batch is folded in.
    name : str
    activation : Activation
        Applied to the result.

    Attributes
    ----------
    eps, use_global_stats, fraction
        As given. With use_global_stats it is an affine map per channel; see `affine`.
    """

    kind = "BatchNorm"
    inplace = True

    def __init__(self, eps: float, use_global_stats: bool, fraction: float = 0.999, name: str = "", activation: Activation = IDENTITY):
        super().__init__(name)
        self.eps = eps
        self.use_global_stats = use_global_stats
        self.fraction = fraction
        self.activation = activation
        if not use_global_stats:
            self.mutates = True  # type: ignore[misc]
            self.host_reason = "statistics of the batch are for training; they change the layer's parameters"  # type: ignore[misc]

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """The shape stays; the channels must be those of the statistics."""
        shape = inputs[0]
        expect(len(shape) >= 2, self, f"input {shape}", "it must have at least 2 axes; axis 1 holds the channels")
        expect(list(parameters[:3]) == [(shape[1],), (shape[1],), (1,)], self, f"input {shape} and parameters {parameters}",
               "the statistics must have one value a channel")
        return [shape]

    def takes_folds(self, shape: Shape) -> bool:
        """Whether affine steps per channel can follow in the same pass: with stored statistics."""
        return self.use_global_stats

    def fused(self, fold: Fold | None = None, activation: Activation | None = None, name: str | None = None) -> Operator:
        """This operator with one more step behind it."""
        label, after = self.name if name is None else name, activation or self.activation
        if fold is None:
            return BatchNorm(self.eps, self.use_global_stats, self.fraction, label, after)
        return ChannelMap((Fold("batch_norm", 3, self.eps), fold), after, label)

    def affine(self, mean: np.ndarray, variance: np.ndarray, factor: np.ndarray) -> np.ndarray:
        """(2, C) float64: the scale and the shift that the stored statistics amount to, y = x * scale + shift."""
        m, v = stored_statistics(mean, variance, factor)
        scale = 1.0 / np.sqrt(v + self.eps)
        return np.stack([scale, -m * scale])

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.batch_norm`."""
        x = inputs[0]
        if self.use_global_stats:
            return [self.activation.apply(normalize(x, *stored_statistics(*parameters[:3]), self.eps))]
        mean, variance = batch_statistics(x)
        y = self.activation.apply(normalize(x, mean, variance, self.eps))
        update_statistics(parameters[:3], mean, variance, x.size // max(x.shape[1], 1), self.fraction)
        return [y]

    def as_fold(self, shape: Shape, parameters: list[Shape]) -> Fold | None:
        """With stored statistics an affine step per channel."""
        return Fold("batch_norm", 3, self.eps) if self.use_global_stats and len(parameters) == 3 else None

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """Any order will do for the kernel."""
        layout = given[0] if self.use_global_stats else Layout.PLAIN
        return [layout], [layout]

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """One affine pass with the stored statistics."""
        if not self.use_global_stats:
            emit.host(self)
            return
        x = inputs[0]
        plan = bands(x.shape, x.layout, 1, 1)
        times = repeats(plan)

        def pack(*statistics: np.ndarray) -> np.ndarray:
            return np.tile(self.affine(*statistics), times).astype(np.float32)

        maps = emit.packed(("batch_norm", self.eps, times), pack, *emit.parameters[:3])
        emit.call("factor_affine_f32", x, maps[0], maps[1], outputs[0], x.count, *repeated(plan, times), *self.activation.words())
