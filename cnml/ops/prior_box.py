"""SSD's default boxes: a constant that depends on the shapes only."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.emitter import Emitter
from cnml.errors import expect
from cnml.operator import Operator
from cnml.ops.permute import copy_table
from cnml.reference.prior_box import PriorBoxOptions, box_sizes, prior_box
from cnml.tensor import Layout, Shape, Tensor


class PriorBox(Operator):
    """Boxes for each cell of input 0 over the image of input 1; only their shapes are read.

    Parameters
    ----------
    options : PriorBoxOptions
    name : str
    """

    kind = "PriorBox"
    results = "kept"

    def __init__(self, options: PriorBoxOptions, name: str = ""):
        super().__init__(name)
        self.options = options

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """(1, 2, height * width * boxes * 4), times what is reserved."""
        expect(all(len(s) == 4 for s in inputs), self, f"inputs {inputs}", "feature map and image need four axes")
        count = inputs[0][2] * inputs[0][3] * len(box_sizes(self.options)) * 4 * self.options.reserved
        expect(count > 0, self, f"a feature map {inputs[0]}", "it must not be empty")
        return [(1, 2, count)]

    def _boxes(self, shapes: list[Shape]) -> np.ndarray:
        return prior_box(self.options, shapes[0][2:], shapes[-1][2:])  # type: ignore[arg-type]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.prior_box`."""
        return [self._boxes([x.shape for x in inputs])]

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """Nothing of the inputs is read, so they stay as they are."""
        return list(given), [Layout.PLAIN]

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """The boxes are computed now and copied at each run."""
        boxes = np.ascontiguousarray(self._boxes([t.shape for t in inputs]))
        emit.call("permute_x32", boxes, outputs[0], copy_table([boxes.size], [1]))
