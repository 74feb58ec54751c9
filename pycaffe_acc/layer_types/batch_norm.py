"""BatchNorm: zero mean and unit variance per channel."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cnml.graph import Graph
from cnml.ops.batch_norm import BatchNorm as BatchNormOp
from cnml.ops.scale import Scale as ScaleOp
from cnml.tensor import Shape, Tensor
from pycaffe_acc.layer import Layer, layer

TEST = 1
STATISTICS = 3


@dataclass(frozen=True)
class BatchNormParams:
    """batch_norm_param.

    Attributes
    ----------
    use_global_stats : bool or None
        None: as the phase says.
    fraction, eps : float
    alpha_beta : bool
        The vendor's: blobs 3 and 4 hold a scale and a shift applied afterwards.
    learning_rates : tuple of float
        lr_mult of the `param` entries.
    """

    use_global_stats: bool | None
    fraction: float
    eps: float
    alpha_beta: bool
    learning_rates: tuple[float, ...]


@layer("BatchNorm")
class BatchNorm(Layer):
    """top = (bottom - mean) / sqrt(variance + eps) per channel.

    Blobs: mean * f, variance * f, f. Statistics of the batch are used, and folded into the blobs, unless use_global_stats (default in TEST).
    """

    @classmethod
    def parse(cls, message: Any) -> BatchNormParams:
        """Read batch_norm_param."""
        p = message.batch_norm_param
        stats = p.use_global_stats if p.HasField("use_global_stats") else None
        return BatchNormParams(stats, p.moving_average_fraction, p.eps, p.use_alpha_beta, tuple(spec.lr_mult for spec in message.param))

    def setup(self, bottoms: list[Shape]) -> None:
        """Three blobs of statistics."""
        p = self.params
        channels = bottoms[0][self.axis(1, len(bottoms[0]), "the channels' axis")]
        for shape in ((channels,), (channels,), (1,)):
            self.add_blob(shape)
        if p.alpha_beta:
            self.add_blob((channels,)).assign(np.ones(channels, np.float32))
            self.add_blob((channels,))
        elif len(p.learning_rates) != STATISTICS:  # exactly three entries are zeroed when a net is read
            for i, rate in enumerate(p.learning_rates):
                self.check(rate == 0, f"param {i} has lr_mult {rate:g}; the statistics are not learned, so it must be 0")

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One BatchNorm operator, and a Scale for the vendor's alpha and beta."""
        p, shape = self.params, bottoms[0].shape
        have = self.blobs[0].shape[0]
        self.check(len(shape) > 1 and shape[1] == have,
                   f"its bottom has the shape {shape} and its blobs are for {have} channels; axis 1 must keep its extent")
        stored = self.context.phase == TEST if p.use_global_stats is None else p.use_global_stats
        tops = graph.add(BatchNormOp(p.eps, stored, p.fraction, self.name), bottoms, self.blobs[:STATISTICS])
        if p.alpha_beta:
            tops = graph.add(ScaleOp(1, 1, True, self.name), tops, self.blobs[STATISTICS:])
        return tops
