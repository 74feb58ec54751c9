"""Pooling over regions of interest."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.emitter import Emitter
from cnml.errors import CnmlError, expect
from cnml.operator import Operator
from cnml.reference.roi import psroi_pooling, roi_align, roi_pooling
from cnml.tensor import Layout, Shape, Tensor, count


class RoiPool(Operator):
    """Base: inputs are a feature map (N, C, H, W) and rois of rows (image, x1, y1, x2, y2); the output has one image a row.

    Parameters
    ----------
    scale : float
        Cells a pixel.
    pooled : tuple of int
        Output height and width.
    name : str
    """

    def __init__(self, scale: float, pooled: tuple[int, int], name: str = ""):
        super().__init__(name)
        self.scale = scale
        self.pooled = pooled

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """(rows of rois, C, pooled)."""
        x, rois = inputs
        expect(len(x) == 4, self, f"feature map {x}", "it needs the four axes N, C, H, W")
        expect(min(self.pooled) > 0, self, f"pooled size {self.pooled}", "both must be positive")
        five = rois[-1] == 5 if len(rois) == 4 else len(rois) >= 2 and count(rois[1:]) == 5
        expect(five, self, f"rois {rois}", "each row needs five numbers: image, x1, y1, x2, y2")
        return [(count(rois) // 5, self.channels(x), *self.pooled)]

    def channels(self, shape: Shape) -> int:
        """Channels of the output for a feature map's shape."""
        return shape[1]

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """Channels innermost: a bin is read pixel by pixel."""
        return [Layout.NHWC, Layout.PLAIN], [Layout.NHWC]


class CheckRois(Operator):
    """Passes rois on after checking that they name images of the batch and hold numbers.

    Parameters
    ----------
    images : int
    name : str
    """

    kind = "CheckRois"
    results = "kept"
    host_reason = "kernels cannot report an image number outside the batch"

    def __init__(self, images: int, name: str = ""):
        super().__init__(name)
        self.images = images

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """The shape stays."""
        return [inputs[0]]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """Raises CnmlError for the first bad row."""
        rows = inputs[0].reshape(-1, 5)
        bad = np.flatnonzero(~(np.isfinite(rows).all(axis=1) & (rows[:, 0] >= 0) & (rows[:, 0] < self.images)))
        if len(bad):
            raise CnmlError(f"failed to run the regions of '{self.name}': row {bad[0]} is {rows[bad[0]].tolist()}; it must hold finite numbers and "
                            f"name one of the "
                            f"{self.images} images of the batch (0..{self.images - 1})")
        # a corner far outside the map would not fit an integer
        return [np.clip(inputs[0], -1e6, 1e6)]


class RoiMaxPooling(RoiPool):
    """The maximum of each bin (Fast R-CNN)."""

    kind = "ROIPooling"
    results = "selected"

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.roi`."""
        return [roi_pooling(inputs[0], inputs[1], self.scale, self.pooled)]

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """Bins are found in the kernel."""
        n, c, h, w = inputs[0].shape
        emit.call("roi_pooling_f32", *inputs, outputs[0], n, c, h, w, outputs[0].shape[0], *self.pooled, float(np.float32(self.scale)))


class RoiAlign(RoiPool):
    """The mean of bilinear samples of each bin (Mask R-CNN).

    Parameters
    ----------
    scale, pooled, name :
        See `RoiPool`.
    ratio : int
        Samples a side of a bin; 0: as many as the bin has cells.
    """

    kind = "ROIAlign"
    value_inputs = 1

    def __init__(self, scale: float, pooled: tuple[int, int], ratio: int = 0, name: str = ""):
        super().__init__(scale, pooled, name)
        self.ratio = ratio

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.roi`."""
        return [roi_align(inputs[0], inputs[1], self.scale, self.pooled, self.ratio)]

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """Samples are found in the kernel."""
        n, c, h, w = inputs[0].shape
        emit.call("roi_align_f32", *inputs, outputs[0], n, c, h, w, outputs[0].shape[0], *self.pooled, self.ratio, float(np.float32(self.scale)))


class PsRoiPooling(RoiPool):
    """Position-sensitive averages (R-FCN): each bin reads its own channels.

    Parameters
    ----------
    scale : float
    outputs : int
        Channels of the output.
    group : int
        Bins a side.
    name : str
    """

    kind = "PSROIPooling"
    value_inputs = 1

    def __init__(self, scale: float, outputs: int, group: int, name: str = ""):
        super().__init__(scale, (group, group), name)
        self.outputs = outputs
        self.group = group

    def channels(self, shape: Shape) -> int:
        """The feature map needs outputs * group * group channels."""
        want = self.outputs * self.group * self.group
        expect(shape[1] == want, self, f"{shape[1]} channels", f"output_dim {self.outputs} with group_size {self.group} needs {want}")
        return self.outputs

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.roi`."""
        return [psroi_pooling(inputs[0], inputs[1], self.scale, self.outputs, self.group)]

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """Every bin reads one channel, so planes are the better order."""
        return [Layout.PLAIN, Layout.PLAIN], [Layout.PLAIN]

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """Bins are found in the kernel."""
        n, c, h, w = inputs[0].shape
        emit.call("psroi_pooling_f32", *inputs, outputs[0], n, c, h, w, outputs[0].shape[0], self.outputs, self.group, float(np.float32(self.scale)))
