"""How a depthwise convolution and the pointwise one behind it run as one: which kernels, and how many lines lie between them at a time."""
from __future__ import annotations

from math import ceil
from typing import NamedTuple

from cnml.cpu import isa
from cnml.kernels.conv_plan_f32 import BAND_LINES, DENSE, Conv2dShape, ConvPlan, Pixels, plan_conv2d, sliding_scratch, takes_sliding
from cnml.kernels.conv_tiles import SLIDING_TILES
from cnrt.cpu import effective_cpus

BAND_BYTES = 400 * 1024     # of lines between the two: with the weights of a block they stay in a second-level cache
TASK_LINES = 7              # a task has at least so many, or some have much more than others
LIGHT_BYTES = 256 * 1024    # pointwise weights that every band may read again
HEAVY_PIXELS = 96           # a band has at least so many where the weights are more than that
CALL_BYTES = 128            # of the argument block of a convolution
PASS_TILES = 1.0            # tiles in whose time a band begins


class SeparablePlan(NamedTuple):
    """Two planned convolutions.

    Attributes
    ----------
    depthwise, pointwise : ConvPlan
        For the whole tensor, and for a band of it.
    lines : int
        Output lines of a band, at most.
    depthwise_scratch : int
        Bytes that the depthwise kernel needs for a band.
    scratch_bytes : int
        Per task: argument blocks, tables, both kernels' scratch, a band.
    """

    depthwise: ConvPlan
    pointwise: ConvPlan
    lines: int
    depthwise_scratch: int
    scratch_bytes: int


def takes_separable(depthwise: Conv2dShape, pointwise: Conv2dShape) -> bool:
    """Whether two convolutions, one behind the other, can run as one."""
    whole = Conv2dShape(depthwise.batch, depthwise.outputs, *depthwise.out, pointwise.outputs, (1, 1))
    return takes_sliding(depthwise) and pointwise._replace(pad_end=None) == whole and not any(pointwise.pad_end or ())


def gains_separable(depthwise: Conv2dShape, pointwise: Conv2dShape, cpus: int = 0) -> bool:
    """Whether they should, on a machine of so many processors (0: this one)."""
    (height, width), weights = depthwise.out, 4 * pointwise.channels * pointwise.outputs
    lines = min(height, max(depthwise.batch * height // (cpus or effective_cpus()), 1))
    return lines >= min(TASK_LINES, band_lines(depthwise, pointwise)) and (weights <= LIGHT_BYTES or lines * width >= HEAVY_PIXELS)


def band_lines(depthwise: Conv2dShape, pointwise: Conv2dShape) -> int:
    """Lines of a band: those that leave least of the tiles unused, begun bands counted."""
    height, width = depthwise.out
    most = max(1, min(BAND_LINES, height, BAND_BYTES // (4 * width * depthwise.channels)))
    mr = 6 if isa().lanes == 16 else 4

    def tiles(lines: int) -> float:
        whole, rest = divmod(height, lines)
        return whole * (ceil(lines * width / mr) + PASS_TILES) + (ceil(rest * width / mr) + PASS_TILES) * (rest > 0)
    return min(range(1, most + 1), key=tiles)


def plan_separable(depthwise: Conv2dShape, pointwise: Conv2dShape, *, pixels: Pixels = DENSE, item: int = 4, lines: int = 0) -> SeparablePlan:
    """Choose how the two run.

    Parameters
    ----------
    depthwise, pointwise : Conv2dShape
        As `takes_separable` wants them.
    pixels : Pixels
        Of the first one's input, of the second one's output and of what that adds.
    item : int
        Bytes of a weight.
    lines : int
        Of a band, instead of those of `band_lines`.

    Returns
    -------
    SeparablePlan
    """
    lines = lines or band_lines(depthwise, pointwise)
    band = pointwise._replace(batch=1, height=lines)
    first, second = plan_conv2d(depthwise, pixels=Pixels(pixels.x)), plan_conv2d(band, pixels=Pixels(None, pixels.y, pixels.add), item=item)
    needed = sliding_scratch(depthwise, SLIDING_TILES[isa().lanes][0], lines)
    parts = 2 * CALL_BYTES, first.table.nbytes + second.table.nbytes, needed, second.scratch_bytes, 4 * lines * band.width * band.channels
    return SeparablePlan(first, second, lines, needed, sum(ceil(p / 64) * 64 for p in parts))
