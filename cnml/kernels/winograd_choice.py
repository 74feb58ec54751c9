"""Whether a convolution runs direct or as a Winograd convolution, and with which tile: by estimated cycles, unless the environment says."""
from __future__ import annotations

import os
from math import ceil
from typing import NamedTuple

from cnml.cpu import isa
from cnml.errors import CnmlError, Status
from cnml.kernels.conv_cost_f32 import MEMORY_BYTES_CYCLE, direct_cost
from cnml.kernels.conv_shape import Conv2dShape
from cnml.kernels.winograd_plan_f32 import SIZES, WinogradPlan, cut_blocks, plan_winograd, takes_winograd, tile_counts, wants_shared

VARIABLE = "PYCAFFE_ACC_CONV"
CHOICES: tuple[str, ...] = ("auto", "direct", *(f"winograd{m}" for m in SIZES))

#: vectors of a block → share of the multiply-add limit that its products reach
_SHARES = {4: 0.95, 3: 0.93, 2: 0.88, 1: 0.7}
#: cycles for one vector of channels of one tile: input transform, output transform
_TRANSFORMS = {2: (70.0, 60.0), 4: (200.0, 160.0), 6: (480.0, 300.0)}
_TILE_CYCLES = 25.0          # to enter and leave a tile of a product
_MEMORY_SHARE = 0.6          # of the time to read weights from memory that the products do not hide
_NEAR_BYTES = 1 << 20        # weights up to here come from a cache
_LARGE_MAP = 40              # F(6x6) errs five times as much as F(4x4), so only where it saves most


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
    products = sum(count * (tiles * depth * b.vectors / _SHARES[b.vectors] + ceil(tiles / 6) * _TILE_CYCLES) for b in blocks)
    into, out = _TRANSFORMS[m]
    transforms = tiles * (ceil(shape.channels / lanes) * into + sum(b.vectors for b in blocks) * out)
    weights = 4 * count * depth * sum(b.vectors for b in blocks) * lanes
    memory = _MEMORY_SHARE * weights / MEMORY_BYTES_CYCLE if weights > _NEAR_BYTES else 0.0
    return (products + transforms + (memory if wants_shared(shape, m) else memory * tasks)) / tasks


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
    best = min(costs, key=costs.__getitem__)
    share = costs[best] / direct
    return Choice(best, f"est. {share:.2f} of direct") if share < 1 else Choice(0, f"F({best}x{best}) est. {share:.2f} of it")


def plan_chosen(shape: Conv2dShape, **layout: object) -> WinogradPlan | None:
    """The plan of the chosen tile, None for direct; keywords as for `plan_winograd`."""
    choice = choose_winograd(shape)
    if not choice.m:
        return None
    plan = plan_winograd(shape, choice.m, **layout)  # type: ignore[arg-type]
    return plan._replace(reason=f"{plan.reason}, {choice.reason}")
