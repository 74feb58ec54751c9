"""The limit of a core in products of bytes: what the INT8 convolutions are measured against."""
from __future__ import annotations

from numba import types
from numba.extending import intrinsic

from cnml.cpu import dot_kind, isa
from cnml.ukernels.simd.dot4 import Dot, ints, splat_word
from cnml.ukernels.simd.loop import Cell, loop
from cnml.ukernels.simd.pointer import I32, at, pointer, word

LANES = isa().lanes
DOT = Dot(dot_kind(), LANES)
CHAINS = 12  # enough to hide the latency, few enough for sixteen registers


@intrinsic
def peak_bytes(typingctx, n, out):  # type: ignore[no-untyped-def]
    """n times CHAINS independent vectors of four products a lane and their sum: 8 * n * CHAINS * LANES operations. `out` is an address for CHAINS
    vectors.
    """
    def codegen(context, bd, sig, args):  # type: ignore[no-untyped-def]
        base = pointer(bd, args[1])
        cells = [Cell(bd, ints(LANES), bd.load(base, align=4, typ=ints(LANES))) for _ in range(CHAINS)]
        # one instruction cannot be taken apart; what takes several gets weights of its own in every chain, or the compiler would multiply once
        weights = [DOT.weights(bd, at(bd, base, 0 if DOT.kind == "vnni" else 4 * LANES * i)) for i in range(CHAINS)]
        with loop(bd, word(0), args[0], 1) as i:
            x = DOT.operands(bd, splat_word(bd, bd.trunc(i, I32), LANES))
            for cell, w in zip(cells, weights, strict=True):
                cell.set(DOT.add(bd, cell.get(), x, w))
        for i, cell in enumerate(cells):
            bd.store(cell.get(), at(bd, base, 4 * LANES * i), align=4)
        return context.get_dummy_value()

    return types.void(types.intp, types.intp), codegen
