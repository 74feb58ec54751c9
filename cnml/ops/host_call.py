"""A Python function as an operator: data sources, Python layers, sinks."""
from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from cnml.operator import Operator
from cnml.tensor import Shape


class HostCall(Operator):
    """Runs `function(inputs, parameters) -> outputs` on the host.

    Parameters
    ----------
    kind : str
        Shown in tables (the Caffe type).
    function : callable
        Gets and returns plain float32 arrays.
    shapes : list of tuple of int
        The outputs' shapes (for `dynamic`: those to assume before the first run).
    name : str
    reason : str
        Why this is not a kernel.
    dynamic : bool
        The function may return other shapes than `shapes`.
    mutates : bool
        The function changes its parameters.
    """

    results = "kept"

    def __init__(self, kind: str, function: Callable[[list[np.ndarray], list[np.ndarray]], Sequence[np.ndarray]], shapes: list[Shape], name: str = "",
                 reason: str = "", dynamic: bool = False, mutates: bool = False):
        super().__init__(name)
        self.kind = kind  # type: ignore[misc]
        self.host_reason = reason  # type: ignore[misc]
        self.dynamic = dynamic  # type: ignore[misc]
        self.mutates = mutates  # type: ignore[misc]
        self._function = function
        self._shapes = shapes

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """As told."""
        return list(self._shapes)

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """The function itself."""
        return self._function(inputs, parameters)

    def effects(self) -> bool:
        """Always: the function may do anything."""
        return True
