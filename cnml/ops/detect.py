"""Output layers of the vendor's detection networks: Faster R-CNN, YOLOv2, YOLOv3."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.errors import expect
from cnml.operator import Operator
from cnml.ops.compiled_nms import compiled_nms
from cnml.reference.image_detect import ImageDetectOptions, image_detect
from cnml.reference.region_output import RegionOptions, region_output
from cnml.reference.yolov3_detection import HEADER, Yolov3Options, yolov3_detection
from cnml.tensor import Shape, count


class ImageDetect(Operator):
    """Inputs: offsets (R, 4 * classes), scores (R, classes), rois (R, 5). Output (1, R * classes, 1, 6).

    Parameters
    ----------
    options : ImageDetectOptions
    name : str
    """

    kind = "ImageDetect"
    results = "kept"
    host_reason = "suppression, data dependent"

    def __init__(self, options: ImageDetectOptions, name: str = ""):
        super().__init__(name)
        self.options = options

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """One row for every region and class."""
        offsets, scores, rois = inputs
        classes, n = self.options.classes, offsets[0]
        expect(classes > 0 and self.options.scale > 0, self, f"num_class {classes} and scale {self.options.scale}", "both must be positive")
        expect(count(offsets) == 4 * classes * n and count(scores) == classes * n and count(rois) == 5 * n, self,
               f"offsets {offsets}, scores {scores} and rois {rois}", f"each region needs 4 x {classes}, {classes} and 5 numbers")
        return [(1, n * classes, 1, 6)]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.image_detect`."""
        n = inputs[0].shape[0]
        return [image_detect(inputs[0].reshape(n, -1), inputs[1], inputs[2], self.options)]


class RegionOutput(Operator):
    """Input (N, boxes * (5 + classes), side, side); output rows (image, class, confidence, x, y, width, height), their number known after a run.

    Parameters
    ----------
    options : RegionOptions
    name : str
    """

    kind = "DetectionOut"
    results = "kept"
    dynamic = True
    host_reason = "the number of detections depends on the data"

    def __init__(self, options: RegionOptions, name: str = ""):
        super().__init__(name)
        self.options = options

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """The shape assumed is one row."""
        x, o = inputs[0], self.options
        want = (o.boxes * (5 + o.classes), o.side, o.side)
        expect(len(x) == 4 and x[1:] == want, self, f"input {x}",
               f"side {o.side}, num_box {o.boxes} and num_classes {o.classes} need images of {want}")
        expect(len(o.anchors) >= 2 * o.boxes, self, f"{len(o.anchors)} biases", f"num_box {o.boxes} needs {2 * o.boxes}")
        return [(1, 1, 1, 7)]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.region_output`."""
        return [region_output(inputs[0], self.options)]


class Yolov3Detection(Operator):
    """Inputs: feature maps (N, anchors * (5 + classes), H, W). Output (1, N * (7 * boxes + 64), 1, 1).

    Parameters
    ----------
    options : Yolov3Options
    name : str
    """

    kind = "Yolov3Detection"
    results = "kept"
    host_reason = "suppression, data dependent"

    def __init__(self, options: Yolov3Options, name: str = ""):
        super().__init__(name)
        self.options = options

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """A fixed number of rows."""
        o = self.options
        channels = o.anchors * (5 + o.classes)
        for x in inputs:
            expect(len(x) == 4 and x[1] == channels and x[0] == inputs[0][0], self, f"input {x}",
                   f"it needs {channels} channels and the batch of the first, {inputs[0][0]}")
        expect(len(o.sizes) == 2 * o.anchors * len(inputs), self, f"{len(o.sizes)} biases",
               f"{len(inputs)} inputs with anchor_num {o.anchors} need {2 * o.anchors * len(inputs)}")
        expect(o.boxes > 0 and min(o.image) > 0, self, f"num_box {o.boxes} and image {o.image}", "all must be positive")
        return [(1, inputs[0][0] * (7 * o.boxes + HEADER), 1, 1)]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.yolov3_detection`."""
        return [yolov3_detection(inputs, self.options, compiled_nms)]
