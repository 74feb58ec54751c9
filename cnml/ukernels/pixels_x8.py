"""Planes of pixels, normalized, to words of codes."""
from __future__ import annotations

from typing import Any, NamedTuple

from llvmlite import ir
from numba import types
from numba.core.errors import TypingError
from numba.extending import intrinsic

from cnml.cpu import isa
from cnml.ukernels.simd import vec_f32 as v
from cnml.ukernels.simd import vec_x8
from cnml.ukernels.simd.dot4 import ints, splat_word
from cnml.ukernels.simd.loop import loop
from cnml.ukernels.simd.pointer import BYTE, I32, at, pointer, word

LANES = isa().lanes
#: planes of an image that become a word
PLANES = 4


class PixelWords(NamedTuple):
    """Integer operands; addresses and steps are in bytes."""

    x: Any
    y: Any
    n: Any       # pixels
    step: Any    # from plane to plane
    zero: Any    # the code of 0


class PixelFloats(NamedTuple):
    """float32 operands."""

    slope0: Any
    slope1: Any
    slope2: Any
    slope3: Any
    bias0: Any
    bias1: Any
    bias2: Any
    bias3: Any
    factor: Any  # units in 1
    least: Any   # smallest and largest result in units
    most: Any


@intrinsic(prefer_literal=True)
def normalize_planes(typingctx: Any, channels: Any, words: Any, floats: Any) -> Any:
    """y[i] = the codes of (x[k, i] * slope[k] + bias[k]) * factor for k < channels <= 4, zeros behind them, as one word.

    Every operation is rounded by itself.
    """
    if not isinstance(channels, types.IntegerLiteral) or not 1 <= channels.literal_value <= PLANES:
        raise TypingError(f"the planes of an image must be a constant from 1 to {PLANES}, got {channels}")
    planes = channels.literal_value

    def codegen(context: Any, bd: ir.IRBuilder, sig: Any, args: Any) -> Any:
        w = PixelWords(*(bd.extract_value(args[1], i) for i in range(len(PixelWords._fields))))
        f = PixelFloats(*(bd.extract_value(args[2], i) for i in range(len(PixelFloats._fields))))
        whole = bd.mul(bd.sdiv(w.n, word(LANES)), word(LANES))
        for lanes, begin, end in ((LANES, word(0), whole), (1, whole, w.n)):
            with loop(bd, begin, end, lanes) as i:
                _pixels(bd, w, f, i, (planes, lanes))
        return context.get_dummy_value()

    words_type, floats_type = types.UniTuple(types.int64, len(PixelWords._fields)), types.UniTuple(types.float32, len(PixelFloats._fields))
    return types.void(channels, words_type, floats_type), codegen


def _pixels(bd: ir.IRBuilder, w: PixelWords, f: PixelFloats, first: ir.Value, form: tuple[int, int]) -> None:
    """`lanes` pixels of `planes` planes."""
    planes, lanes = form
    factor, least, most = (v.splat(bd, x, lanes) for x in (f.factor, f.least, f.most))
    total = splat_word(bd, bd.mul(bd.trunc(w.zero, I32), ir.Constant(I32, 0x01010101)), lanes)
    for k in range(planes):
        row = at(bd, pointer(bd, bd.add(w.x, bd.mul(w.step, word(k)))), bd.mul(first, word(4)))
        t = v.multiply_rounded(bd, v.load(bd, row, lanes), v.splat(bd, f[k], lanes))
        t = v.multiply_rounded(bd, bd.fadd(t, v.splat(bd, f[PLANES + k], lanes)), factor)
        code = vec_x8.round_away(bd, v.clamp(bd, least, most, t), lanes)
        # no code is less than 0 or more than 255 once its zero is added, whatever the order of the sums
        total = bd.add(total, bd.shl(code, ir.Constant(ints(lanes), [8 * k] * lanes)))
    out = at(bd, pointer(bd, w.y), bd.mul(first, word(4)))
    vec_x8.store_codes(bd, bd.bitcast(total, ir.VectorType(BYTE, 4 * lanes)), out)
