"""Images resized and recoloured."""
from __future__ import annotations

from cnml.api.assembly import Assembly
from cnml.api.constructor import row
from cnml.api.enums import YuvType
from cnml.ops.colour import YuvToGray, YuvToRgb
from cnml.ops.interp import Interp, InterpSize
from cnml.ops.upsample import UpsampleNearest
from cnml.tensor import Tensor


def _size(b: Assembly) -> tuple[int, int]:
    """Height and width of the result."""
    p, (h, w) = b.param, b.shape("input")[2:]
    zoom = p.get("zoom")
    height, width = (p.output_height, p.output_width) if zoom is None else (h * zoom, w * zoom)
    b.expect(min(height, width) > 0, f"an output of {height} x {width}", "both must be positive")
    return height, width


def _resize(b: Assembly) -> Tensor:
    p, given = b.param, b.shape("input")[2:]
    b.expect((p.height_1, p.weight_1) == given, f"an input of {given}", f"the parameter object says {p.height_1} x {p.weight_1}")
    return b.add(Interp(InterpSize(p.height_2, p.weight_2), False), b.x())


def _interp(b: Assembly) -> Tensor:
    return b.add(Interp(InterpSize(*_size(b)), b.param.align_corners), b.x())


def _nearest(b: Assembly) -> Tensor:
    return b.add(UpsampleNearest(*_size(b)), b.x())


def _yuv_to_rgb(b: Assembly) -> Tensor:
    return b.add(YuvToRgb(b["yuv_type"] == YuvType.NV21, b["rgb_type"].name), b.x())


ROWS = [
    row("ResizeOp", "<input >output param:ResizeOpParam", _resize,
        "bilinear, centres of pixels kept, from height_1 x weight_1 to height_2 x weight_2"),
    row("InterpOp", "<input >output param:InterpOpParam", _interp, "bilinear, corners kept or centres"),
    row("NearestNeighborOp", "<input >output param:NearestNeighborOpParam", _nearest, "nearest pixel"),
    row("YUVtoRGBOp", "<input >output yuv_type:YuvType rgb_type:RgbType", _yuv_to_rgb,
        "video pixels (N, 1, 3 H / 2, W) to four channels of 0..255, BT.601"),
    row("YUVtoGrayOp", "<input >output yuv_type:YuvType", lambda b: b.add(YuvToGray(), b.x()), "the luminance of video pixels"),
]
