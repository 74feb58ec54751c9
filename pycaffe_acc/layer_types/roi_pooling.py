"""ROIPooling, ROIAlign and PSROIPooling: features of regions of interest."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnml.graph import Graph
from cnml.ops.roi import CheckRois, PsRoiPooling, RoiAlign, RoiMaxPooling, RoiPool
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer, layer


@dataclass(frozen=True)
class RoiParams:
    """What the three layers' messages say.

    Attributes
    ----------
    scale : float
        spatial_scale.
    pooled : tuple of int
        Height and width of the output (group_size twice for PSROIPooling).
    extra : int
        sampling_ratio or output_dim.
    """

    scale: float
    pooled: tuple[int, int]
    extra: int = 0


class RoiLayer(Layer):
    """Bottom 0: feature map, bottom 1: rows (image, x1, y1, x2, y2); top: one image a row."""

    exact_bottoms = 2
    params: RoiParams

    def operator(self) -> RoiPool:
        """The pooling operator."""
        raise TypeError("each layer type makes its own operator")

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """A check of the rows and the pooling operator."""
        op = self.operator()
        op.reshape([b.shape for b in bottoms], [])
        rois = graph.add(CheckRois(bottoms[0].shape[0], self.name), [bottoms[1]])
        return graph.add(op, [bottoms[0], *rois])


@layer("ROIPooling")
class ROIPooling(RoiLayer):
    """Maximum of each bin (Fast R-CNN)."""

    @classmethod
    def parse(cls, message: Any) -> RoiParams:
        """Read roi_pooling_param."""
        p = message.roi_pooling_param
        return RoiParams(p.spatial_scale, (int(p.pooled_h), int(p.pooled_w)))

    def operator(self) -> RoiPool:
        """RoiMaxPooling."""
        self.check(min(self.params.pooled) > 0, f"pooled_h and pooled_w are {self.params.pooled}; both must be positive")
        return RoiMaxPooling(self.params.scale, self.params.pooled, self.name)


@layer("ROIAlign")
class ROIAlign(RoiLayer):
    """Mean of bilinear samples of each bin (Mask R-CNN)."""

    @classmethod
    def parse(cls, message: Any) -> RoiParams:
        """Read roi_align_param."""
        p = message.roi_align_param
        return RoiParams(p.spatial_scale, (int(p.pooled_h), int(p.pooled_w)), int(p.sampling_ratio))

    def operator(self) -> RoiPool:
        """RoiAlign."""
        self.check(min(self.params.pooled) > 0, f"pooled_h and pooled_w are {self.params.pooled}; both must be positive")
        return RoiAlign(self.params.scale, self.params.pooled, self.params.extra, self.name)


@layer("PSROIPooling")
class PSROIPooling(RoiLayer):
    """Position-sensitive averages (R-FCN)."""

    @classmethod
    def parse(cls, message: Any) -> Any:
        """Keep psroi_pooling_param for the checks that need the layer's name."""
        return message.psroi_pooling_param

    def __init__(self, message: Any, context: Any):
        super().__init__(message, context)
        p: Any = self.params
        for field in ("spatial_scale", "output_dim", "group_size"):
            self.check(p.HasField(field) and getattr(p, field) > 0,
                       f"{field} is missing or not positive; this type needs spatial_scale, output_dim and group_size")
        self.params = RoiParams(p.spatial_scale, (p.group_size, p.group_size), p.output_dim)

    def operator(self) -> RoiPool:
        """PsRoiPooling."""
        return PsRoiPooling(self.params.scale, self.params.extra, self.params.pooled[0], self.name)
