"""Elements put around a tensor, and parts cut out of it."""
from __future__ import annotations

from cnml.api.assembly import Assembly
from cnml.api.constructor import row
from cnml.api.rows.convolution import halves
from cnml.errors import Status
from cnml.ops.crop import Crop
from cnml.ops.pad import Pad
from cnml.ops.strided_slice import StridedSlice
from cnml.tensor import Tensor


def _add_pad(b: Assembly) -> Tensor:
    p = b.param
    if p.maker == "AddPadOpParam":
        (top, bottom), (left, right) = halves(p.pad_h), halves(p.pad_w)
    else:
        top, bottom, left, right = p.pad_htop, p.pad_hbottom, p.pad_wleft, p.pad_wright
    b.expect(min(top, bottom, left, right) >= 0, f"paddings {(top, bottom, left, right)}", "they must not be negative")
    return b.add(Pad((0, 0, top, left), (0, 0, bottom, right), p.pad_value), b.x())


def _channels(b: Assembly) -> tuple[int, int]:
    p = b.param
    front, back = p.get("c_front_", 0), p.get("c_back_", p.get("channel_", 0))
    b.expect(min(front, back) >= 0, f"{front} channels in front and {back} behind", "they must not be negative")
    return front, back


def _add_pad_channel(b: Assembly) -> Tensor:
    front, back = _channels(b)
    return b.add(Pad((0, front, 0, 0), (0, back, 0, 0), b.param.pad_value), b.x())


def _grep_channel(b: Assembly) -> Tensor:
    front, back = _channels(b)
    n, c, h, w = b.shape("input")
    b.expect(front + back < c, f"{front} + {back} channels cut off {c}", "one must be left")
    return b.add(Crop((0, front, 0, 0), (n, c - front - back, h, w)), b.x())


def _grep(b: Assembly) -> Tensor:
    p = b.param
    b.expect(p.space_number == 0, f"space_number {p.space_number}", "only 0 is supported", Status.UNSUPPORT)
    return b.add(Crop((p.start_index_of_N, 0, p.start_index_of_H, p.start_index_of_W), b.shape("output")), b.x())


def _strided_slice(b: Assembly) -> Tensor:
    p = b.param
    return b.add(StridedSlice((p.nb, p.cb, p.hb, p.wb), (p.ne, p.ce, p.he, p.we), (p.ns, p.cs, p.hs, p.ws)), b.x())


ROWS = [
    row("AddPadOp", "param:AddPadOpParam <input >output", _add_pad,
        "rows and columns of a value around an image; pad_h and pad_w are sums of both sides"),
    row("AddPadChannelOp", "param:AddPadChannelOpParam <input >output", _add_pad_channel, "channels of a value in front and behind; channel_ behind"),
    row("GrepChannelOp", "param:GrepChannelOpParam <input >output", _grep_channel, "channels cut off in front and behind; channel_ behind"),
    row("GrepOp", "param:GrepOpParam <input >output", _grep, "a piece of the output's size from a first item, row and column on"),
    row("StridedSliceOp", "param:StridedSliceOpParam <input >output", _strided_slice, "every n-th element of a range on each axis, as Python slices"),
]
