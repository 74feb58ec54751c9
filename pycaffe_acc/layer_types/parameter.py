"""Parameter: a weight blob as a top."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnml.graph import Graph
from cnml.ops.host_call import HostCall
from cnml.tensor import Shape, Tensor
from pycaffe_acc.layer import Layer, layer


@dataclass(frozen=True)
class ParameterParams:
    """parameter_param."""

    shape: Shape


@layer("Parameter")
class Parameter(Layer):
    """top = the layer's one blob, of the given shape."""

    exact_bottoms = 0

    @classmethod
    def parse(cls, message: Any) -> ParameterParams:
        """Read parameter_param."""
        return ParameterParams(tuple(int(d) for d in message.parameter_param.shape.dim))

    def setup(self, bottoms: list[Shape]) -> None:
        """The blob, zeros."""
        self.add_blob(self.params.shape)

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """A copy of the blob."""
        return graph.add(HostCall("Parameter", _values, [self.params.shape], self.name, "copies a weight blob"), [], self.blobs)


def _values(inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
    return parameters
