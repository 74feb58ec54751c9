"""What a tile does to its sums before it stores them."""
from __future__ import annotations

from collections.abc import Callable

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
    low, high = (v.splat(bd, x, lanes) for x in limits)
    activated, done = bd.append_basic_block("activated"), bd.append_basic_block("done")
    switch = bd.switch(mode, activated)

    def case(modes: tuple[int, ...], end: ir.Block, f: Callable[[ir.Value], ir.Value]) -> None:
        block = bd.append_basic_block("activation")
        for m in modes:
            switch.add_case(word(m), block)
        bd.position_at_end(block)
        for cell in cells:
            cell.set(f(cell.get()))
        bd.branch(end)
    case((RELU,), done, lambda x: v.at_least(bd, v.zeros(lanes), x))
    # a positive number needs no lower limit
    case((HALF + RELU,), done, lambda x: vec_f16.round_positive(bd, v.at_least(bd, v.zeros(lanes), x)))
    case((LEAKY, HALF + LEAKY), activated, lambda x: v.leaky(bd, low, x))
    case((CLIP, HALF + CLIP), activated, lambda x: v.clamp(bd, low, high, x))
    bd.position_at_end(activated)
    with bd.if_then(bd.icmp_signed(">=", mode, word(HALF))):
        for cell in cells:
            cell.set(vec_f16.round_half(bd, cell.get()))
    bd.branch(done)
    bd.position_at_end(done)
