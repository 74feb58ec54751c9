"""The multiply-add limit of a core: what the tiles are measured against."""
from __future__ import annotations

from numba import types
from numba.extending import intrinsic

from cnml.cpu import isa
from cnml.ukernels.simd import vec_f32 as v
from cnml.ukernels.simd.loop import Cell, loop
from cnml.ukernels.simd.pointer import at, pointer, word

LANES = isa().lanes
CHAINS = 12  # enough to hide the latency, few enough for sixteen registers


@intrinsic
def peak(typingctx, n, out):  # type: ignore[no-untyped-def]
    """n times CHAINS independent vector multiply-adds in registers: 2 * n * CHAINS * LANES operations. `out` is an address for CHAINS vectors."""
    def codegen(context, bd, sig, args):  # type: ignore[no-untyped-def]
        base = pointer(bd, args[1])
        factor, shift = v.load(bd, base, LANES), v.load(bd, base, LANES)
        cells = [Cell(bd, v.vec(LANES), v.load(bd, base, LANES)) for _ in range(CHAINS)]
        with loop(bd, word(0), args[0], 1):
            for cell in cells:
                cell.set(v.multiply_add(bd, cell.get(), factor, shift))
        for i, cell in enumerate(cells):
            v.store(bd, cell.get(), at(bd, base, 4 * LANES * i))
        return context.get_dummy_value()

    return types.void(types.intp, types.intp), codegen
