"""What a tile does to its sums before it stores them."""
from __future__ import annotations

from llvmlite import ir

from cnml.epilogue import HALF
from cnml.ukernels.simd import vec_f16
from cnml.ukernels.simd import vec_f32 as v
from cnml.ukernels.simd.loop import Cell
from cnml.ukernels.simd.pointer import word

#: activation modes: nothing; max(x, 0); x < 0 ? low * x : x; max(low, min(x, high))
NONE, RELU, LEAKY, CLIP = range(HALF)


def activate(bd: ir.IRBuilder, mode: ir.Value, limits: tuple[ir.Value, ir.Value], cells: list[Cell], lanes: int) -> None:
    """Apply the activation `mode` to every cell, then round to half if it says so.

    Parameters
    ----------
    bd : IRBuilder
    mode : int64 value
    limits : two float values
        low and high.
    cells : list of Cell of vectors
    lanes : int
    """
    zero = v.zeros(lanes)
    done = bd.append_basic_block("activated")
    switch = bd.switch(bd.and_(mode, word(HALF - 1)), done)
    for case, f in ((RELU, lambda x: v.at_least(bd, zero, x)),
                    (LEAKY, lambda x: v.leaky(bd, v.splat(bd, limits[0], lanes), x)),
                    (CLIP, lambda x: v.clamp(bd, v.splat(bd, limits[0], lanes), v.splat(bd, limits[1], lanes), x))):
        block = bd.append_basic_block("activation")
        switch.add_case(word(case), block)
        bd.position_at_end(block)
        for cell in cells:
            cell.set(f(cell.get()))
        bd.branch(done)
    bd.position_at_end(done)
    with bd.if_then(bd.icmp_signed("!=", bd.and_(mode, word(HALF)), word(0))):
        for cell in cells:
            cell.set(vec_f16.round_half(bd, cell.get()))
