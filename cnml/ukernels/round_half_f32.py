"""A run of float32 rounded to half precision."""
from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from cnml.cpu import isa
from cnml.ukernels.simd import vec_f16
from cnml.ukernels.simd import vec_f32 as v
from cnml.ukernels.simd.loop import loop
from cnml.ukernels.simd.pointer import at, pointer, word

LANES = isa().lanes


@intrinsic
def round_run(typingctx: Any, x: Any, y: Any, n: Any) -> Any:
    """y[i] = the nearest half of x[i] for i < n; x and y are addresses and may be equal."""
    def codegen(context: Any, bd: ir.IRBuilder, sig: Any, a: Any) -> Any:
        source, target = pointer(bd, a[0]), pointer(bd, a[1])
        whole = bd.and_(a[2], word(-LANES))
        with loop(bd, word(0), whole, LANES) as i:
            offset = bd.mul(i, word(4))
            v.store(bd, vec_f16.round_half(bd, v.load(bd, at(bd, source, offset), LANES)), at(bd, target, offset))
        mask, offset = v.first_lanes(bd, bd.sub(a[2], whole), LANES), bd.mul(whole, word(4))
        rest = v.load_masked(bd, at(bd, source, offset), LANES, mask)
        v.store_masked(bd, vec_f16.round_half(bd, rest), at(bd, target, offset), mask)
        return context.get_dummy_value()
    return types.void(*[types.int64] * 3), codegen
