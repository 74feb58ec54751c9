"""Counted loops of a builder. State lives in `alloca`s, which LLVM turns into registers."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from llvmlite import ir
from numba.core import cgutils

from cnml.ukernels.simd.pointer import I64, word


class Cell:
    """A variable of the emitted code."""

    def __init__(self, bd: ir.IRBuilder, typ: ir.Type, value: ir.Value | None = None):
        self._bd, self._typ = bd, typ
        self._slot = cgutils.alloca_once(bd, typ)
        if value is not None:
            self.set(value)

    def get(self) -> ir.Value:
        """Its value now."""
        return self._bd.load(self._slot, typ=self._typ)

    def set(self, value: ir.Value) -> None:
        """Give it a value."""
        self._bd.store(value, self._slot)


@contextmanager
def loop(bd: ir.IRBuilder, start: ir.Value, stop: ir.Value, step: int) -> Iterator[ir.Value]:
    """`for i in range(start, stop - step + 1, step)`: whole steps only, none if there is no room for one."""
    index = Cell(bd, I64, start)
    body, done = bd.append_basic_block("loop"), bd.append_basic_block("loop_end")
    bd.cbranch(bd.icmp_signed("<=", bd.add(start, word(step)), stop), body, done)
    bd.position_at_end(body)
    i = index.get()
    yield i
    following = bd.add(i, word(step))
    index.set(following)
    bd.cbranch(bd.icmp_signed("<=", bd.add(following, word(step)), stop), body, done)
    bd.position_at_end(done)
