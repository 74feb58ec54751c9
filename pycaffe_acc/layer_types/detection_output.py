"""DetectionOutput: SSD's last layer."""
from __future__ import annotations

from typing import Any

import numpy as np

from cnml.graph import Graph
from cnml.ops.detection_output import DetectionOutput as DetectionOutputOp
from cnml.reference.detection_output import DetectionOptions
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer, layer


@layer("DetectionOutput")
class DetectionOutput(Layer):
    """top (1, 1, K, 7): rows (image, label, score, xmin, ymin, xmax, ymax).

    With vendor_exact the boxes are clipped to [0, 1] and a batch without detections gives one row of -1; SSD gives one row an image with its number
    in front. Writing result files (save_output_param) and drawing (visualize) are not done.
    """

    exact_bottoms = None
    min_bottoms = 3
    max_bottoms = 4
    dynamic = True

    @classmethod
    def parse(cls, message: Any) -> Any:
        """Keep detection_output_param; it becomes DetectionOptions when the context is known."""
        return message.detection_output_param

    def __init__(self, message: Any, context: Any):
        super().__init__(message, context)
        p, exact = self.params, self.context.vendor_exact
        self.check(p.HasField("num_classes") and p.num_classes > 0, "num_classes is missing; it counts the classes with the background")
        self.check(p.nms_param.nms_threshold >= 0, f"nms_threshold {p.nms_param.nms_threshold} must not be negative")
        self.check(p.nms_param.eta > 0 and p.nms_param.eta <= 1, f"eta {p.nms_param.eta} must be in (0, 1]")
        self.params = DetectionOptions(
            int(p.num_classes), p.share_location, p.background_label_id, p.code_type, p.variance_encoded_in_target,
            p.confidence_threshold if p.HasField("confidence_threshold") else -float(np.finfo(np.float32).max), p.nms_param.nms_threshold,
            p.nms_param.eta,
            p.nms_param.top_k if p.nms_param.HasField("top_k") else -1, p.keep_top_k, exact, exact)

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One DetectionOutput operator; a fourth bottom (the image, for drawing) is not read."""
        return graph.add(DetectionOutputOp(self.params, self.name), bottoms[:3])
