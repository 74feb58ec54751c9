"""What a tile of codes does to its sums before it stores them."""
from __future__ import annotations

from llvmlite import ir

from cnml.epilogue import HALF
from cnml.ukernels.epilogue_f32 import CLIP, LEAKY, NONE, RELU, activate
from cnml.ukernels.simd.loop import Cell
from cnml.ukernels.simd.pointer import I32, word
from cnml.ukernels.simd.vec_f32 import F32
from cnml.ukernels.simd.vec_x8 import Limits, scaled

Floats = tuple[ir.Value, ir.Value]


def fold(bd: ir.IRBuilder, mode: ir.Value, between: Floats, held: Limits) -> tuple[ir.Value, Limits]:
    """The activation that is left when ReLU and clipping, see `epilogue_f32`, have become narrower limits of the codes.

    Clamping after clamping is clamping, by limits that are clamped themselves. A NaN becomes the least result that is left.

    Parameters
    ----------
    bd : IRBuilder
    mode : int64 value
    between : two float values
        low and high of the activation.
    held : Limits

    Returns
    -------
    mode, Limits
        NONE where there was no other activation.
    """
    low, high = between
    relu, clip = (bd.icmp_signed("==", mode, word(m)) for m in (RELU, CLIP))
    folded = bd.or_(relu, clip)
    bottom = bd.select(relu, ir.Constant(F32, 0.0), low)
    top = bd.select(relu, held.most, _larger(bd, low, high))
    least, most = (bd.select(folded, _clamped(bd, x, held), old) for x, old in ((bottom, held.least), (top, held.most)))
    return bd.select(folded, word(NONE), mode), Limits(least, most, held.zero)


def activate_codes(bd: ir.IRBuilder, mode: ir.Value, between: Floats, cells: list[Cell]) -> None:
    """Apply what `fold` left to cells of values times SCALE."""
    low, high = between
    with bd.if_then(bd.icmp_signed("!=", mode, word(NONE)), likely=False):
        leaky = bd.or_(*(bd.icmp_signed("==", mode, word(m)) for m in (LEAKY, HALF + LEAKY)))  # `low` is a slope
        activate(bd, mode, (bd.select(leaky, low, scaled(bd, low)), scaled(bd, high)), cells, int(cells[0].get().type.count))


def is_easy(bd: ir.IRBuilder, bounded: ir.Value, mode: ir.Value, held: Limits) -> ir.Value:
    """Whether `codes_of` may take the easy way: magnitudes are known to be `bounded`, nothing is left to activate, no result is negative."""
    return bd.and_(bd.and_(bd.icmp_signed("!=", bounded, word(0)), bd.icmp_signed("==", mode, word(NONE))),
                   bd.fcmp_ordered(">=", held.least, ir.Constant(F32, 0.0)))


def limits(bd: ir.IRBuilder, least: ir.Value, most: ir.Value, zero: ir.Value) -> Limits:
    """Of float values and a 64-bit code of 0; the codes of both limits must be bytes."""
    return Limits(least, most, bd.trunc(zero, I32))


def _larger(bd: ir.IRBuilder, a: ir.Value, b: ir.Value) -> ir.Value:
    return bd.select(bd.fcmp_ordered("<", a, b), b, a)


def _clamped(bd: ir.IRBuilder, x: ir.Value, held: Limits) -> ir.Value:
    under = bd.select(bd.fcmp_ordered("<", held.most, x), held.most, x)
    return bd.select(bd.fcmp_ordered("<", held.least, under), under, held.least)
