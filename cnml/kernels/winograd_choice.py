"""Whether a convolution runs direct or as a Winograd convolution, and with which tile: by estimated cycles, unless the environment says."""
from __future__ import annotations

import os
from math import ceil
from typing import NamedTuple

from cnml.cpu import isa
from cnml.errors import CnmlError, Status
from cnml.kernels.conv_cost_f32 import direct_cost
from cnml.kernels.conv_shape import Conv2dShape
from cnml.kernels.winograd_plan_f32 import SIZES, WinogradPlan, cut_blocks, plan_winograd, takes_winograd, tile_counts, wants_shared, weight_bytes
from cnml.kernels.winograd_tiles import whole_rows

VARIABLE = "PYCAFFE_ACC_CONV"
CHOICES: tuple[str, ...] = ("auto", "direct", *(f"winograd{m}" for m in SIZES))

#: m → share of the multiply-add limit that products reach, cycles for both transforms of one vector of channels of one tile
_RATES: dict[int, tuple[float, float]] = {2: (0.90, 50.0), 4: (0.86, 215.0), 6: (0.80, 520.0)}
_TILE_CYCLES = 40.0          # to enter and leave a register tile of a product
_PRODUCT_CYCLES = 60.0       # to enter and leave a product of a block
_LAYER_CYCLES = 12000.0
_NEAR_BYTES = 1 << 20        # weights up to here stay in a cache between two runs of a network; of others a byte costs
_FAR_CYCLES = 0.015          # so much besides the products, while they are long enough,
_READ_CYCLES = 0.15          # and keeps the memory busy for so long: more than one core alone would need, because all share it
_LARGE_MAP = 40              # F(6x6) errs five times as much as F(4x4), so only where it saves most:
_WORTHWHILE = 0.97           # so much of F(4x4)'s time


class Choice(NamedTuple):
    """What was chosen: m is 0 for direct."""

    m: int
    reason: str


def asked() -> str:
    """The value of the override variable.

    Raises
    ------
    CnmlError
        It names no known way.
    """
    value = os.environ.get(VARIABLE, "") or "auto"
    if value not in CHOICES:
        raise CnmlError(f"{VARIABLE} is '{value}'; it must be one of {', '.join(CHOICES)}", Status.INVALIDARG)
    return value


def winograd_cost(shape: Conv2dShape, m: int, tasks: int = 1) -> float:
    """Estimated cycles of F(m x m, 3x3), in the unit of `cnml.kernels.conv_cost_f32`.

    Parameters
    ----------
    shape : Conv2dShape
    m : int
    tasks : int
        Threads that share it.
    """
    lanes, count, (down, across) = isa().lanes, (m + 2) ** 2, tile_counts(shape, m)
    tiles, depth, blocks = shape.batch * down * across, shape.channels // shape.group, cut_blocks(shape)
    vectors, rows, (share, transform) = sum(b.vectors for b in blocks), whole_rows(tiles), _RATES[m]
    products = count * (rows * depth * vectors / share + len(blocks) * (_PRODUCT_CYCLES + ceil(rows / 6) * _TILE_CYCLES))
    transforms = tiles * (ceil(shape.channels / lanes) + vectors) * transform
    weights = weight_bytes(shape, m) * (1 if wants_shared(shape, m) else tasks)
    far = weights if weights > _NEAR_BYTES else 0
    return max((products + _FAR_CYCLES * far) / tasks, _READ_CYCLES * far) + transforms / tasks + _LAYER_CYCLES


def choose_winograd(shape: Conv2dShape, tasks: int = 1) -> Choice:
    """The cheapest way to run a convolution on channels-last float32 images.

    Parameters
    ----------
    shape : Conv2dShape
    tasks : int

    Returns
    -------
    Choice

    Raises
    ------
    CnmlError
        `PYCAFFE_ACC_CONV` is set to something unknown.
    """
    want = asked()
    if want == "direct" or not takes_winograd(shape):
        return Choice(0, f"{VARIABLE} asks for it" if want == "direct" else "no kernel of 3x3 with stride and dilation 1 on enough channels")
    if want != "auto":
        return Choice(int(want.removeprefix("winograd")), f"{VARIABLE} asks for it")
    direct = direct_cost(shape, tasks)
    costs = {m: winograd_cost(shape, m, tasks) for m in SIZES if m < 6 or min(shape.out) >= _LARGE_MAP}
    best = min(costs, key=lambda m: costs[m] / (_WORTHWHILE if m == 6 else 1))
    share = costs[best] / direct
    return Choice(best, f"est. {share:.2f} of direct") if share < 1 else Choice(0, f"F({best}x{best}) est. {share:.2f} of it")


def plan_chosen(shape: Conv2dShape, **layout: object) -> WinogradPlan | None:
    """The plan of the chosen tile, None for direct; keywords as for `plan_winograd`."""
    choice = choose_winograd(shape)
    if not choice.m:
        return None
    plan = plan_winograd(shape, choice.m, **layout)  # type: ignore[arg-type]
    return plan._replace(reason=f"{plan.reason}, {choice.reason}")
