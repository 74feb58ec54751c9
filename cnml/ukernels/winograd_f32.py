"""Winograd convolutions in registers: the transforms of a window and of a tile, vectors along the channels, and the products between them."""
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core.errors import TypingError
from numba.extending import intrinsic

from cnml.cpu import isa
from cnml.ukernels.epilogue_f32 import activate
from cnml.ukernels.simd import vec_f16
from cnml.ukernels.simd import vec_f32 as v
from cnml.ukernels.simd.loop import Cell, loop
from cnml.ukernels.simd.pointer import at, pointer, word
from cnml.ukernels.winograd_points import PAIRS

LANES = isa().lanes
FETCH = 6
_UNROLL = 4


class InputWords(NamedTuple):
    """Integer operands of the input transform; addresses and steps are in bytes."""

    window: Any         # float32: first pixel of the window
    row: Any            # from a row of the window to the next
    pixel: Any
    out: Any            # float32: row of the tile in the first product's operand
    product: Any        # from a product's operand to the next
    vectors: Any        # of channels
    last: Any           # where the last vector begins; it may overlap the one before


class OutputWords(NamedTuple):
    """Integer operands of the output transform; addresses and steps are in bytes."""

    sums: Any           # float32[products][vectors * lanes]
    vectors: Any
    bias: Any           # float32[vectors * lanes]
    add: Any            # a tensor to add, or 0
    add_row: Any
    add_pixel: Any
    out: Any
    out_row: Any
    out_pixel: Any
    mode: Any           # activation, see epilogue_f32


class ProductWords(NamedTuple):
    """Integer operands of a product tile; addresses and steps are in bytes."""

    rows: Any           # float32: first of the MR rows
    row: Any            # from a row to the next
    depth: Any
    weights: Any        # float32 or half [depth][NV * lanes]
    out: Any
    out_row: Any
    ahead: Any          # memory to bring near meanwhile: FETCH lines for every four of depth


def _combine(bd: ir.IRBuilder, terms: list[tuple[float, ir.Value]]) -> ir.Value:
    """The sum of coefficient * vector; additions where a coefficient is 1 or -1."""
    terms = sorted((t for t in terms if t[0]), key=lambda t: t[0] != 1.0)
    factor, total = terms[0]
    if factor != 1.0:
        total = bd.fmul(_constant(factor), total)
    for factor, x in terms[1:]:
        if factor == 1.0:
            total = bd.fadd(total, x)
        elif factor == -1.0:
            total = bd.fsub(total, x)
        else:
            total = v.multiply_add(bd, _constant(factor), x, total)
    return total


def _constant(value: float) -> ir.Constant:
    return ir.Constant(v.vec(LANES), [float(np.float32(value))] * LANES)


def _input_line(bd: ir.IRBuilder, d: list[ir.Value]) -> list[ir.Value]:
    """B^T d: rows +p and -p share their even and odd powers."""
    if len(d) == 1:
        return d
    pairs = PAIRS[len(d)]
    squares = [p * p for p in pairs]

    def polynomial(roots: list[float]) -> list[float]:
        return list(np.atleast_1d(np.poly(roots))[::-1]) if roots else [1.0]
    every = polynomial(squares)
    result = [_combine(bd, [(c, d[2 * i]) for i, c in enumerate(every)])]
    for p, s in zip(pairs, squares, strict=True):
        some = polynomial([t for t in squares if t != s])
        even, odd = (_combine(bd, [(c, d[2 * i + shift]) for i, c in enumerate(some)]) for shift in (2, 1))
        result += [_combine(bd, [(1.0, even), (p, odd)]), _combine(bd, [(1.0, even), (-p, odd)])]
    return [*result, _combine(bd, [(c, d[2 * i + 1]) for i, c in enumerate(every)])]


def _output_line(bd: ir.IRBuilder, m: int, d: list[ir.Value]) -> list[ir.Value]:
    """A^T d for m outputs: even powers take the sums of the pairs, odd ones the differences."""
    if len(d) == 1:
        return d
    pairs = PAIRS[len(d)]
    sums = [bd.fadd(d[2 * k + 1], d[2 * k + 2]) for k in range(len(pairs))]
    differences = [bd.fsub(d[2 * k + 1], d[2 * k + 2]) for k in range(len(pairs))]
    result = []
    for i in range(m):
        terms = [(p ** i, x) for p, x in zip(pairs, differences if i % 2 else sums, strict=True)]
        terms += [(1.0, d[0])] if i == 0 else []
        terms += [(1.0, d[-1])] if i == m - 1 else []
        result.append(_combine(bd, terms))
    return result


def _literal(name: str, *values: Any) -> list[int]:
    if not all(isinstance(x, types.IntegerLiteral) for x in values):
        raise TypingError(f"{name} needs its size as constants, got {values}")
    return [x.literal_value for x in values]


@intrinsic(prefer_literal=True)
def winograd_input(typingctx, height, width, words):  # type: ignore[no-untyped-def]
    """out[product][channel] = B^T window B for all channels of one window of height x width."""
    rows, columns = _literal("winograd_input", height, width)

    def codegen(context, bd, sig, args):  # type: ignore[no-untyped-def]
        w = InputWords(*(bd.extract_value(args[2], i) for i in range(len(InputWords._fields))))
        window, out = pointer(bd, w.window), pointer(bd, w.out)
        with loop(bd, word(0), w.vectors, 1) as i:
            offset = bd.mul(i, word(4 * LANES))
            offset = bd.select(bd.icmp_signed("<", w.last, offset), w.last, offset)
            first, to = at(bd, window, offset), at(bd, out, offset)
            lines = []
            for x in range(columns):
                start = at(bd, first, bd.mul(w.pixel, word(x)))
                lines.append(_input_line(bd, [v.load(bd, at(bd, start, bd.mul(w.row, word(y))), LANES) for y in range(rows)]))
            for y in range(rows):
                for x, value in enumerate(_input_line(bd, [line[y] for line in lines])):
                    v.store(bd, value, at(bd, to, bd.mul(w.product, word(y * columns + x))))
        return context.get_dummy_value()

    return types.void(height, width, types.UniTuple(types.intp, len(InputWords._fields))), codegen


@intrinsic(prefer_literal=True)
def winograd_output(typingctx, my, mx, height, width, words, low, high):  # type: ignore[no-untyped-def]
    """out[pixel][channel] = activation(A^T sums A + bias + add) for my x mx pixels of a tile and all channels of a block.

    `sums` are of height x width products, `low` and `high` those of `epilogue_f32`. `add` may be `out`.
    """
    down, across, rows, columns = _literal("winograd_output", my, mx, height, width)

    def codegen(context, bd, sig, args):  # type: ignore[no-untyped-def]
        w = OutputWords(*(bd.extract_value(args[4], i) for i in range(len(OutputWords._fields))))
        step = bd.mul(w.vectors, word(4 * LANES))
        pixels = [(y, x, Cell(bd, v.vec(LANES))) for y in range(down) for x in range(across)]
        with loop(bd, word(0), w.vectors, 1) as i:
            offset = bd.mul(i, word(4 * LANES))
            first = at(bd, pointer(bd, w.sums), offset)
            lines = []
            for x in range(columns):
                start = at(bd, first, bd.mul(step, word(x)))
                sums = [v.load(bd, at(bd, start, bd.mul(step, word(y * columns))), LANES) for y in range(rows)]
                lines.append(_output_line(bd, down, sums))
            bias = v.load(bd, at(bd, pointer(bd, w.bias), offset), LANES)
            results = [_output_line(bd, across, [line[y] for line in lines]) for y in range(down)]
            for y, x, cell in pixels:
                cell.set(bd.fadd(results[y][x], bias))
            with bd.if_then(bd.icmp_signed("!=", w.add, word(0)), likely=False):
                start = at(bd, pointer(bd, w.add), offset)
                for y, x, cell in pixels:
                    where = at(bd, start, bd.add(bd.mul(w.add_row, word(y)), bd.mul(w.add_pixel, word(x))))
                    cell.set(bd.fadd(cell.get(), v.load(bd, where, LANES)))
            activate(bd, w.mode, (args[5], args[6]), [cell for _, _, cell in pixels], LANES)
            start = at(bd, pointer(bd, w.out), offset)
            for y, x, cell in pixels:
                v.store(bd, cell.get(), at(bd, start, bd.add(bd.mul(w.out_row, word(y)), bd.mul(w.out_pixel, word(x)))))
        return context.get_dummy_value()

    return types.void(my, mx, height, width, types.UniTuple(types.intp, len(OutputWords._fields)), types.float32, types.float32), codegen


@intrinsic(prefer_literal=True)
def winograd_product(typingctx, mr, nv, item, words):  # type: ignore[no-untyped-def]
    """out[i] = sum over depth of rows[i][k] * weights[k] for MR rows and NV vectors; `item` is the bytes of a weight."""
    rows, vectors, size = _literal("winograd_product", mr, nv, item)

    def codegen(context, bd, sig, args):  # type: ignore[no-untyped-def]
        w = ProductWords(*(bd.extract_value(args[3], i) for i in range(len(ProductWords._fields))))
        sums = [[Cell(bd, v.vec(LANES), v.zeros(LANES)) for _ in range(vectors)] for _ in range(rows)]
        inputs = [at(bd, pointer(bd, w.rows), bd.mul(w.row, word(i))) for i in range(rows)]
        whole = bd.and_(w.depth, word(-_UNROLL))
        for start, stop, steps in ((word(0), whole, _UNROLL), (whole, w.depth, 1)):
            with loop(bd, start, stop, steps) as k:
                panel = at(bd, pointer(bd, w.weights), bd.mul(k, word(vectors * LANES * size)))
                for line in range(FETCH if steps == _UNROLL else 0):
                    v.fetch(bd, at(bd, pointer(bd, w.ahead), bd.add(bd.mul(k, word(64 * FETCH // _UNROLL)), word(64 * line))))
                for step in range(steps):
                    _step(bd, sums, panel, inputs, k, step, size)
        for i, cells in enumerate(sums):
            base = at(bd, pointer(bd, w.out), bd.mul(w.out_row, word(i)))
            for j, cell in enumerate(cells):
                v.store(bd, cell.get(), at(bd, base, 4 * LANES * j))
        return context.get_dummy_value()

    return types.void(mr, nv, item, types.UniTuple(types.intp, len(ProductWords._fields))), codegen


def _step(bd: ir.IRBuilder, sums: list[list[Cell]], panel: ir.Value, inputs: list[ir.Value], k: ir.Value, step: int, item: int) -> None:
    vectors = len(sums[0])
    row = [vec_f16.load_stored(bd, at(bd, panel, (step * vectors + j) * LANES * item), LANES, item) for j in range(vectors)]
    for base, cells in zip(inputs, sums, strict=True):
        x = v.load_splat(bd, at(bd, at(bd, base, bd.mul(k, word(4))), 4 * step), LANES)
        for cell, b in zip(cells, row, strict=True):
            cell.set(v.multiply_add(bd, x, b, cell.get()))
