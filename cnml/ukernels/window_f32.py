"""Reduction of a window of pixels to one, with the channels innermost."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from cnml.cpu import isa
from cnml.ukernels.simd import vec_f32 as v
from cnml.ukernels.simd.loop import Cell, loop
from cnml.ukernels.simd.pointer import I64, at, pointer, word

LANES = isa().lanes
LOWEST = -float(np.finfo(np.float32).max)
Step = Callable[[ir.IRBuilder, ir.Value, ir.Value], ir.Value]


def _greater(bd: ir.IRBuilder, acc: ir.Value, x: ir.Value) -> ir.Value:
    # a NaN is not greater, so it is skipped
    return bd.select(bd.fcmp_ordered(">", x, acc), x, acc)


def _sum(bd: ir.IRBuilder, acc: ir.Value, x: ir.Value) -> ir.Value:
    return bd.fadd(acc, x)


def _chunk(bd: ir.IRBuilder, args: tuple[ir.Value, ...], offset: ir.Value, vectors: int, lanes: int, start: float, step: Step) -> None:
    """One output of vectors * lanes channels, `offset` bytes into the pixel."""
    x, y, rows, cols, row_bytes, col_bytes, scale = args
    cells = [Cell(bd, v.vec(lanes), ir.Constant(v.vec(lanes), [start] * lanes)) for _ in range(vectors)]
    with loop(bd, word(0), rows, 1) as r:
        row = bd.add(offset, bd.mul(r, row_bytes))
        with loop(bd, word(0), cols, 1) as c:
            here = at(bd, x, bd.add(row, bd.mul(c, col_bytes)))
            for i, cell in enumerate(cells):
                cell.set(step(bd, cell.get(), v.load(bd, at(bd, here, 4 * lanes * i), lanes)))
    for i, cell in enumerate(cells):
        value = cell.get() if scale is None else bd.fmul(cell.get(), v.splat(bd, scale, lanes))
        v.store(bd, value, at(bd, y, bd.add(offset, word(4 * lanes * i))))


def _emit(bd: ir.IRBuilder, args: tuple[ir.Value, ...], channels: ir.Value, start: float, step: Step) -> None:
    done = Cell(bd, I64, word(0))
    for vectors, lanes in ((4, LANES), (1, LANES)):
        _cover(bd, args, channels, done, vectors, lanes, start, step)
    rest = bd.icmp_signed("<", done.get(), channels)
    with bd.if_then(rest), bd.if_else(bd.icmp_signed(">=", channels, word(LANES))) as (wide, narrow):
        with wide:
            # the last vector moves back and computes some channels again
            _chunk(bd, args, bd.mul(bd.sub(channels, word(LANES)), word(4)), 1, LANES, start, step)
        with narrow:
            for lanes in (4, 1):
                _cover(bd, args, channels, done, 1, lanes, start, step)


def _cover(bd: ir.IRBuilder, args: tuple[ir.Value, ...], channels: ir.Value, done: Cell, vectors: int, lanes: int, start: float, step: Step) -> None:
    """As many whole chunks as fit from `done` on."""
    width = vectors * lanes
    with loop(bd, done.get(), channels, width) as c:
        _chunk(bd, args, bd.mul(c, word(4)), vectors, lanes, start, step)
        done.set(bd.add(c, word(width)))


@intrinsic
def window_max(typingctx: Any, x: Any, y: Any, channels: Any, rows: Any, cols: Any, row_bytes: Any, col_bytes: Any) -> Any:
    """y[c] = the first greatest x[r, k, c] over r < rows and k < cols, -FLT_MAX where nothing is greater; x and y are addresses."""
    def codegen(context: Any, bd: ir.IRBuilder, sig: Any, a: Any) -> Any:
        _emit(bd, (pointer(bd, a[0]), pointer(bd, a[1]), a[3], a[4], a[5], a[6], None), a[2], LOWEST, _greater)
        return context.get_dummy_value()
    return types.void(*[types.int64] * 7), codegen


@intrinsic
def window_sum(typingctx: Any, x: Any, y: Any, channels: Any, rows: Any, cols: Any, row_bytes: Any, col_bytes: Any, scale: Any) -> Any:
    """y[c] = scale * the sum of x[r, k, c] over r < rows and k < cols; x and y are addresses."""
    def codegen(context: Any, bd: ir.IRBuilder, sig: Any, a: Any) -> Any:
        _emit(bd, (pointer(bd, a[0]), pointer(bd, a[1]), a[3], a[4], a[5], a[6], a[7]), a[2], 0.0, _sum)
        return context.get_dummy_value()
    return types.void(*[types.int64] * 7, types.float32), codegen
