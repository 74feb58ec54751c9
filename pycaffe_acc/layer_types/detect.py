"""ImageDetect, DetectionOut and Yolov3Detection: output layers of the vendor's detection networks."""
from __future__ import annotations

from typing import Any

from cnml.graph import Graph
from cnml.ops.detect import ImageDetect as ImageDetectOp
from cnml.ops.detect import RegionOutput
from cnml.ops.detect import Yolov3Detection as Yolov3DetectionOp
from cnml.reference.image_detect import ImageDetectOptions
from cnml.reference.region_output import RegionOptions
from cnml.reference.yolov3_detection import Yolov3Options
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer, layer


@layer("ImageDetect")
class ImageDetect(Layer):
    """Faster R-CNN: rows (x1, y1, x2, y2, class, score), zeros behind the last."""

    exact_bottoms = 3

    @classmethod
    def parse(cls, message: Any) -> ImageDetectOptions:
        """Read image_detect_param."""
        p = message.image_detect_param
        return ImageDetectOptions(p.num_class, p.im_h, p.im_w, p.scale, p.nms_thresh, p.score_thresh)

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One ImageDetect operator."""
        return graph.add(ImageDetectOp(self.params, self.name), bottoms)


@layer("DetectionOut")
class DetectionOut(Layer):
    """YOLOv2: rows (image, class, confidence, x, y, width, height).

    With vendor_exact as in the MLU100 fork: one class a box, suppression in the order of the cells over all classes, boxes of earlier images not
    forgotten.
    """

    dynamic = True

    @classmethod
    def parse(cls, message: Any) -> Any:
        """Keep detection_out_param; it becomes RegionOptions when the context is known."""
        return message.detection_out_param

    def __init__(self, message: Any, context: Any):
        super().__init__(message, context)
        p: Any = self.params
        self.check(p.HasField("num_classes"), "num_classes is missing")
        self.params = RegionOptions(int(p.side), int(p.num_classes), int(p.num_box), p.confidence_threshold, p.nms_threshold, tuple(p.biases),
                                    "MLU100" if self.context.vendor_exact else "clean")

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One RegionOutput operator."""
        return graph.add(RegionOutput(self.params, self.name), bottoms)


@layer("Yolov3Detection")
class Yolov3Detection(Layer):
    """YOLOv3: the number of rows, 63 unused numbers, rows (image, class, score, x1, y1, x2, y2), -1 behind them.

    The fork also reshapes and overwrites the bottoms; here they stay.
    """

    exact_bottoms = None
    min_bottoms = 1

    @classmethod
    def parse(cls, message: Any) -> Yolov3Options:
        """Read yolov3_param."""
        p = message.yolov3_param
        return Yolov3Options(p.num_classes, p.num_box, p.confidence_threshold, p.nms_threshold, p.anchor_num, tuple(p.biases), (p.im_h, p.im_w))

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One Yolov3Detection operator."""
        return graph.add(Yolov3DetectionOp(self.params, self.name), bottoms)
