"""SPP: spatial pyramid pooling, a fixed number of features for any image size."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnml.graph import Graph
from cnml.ops.concat import Concat
from cnml.ops.pool import Pool
from cnml.ops.view import View
from cnml.tensor import Shape, Tensor, count
from pycaffe_acc.layer import Layer, layer
from pycaffe_acc.layer_types.pooling import METHODS


@dataclass(frozen=True)
class SPPParams:
    """spp_param."""

    height: int
    method: str


def bin_window(size: int, bins: int) -> tuple[int, int]:
    """Kernel (which is also the stride) and pad that cut an axis into bins."""
    kernel = -(-size // bins)
    return kernel, (kernel * bins - size + 1) // 2


@layer("SPP")
class SPP(Layer):
    """top = the bottom pooled into 1, 2 x 2, 4 x 4, … bins, flattened and joined; with one level the pooled image itself."""

    @classmethod
    def parse(cls, message: Any) -> SPPParams:
        """Read spp_param."""
        return SPPParams(message.spp_param.pyramid_height, METHODS[message.spp_param.pool])

    def setup(self, bottoms: list[Shape]) -> None:
        """Check the parameters."""
        self.check(self.params.height > 0, "pyramid_height is 0 or missing; it must be at least 1")

    def _level(self, graph: Graph, bottom: Tensor, level: int) -> Tensor:
        p = self.params
        bins = 2 ** level
        (kh, ph), (kw, pw) = bin_window(bottom.shape[2], bins), bin_window(bottom.shape[3], bins)
        self.check(ph < kh and pw < kw,
                   f"level {level} with {bins} bins needs the kernel {(kh, kw)} and the pad {(ph, pw)} on its bottom of shape {bottom.shape}; "
                                        "the pad must be smaller than the kernel, use fewer levels or another image size")
        self.check(p.method != "STOCHASTIC" or not ph + pw, f"level {level} needs the pad {(ph, pw)}; padding is for AVE and MAX")
        return graph.add(Pool(p.method, (kh, kw), (kh, kw), (ph, pw), name=self.name), [bottom])[0]

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """A Pool for each level, flattened by views, and a Concat."""
        shape = bottoms[0].shape
        self.check(len(shape) == 4, f"its bottom has the shape {shape}; it must have 4 axes (num, channels, height, width)")
        self.check(shape[2] > 0 and shape[3] > 0, f"its bottom has the shape {shape}; its image must not be empty")
        levels = [self._level(graph, bottoms[0], i) for i in range(self.params.height)]
        if len(levels) == 1:
            return levels
        rows = [graph.add(View((t.shape[0], count(t.shape[1:])), self.name), [t])[0] for t in levels]
        return graph.add(Concat(1, self.name), rows)
