"""PReLU: ReLU with learned slopes."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cnml.graph import Graph
from cnml.ops.prelu import PRelu
from cnml.tensor import Shape, Tensor
from pycaffe_acc.layer import Layer, layer

DEFAULT_SLOPE = 0.25


@dataclass(frozen=True)
class PReLUParams:
    """prelu_param."""

    filler: Any
    channel_shared: bool


@layer("PReLU")
class PReLU(Layer):
    """top = max(bottom, 0) + slope * min(bottom, 0), a slope for each channel or one for all."""

    @classmethod
    def parse(cls, message: Any) -> PReLUParams:
        """Read prelu_param."""
        p = message.prelu_param
        return PReLUParams(p.filler if p.HasField("filler") else None, p.channel_shared)

    def setup(self, bottoms: list[Shape]) -> None:
        """The slopes."""
        p, shape = self.params, bottoms[0]
        self.check(len(shape) >= 2, f"its bottom has the shape {shape}; it must have at least 2 axes, axis 1 being the channels")
        slopes: Shape = () if p.channel_shared else (shape[1],)
        blob = self.add_blob(slopes, p.filler)
        if p.filler is None:
            blob.assign(np.full(slopes, DEFAULT_SLOPE, np.float32))

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One PRelu operator."""
        shape = bottoms[0].shape
        self.check(len(shape) >= 2, f"its bottom has the shape {shape}; it must have at least 2 axes, axis 1 being the channels")
        have = self.blobs[0].shape
        self.check(have in ((), (shape[1],)), f"its bottom has the shape {shape} and its blob {have}; axis 1 must keep its extent")
        return graph.add(PRelu(self.name), bottoms, self.blobs)
