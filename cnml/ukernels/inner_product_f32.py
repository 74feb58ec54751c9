"""Register tile of products with few rows, which read their weights once."""
from __future__ import annotations

from typing import Any, NamedTuple

from llvmlite import ir
from numba import types
from numba.core.errors import TypingError
from numba.extending import intrinsic

from cnml.cpu import isa
from cnml.ukernels.epilogue_f32 import activate
from cnml.ukernels.simd import vec_f16
from cnml.ukernels.simd import vec_f32 as v
from cnml.ukernels.simd.loop import Cell, loop
from cnml.ukernels.simd.pointer import PTR, at, pointer, prefetch, word

LANES = isa().lanes
_UNROLL = 4
_LINE = 64
#: rows from which on the multiply-adds keep the CPU's own prefetcher from running ahead; with fewer it does better alone
BUSY_ROWS = 8
#: bytes between a load of weights and the prefetch of later ones
AHEAD = 4096


class InnerWords(NamedTuple):
    """Integer operands; addresses and strides are in bytes."""

    x: Any            # float32[rows][depth]
    x_bytes: Any      # from one row to the next
    rows: Any         # of the tile that exist
    depth: Any
    weights: Any      # [depth][NV * lanes]
    start: Any        # what the sums start from
    start_bytes: Any  # from one row's start to the next one's; 0: all rows start alike
    y: Any
    y_bytes: Any
    columns: Any      # that exist
    mode: Any         # activation, see epilogue_f32


@intrinsic(prefer_literal=True)
def inner_tile(typingctx: Any, mr: Any, nv: Any, item: Any, words: Any, low: Any, high: Any) -> Any:
    """y[r, j] = activation(start[r, j] + sum over k of x[r, k] * weights[k, j]) for MR rows and NV vectors of columns.

    `item` is the bytes of a weight. Rows that do not exist repeat the last one; columns that do not exist have weights and starts, but are not
    stored. `low` and `high` as in `cnml.ukernels.conv_f32`.
    """
    if not all(isinstance(n, types.IntegerLiteral) for n in (mr, nv, item)):
        raise TypingError(f"inner_tile needs its tile as constants, got {mr} x {nv}, {item} bytes a weight")
    rows, vectors, size = mr.literal_value, nv.literal_value, item.literal_value

    def codegen(context: Any, bd: ir.IRBuilder, sig: Any, args: Any) -> Any:
        w = InnerWords(*(bd.extract_value(args[3], i) for i in range(len(InnerWords._fields))))
        last = bd.sub(w.rows, word(1))
        index = [word(0)] + [bd.select(bd.icmp_signed("<", word(r), last), word(r), last) for r in range(1, rows)]
        sums = []
        for i in index:
            base = at(bd, pointer(bd, w.start), bd.mul(i, w.start_bytes))
            sums.append([Cell(bd, v.vec(LANES), v.load(bd, at(bd, base, 4 * LANES * j), LANES)) for j in range(vectors)])
        _accumulate(bd, w, [at(bd, pointer(bd, w.x), bd.mul(i, w.x_bytes)) for i in index], sums, size)
        activate(bd, w.mode, (args[4], args[5]), [cell for row in sums for cell in row], LANES)
        targets = [at(bd, pointer(bd, w.y), bd.mul(i, w.y_bytes)) for i in index]
        with bd.if_else(bd.icmp_signed(">=", w.columns, word(vectors * LANES))) as (full, part):
            with full:
                _store(bd, targets, sums, [None] * vectors)
            with part:
                _store(bd, targets, sums, [v.first_lanes(bd, bd.sub(w.columns, word(j * LANES)), LANES) for j in range(vectors)])
        return context.get_dummy_value()

    words_type = types.UniTuple(types.intp, len(InnerWords._fields))
    return types.void(mr, nv, item, words_type, types.float32, types.float32), codegen


def _accumulate(bd: ir.IRBuilder, w: InnerWords, inputs: list[ir.Value], sums: list[list[Cell]], item: int) -> None:
    vectors = len(sums[0])
    step_bytes = vectors * LANES * item
    panel = Cell(bd, PTR, pointer(bd, w.weights))
    whole = bd.and_(w.depth, word(-_UNROLL))
    for start, stop, steps in ((word(0), whole, _UNROLL), (whole, w.depth, 1)):
        with loop(bd, start, stop, steps) as k:
            here = panel.get()
            for line in range(0, steps * step_bytes if len(sums) >= BUSY_ROWS else 0, _LINE):
                prefetch(bd, at(bd, here, AHEAD + line))
            for step in range(steps):
                row = [vec_f16.load_stored(bd, at(bd, here, step * step_bytes + j * LANES * item), LANES, item) for j in range(vectors)]
                for base, cells in zip(inputs, sums, strict=True):
                    x = v.load_splat(bd, at(bd, at(bd, base, bd.mul(k, word(4))), 4 * step), LANES)
                    for cell, weights in zip(cells, row, strict=True):
                        cell.set(v.multiply_add(bd, x, weights, cell.get()))
            panel.set(at(bd, here, steps * step_bytes))


def _store(bd: ir.IRBuilder, targets: list[ir.Value], sums: list[list[Cell]], masks: list[ir.Value | None]) -> None:
    for target, cells in zip(targets, sums, strict=True):
        for j, (cell, mask) in enumerate(zip(cells, masks, strict=True)):
            v.store_masked(bd, cell.get(), at(bd, target, 4 * LANES * j), mask)
