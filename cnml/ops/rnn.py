"""A plain recurrent net over time."""
from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from cnml.emitter import Emitter
from cnml.errors import expect
from cnml.kernels.inner_product_f32 import pack_inner_product_f32, plan_inner_product
from cnml.kernels.inner_tiles import inner_tile_for, recurrent_scratch
from cnml.operator import Operator
from cnml.reference.recurrent import rnn
from cnml.tensor import Shape, Tensor


class RNN(Operator):
    """T steps from inputs (T, N, H) that hold x W_xhᵀ + b_h.

    Inputs: those, cont (T, N), then [static (N, H)], then with `exposed` h_0 (1, N, H). Outputs: o (T, N, H), and with `exposed` h_T.
    Parameters: W_hh, W_ho (H, H), b_o (H,), and unless `exposed` the state h (N, H), which each run changes.

    Parameters
    ----------
    static, exposed : bool
    name : str
    """

    kind = "RNN"

    def __init__(self, static: bool = False, exposed: bool = False, name: str = ""):
        super().__init__(name)
        self.static, self.exposed = static, exposed
        self.mutates = not exposed  # type: ignore[misc]

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """(T, N, H), and the last state."""
        t, n, h = inputs[0]
        expect(inputs[1] == (t, n), self, f"cont {inputs[1]}", f"it must have the shape {(t, n)}: time steps, streams")
        for s in inputs[2 + self.static:]:
            expect(s == (1, n, h), self, f"initial state {s}", f"it must have the shape {(1, n, h)}")
        return [(t, n, h), (1, n, h)] if self.exposed else [(t, n, h)]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.recurrent`; changes the state."""
        h = inputs[-1][0] if self.exposed else parameters[3]
        out, h1 = rnn(inputs[0], inputs[2] if self.static else None, inputs[1], *parameters[:3], h)
        if self.exposed:
            return [out, h1[None]]
        h[...] = h1
        return [out]

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """One kernel; tasks take streams."""
        w, w_out, b_out, *state = emit.parameters
        t, n, h = outputs[0].shape
        mr, nr = inner_tile_for(n)
        plan = plan_inner_product(mr, h, h)
        packed, _ = emit.packed(("recurrent", nr), partial(pack_inner_product_f32, plan), w)
        packed_out, bias = emit.packed(("recurrent", nr), partial(pack_inner_product_f32, plan), w_out, b_out)
        first, working = (inputs[-1], outputs[1]) if self.exposed else (None, state[0])
        emit.call(f"rnn_f32_{mr}x{nr}", inputs[0], inputs[2] if self.static else None, inputs[1], packed, packed_out, bias, first,
                  working, outputs[0], t, n, h, emit.scratch(recurrent_scratch(mr, nr, h, h)))

    def macs(self, inputs: list[Shape], outputs: list[Shape]) -> int:
        """Both recurrent products."""
        t, n, h = outputs[0]
        return 2 * t * n * h * h
