"""Pooling over regions of interest."""
from __future__ import annotations

from cnml.ops.roi import CheckRois, RoiPool
from cnml.tensor import Shape
from pycaffe_acc.onnx_export.onnx_graph import OnnxGraph, Step

#: the first opset whose RoiAlign may sample between the centres of cells; before, it samples as Caffe's does
HALF_PIXEL_OPSET = 16


def check_rois(g: OnnxGraph, s: Step) -> list[str]:
    """Nothing: a region of no image is an error of the runtime as well."""
    assert isinstance(s.op, CheckRois)
    return list(s.inputs)


def _rows(g: OnnxGraph, s: Step) -> tuple[str, Shape]:
    """The regions as rows of five numbers."""
    assert isinstance(s.op, RoiPool)
    shape = (s.tops[0][0], 5)
    images, _, height, width = s.shapes[0]
    g.regions[s.inputs[1]] = (images, height / s.op.scale, width / s.op.scale)
    return g.reshape(s.inputs[1], s.shapes[1], shape), shape


def roi_pooling(g: OnnxGraph, s: Step) -> list[str]:
    """MaxRoiPool."""
    rows, _ = _rows(g, s)
    return [g.add("MaxRoiPool", s.inputs[0], rows, pooled_shape=list(s.op.pooled), spatial_scale=s.op.scale)]  # type: ignore[attr-defined]


def roi_align(g: OnnxGraph, s: Step) -> list[str]:
    """RoiAlign with the corners' halves left where they are."""
    rows, shape = _rows(g, s)
    height, width = s.op.pooled  # type: ignore[attr-defined]
    corners = g.cut(rows, shape, (0, 1), (shape[0], 4))
    image = g.add("Cast", g.add("Reshape", g.cut(rows, shape, (0, 0), (shape[0], 1)), g.ints(-1)), to=7)
    centres = {"coordinate_transformation_mode": "output_half_pixel"} if g.opset >= HALF_PIXEL_OPSET else {}
    return [g.add("RoiAlign", s.inputs[0], corners, image, mode="avg", output_height=height, output_width=width,
                  sampling_ratio=s.op.ratio, spatial_scale=s.op.scale, **centres)]  # type: ignore[attr-defined]
