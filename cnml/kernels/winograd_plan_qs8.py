"""Whether an INT8 convolution runs as an exact Winograd convolution, and how."""
from __future__ import annotations

from math import ceil, prod

from cnml.cpu import dot_kind, isa
from cnml.kernels import winograd_table as wt
from cnml.kernels.conv_plan_qs8 import WORD, Bytes
from cnml.kernels.conv_shape import Conv2dShape
from cnml.kernels.winograd_choice import VARIABLE, asked
from cnml.kernels.winograd_plan_f32 import WinogradPlan, cut_blocks, forms_of, plan_winograd, tile_counts, wants_shared, weight_bytes
from cnml.kernels.winograd_tiles import FORMS, Form, whole_rows

#: the one whose numbers fit into 16 bits
FORM: Form = next(f for f in FORMS if (f.my, f.mx, f.ry, f.rx) == (4, 4, 3, 3))
#: of a group: 9 taps of products up to 255 * 127 stay below `cnml.ukernels.winograd_integers.MOST_SUM`
MOST_CHANNELS = 1840

_SHARE = 0.92                # of the multiply-add limit that the products reach
_TILE_CYCLES = 40.0          # to enter and leave a register tile of a product
_PRODUCT_CYCLES = 60.0       # to enter and leave a product of a block
_INPUT_CYCLES = 260.0        # of the input transform for one vector of 16-bit channels
_OUTPUT_CYCLES = 330.0       # of the output transform for one vector of outputs
_LAYER_CYCLES = 6000.0
_NEAR_BYTES = 1 << 20        # weights up to here stay in a cache between two runs of a network; of others a byte costs
_FAR_CYCLES = 0.015          # so much besides the products, while they are long enough,
_READ_CYCLES = 0.15          # and keeps the memory busy for so long
#: ways of multiplying → cycles of a word of two channels in the unit of a word of four, see `cnml.ukernels.simd.dot4`
_WORD_CYCLES: dict[str, float] = {"vnni": 1.0, "pairs": 0.5, "plain": 0.5}


def pairs_of(shape: Conv2dShape) -> Conv2dShape:
    """The shape with two channels an element, and whole words of four."""
    return shape._replace(channels=ceil(shape.channels / WORD) * WORD // 2)


def takes_winograd_qs8(shape: Conv2dShape) -> bool:
    """Whether the kernels can run it: kernels of 3x3, stride and dilation 1, channels and outputs enough in a group and not too many."""
    return FORM in forms_of(pairs_of(shape)) and shape.channels // shape.group <= MOST_CHANNELS


def winograd_cost_qs8(shape: Conv2dShape, tasks: int = 1) -> float:
    """Estimated cycles, in the unit of `cnml.kernels.conv_cost_f32`."""
    pairs, (down, across) = pairs_of(shape), tile_counts(shape, FORM)
    tiles, depth, blocks = shape.batch * down * across, pairs.channels // shape.group, cut_blocks(pairs)
    vectors, rows = sum(b.vectors for b in blocks), whole_rows(tiles)
    each = _WORD_CYCLES[dot_kind()]
    products = FORM.count * (each * rows * depth * vectors / _SHARE + len(blocks) * (_PRODUCT_CYCLES + ceil(rows / 6) * _TILE_CYCLES))
    transforms = tiles * (ceil(pairs.channels / isa().lanes) * _INPUT_CYCLES + vectors * _OUTPUT_CYCLES)
    weights = weight_bytes(pairs, FORM) * (1 if wants_shared(pairs, FORM) else tasks)
    far = weights if weights > _NEAR_BYTES else 0
    return max((products + _FAR_CYCLES * far) / tasks, _READ_CYCLES * far) + transforms / tasks + _LAYER_CYCLES


def chooses_winograd_qs8(shape: Conv2dShape, direct: float) -> str | None:
    """Why it should run as a Winograd convolution, or None.

    Parameters
    ----------
    shape : Conv2dShape
    direct : float
        Estimated cycles of the direct kernel.

    Raises
    ------
    CnmlError
        `PYCAFFE_ACC_CONV` is set to something unknown.
    """
    want = asked()
    if want == "direct" or not takes_winograd_qs8(shape):
        return None
    if want != "auto":
        return f"{VARIABLE} asks for it" if int(want.removeprefix("winograd")) >= FORM.my else None
    share = winograd_cost_qs8(shape) / direct
    return f"est. {share:.2f} of direct" if share < 1 else None


def plan_winograd_qs8(shape: Conv2dShape, pixels: Bytes, zero: int, *, shared: bool | None = None, run: int | None = None) -> WinogradPlan:
    """Lay out an exact Winograd convolution.

    Parameters
    ----------
    shape : Conv2dShape
        See `takes_winograd_qs8`.
    pixels : Bytes
    zero : int
        The code of 0 in the input.
    shared, run : optional
        As for `plan_winograd`.

    Returns
    -------
    WinogradPlan
        Its kernel is named by `cnml.kernels.winograd_qs8`.

    Raises
    ------
    ValueError
        The shape does not fit.
    """
    if not takes_winograd_qs8(shape):
        raise ValueError(f"failed to plan an exact Winograd convolution of {shape}: it takes kernels of 3x3 with stride and dilation 1 and groups of "
                         f"32 to {MOST_CHANNELS} channels and at least 16 outputs")
    plan = plan_winograd(pairs_of(shape), FORM, shared=shared, run=run)
    plan.table[wt.X_PIXEL], plan.table[wt.Y_PIXEL], plan.table[wt.ADD_PIXEL], plan.table[wt.ZERO] = *pixels, zero
    tiles = shape.batch * prod(tile_counts(shape, FORM))
    at_a_time = "all tiles" if len(plan.steps) > 1 else f"{plan.table[wt.RUN]} tiles"
    reason = (f"exact winograd {FORM.name} int8, {isa().name}: {FORM.count} products of {tiles} x {shape.channels // shape.group} x "
              f"{shape.outputs // shape.group}, {at_a_time} transformed at a time")
    return plan._replace(kernel="winograd_nhwc_qs8", reason=reason)
