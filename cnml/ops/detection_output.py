"""SSD's detection layer."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.errors import expect
from cnml.operator import Operator
from cnml.ops.compiled_nms import compiled_nms
from cnml.reference.detection_output import DetectionOptions, detection_output
from cnml.tensor import Shape, count


class DetectionOutput(Operator):
    """Inputs: offsets (N, P * L * 4), scores (N, P * classes), priors (1, 2, P * 4). Output: (1, 1, K, 7) rows, K known after a run.

    Parameters
    ----------
    options : DetectionOptions
    name : str
    """

    kind = "DetectionOutput"
    results = "kept"
    dynamic = True
    host_reason = "the number of detections depends on the data"

    def __init__(self, options: DetectionOptions, name: str = ""):
        super().__init__(name)
        self.options = options

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """Counts must belong together; the shape assumed is one row."""
        loc, conf, prior = inputs
        o = self.options
        expect(len(prior) >= 3 and prior[2] % 4 == 0, self, f"priors {prior}", "they must be (1, 2, 4 * priors)")
        priors, locations = prior[2] // 4, 1 if o.share_location else o.classes
        expect(loc[0] == conf[0], self, f"locations {loc} and confidences {conf}", "both need the same batch")
        expect(count(loc[1:]) == priors * locations * 4, self, f"locations {loc} for {priors} priors",
               f"each image needs {priors} x {locations} x 4 numbers")
        expect(count(conf[1:]) == priors * o.classes, self, f"confidences {conf} for {priors} priors",
               f"each image needs {priors} x {o.classes} numbers")
        expect(o.code_type in (1, 2, 3), self, f"code_type {o.code_type}", "it must be CORNER, CENTER_SIZE or CORNER_SIZE")
        return [(1, 1, 1, 7)]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.detection_output`."""
        return [detection_output(inputs[0], inputs[1], inputs[2], self.options, compiled_nms)]
