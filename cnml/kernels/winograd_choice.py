"""Whether a convolution runs direct or as a Winograd convolution, and with which tile: by estimated cycles, unless the environment says."""
from __future__ import annotations

import os
from math import ceil
from typing import NamedTuple

from cnml.cpu import isa
from cnml.errors import CnmlError, Status
from cnml.kernels.conv_cost_f32 import direct_cost
from cnml.kernels.conv_shape import Conv2dShape
from cnml.kernels.winograd_plan_f32 import WinogradPlan, cut_blocks, forms_of, plan_winograd, tile_counts, wants_shared, weight_bytes
from cnml.kernels.winograd_tiles import FORMS, Form, whole_rows

VARIABLE = "PYCAFFE_ACC_CONV"
CHOICES: tuple[str, ...] = ("auto", "direct", *(f"winograd{m}" for m in sorted({max(f.my, f.mx) for f in FORMS})))

_TILE_CYCLES = 40.0          # to enter and leave a register tile of a product
_PRODUCT_CYCLES = 60.0       # to enter and leave a product of a block
_LAYER_CYCLES = 12000.0
_NEAR_BYTES = 1 << 20        # weights up to here stay in a cache between two runs of a network; of others a byte costs
_FAR_CYCLES = 0.24           # so much over the lanes (narrow vectors take less time each) besides the products, while they are long enough,
_READ_CYCLES = 2.4           # and keeps the memory busy for so long: more than one core alone would need, because all share it
_LARGE_MAP = 24              # windows of 8 x 8 err five times as much as those of 6 x 6, so only where they save most:
_WORTHWHILE = 0.97           # so much of the others' time


class Choice(NamedTuple):
    """What was chosen: no form is direct."""

    form: Form | None
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


def winograd_cost(shape: Conv2dShape, form: Form, tasks: int = 1) -> float:
    """Estimated cycles of a form, in the unit of `cnml.kernels.conv_cost_f32`.

    Parameters
    ----------
    shape : Conv2dShape
    form : Form
    tasks : int
        Threads that share it.
    """
    lanes, count, (down, across) = isa().lanes, form.count, tile_counts(shape, form)
    tiles, depth, blocks = shape.batch * down * across, shape.channels // shape.group, cut_blocks(shape)
    vectors, rows = sum(b.vectors for b in blocks), whole_rows(tiles)
    products = count * (rows * depth * vectors / form.share + len(blocks) * (_PRODUCT_CYCLES + ceil(rows / 6) * _TILE_CYCLES))
    transforms = tiles * (ceil(shape.channels / lanes) + vectors) * form.transform
    weights = weight_bytes(shape, form) * (1 if wants_shared(shape, form) else tasks)
    far = weights / lanes if weights > _NEAR_BYTES else 0.0
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
    want, forms = asked(), forms_of(shape)
    if want == "direct" or not forms:
        return Choice(None, f"{VARIABLE} asks for it" if want == "direct" else "no form fits its kernel, stride, dilation or channels")
    if want != "auto":
        m = int(want.removeprefix("winograd"))
        return Choice(max((f for f in forms if max(f.my, f.mx) <= m), key=lambda f: f.my * f.mx, default=forms[0]), f"{VARIABLE} asks for it")
    direct, large = direct_cost(shape, tasks), min(shape.out) >= _LARGE_MAP
    costs = {f: winograd_cost(shape, f, tasks) for f in forms if large or f.count <= 36}
    best = min(costs, key=lambda f: costs[f] / (_WORTHWHILE if f.count > 36 else 1))
    share = costs[best] / direct
    return Choice(best, f"est. {share:.2f} of direct") if share < 1 else Choice(None, f"{best.name} est. {share:.2f} of it")


def plan_chosen(shape: Conv2dShape, **layout: object) -> WinogradPlan | None:
    """The plan of the chosen form, None for direct; keywords as for `plan_winograd`."""
    choice = choose_winograd(shape)
    if choice.form is None:
        return None
    plan = plan_winograd(shape, choice.form, **layout)  # type: ignore[arg-type]
    return plan._replace(reason=f"{plan.reason}, {choice.reason}")
