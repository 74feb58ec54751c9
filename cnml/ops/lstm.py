"""A long short-term memory over time."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.emitter import Emitter
from cnml.errors import expect
from cnml.kernels.inner_product_f32 import pack_inner_product_f32, plan_inner_product
from cnml.kernels.inner_tiles import inner_tile_for, recurrent_scratch
from cnml.operator import Operator
from cnml.reference.recurrent import lstm
from cnml.tensor import Shape, Tensor


class LSTM(Operator):
    """T steps from gates (T, N, 4H) that hold x W_xcᵀ + b_c.

    Inputs: gates, cont (T, N), then [static (N, 4H)], then with `exposed` h_0 and c_0 (1, N, H). Outputs: h (T, N, H), and with `exposed` h_T, c_T.
    Parameters: W_hc (4H, H), and unless `exposed` the state h and c (N, H), which each run changes.

    Parameters
    ----------
    static, exposed : bool
    name : str
    """

    kind = "LSTM"

    def __init__(self, static: bool = False, exposed: bool = False, name: str = ""):
        super().__init__(name)
        self.static, self.exposed = static, exposed
        self.mutates = not exposed  # type: ignore[misc]

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """(T, N, H), and the last state."""
        (t, n, width), h = inputs[0], parameters[0][1]
        expect(width == 4 * h == parameters[0][0], self, f"gates {inputs[0]} and weights {parameters[0]}", "there must be four gates a cell")
        expect(inputs[1] == (t, n), self, f"cont {inputs[1]}", f"it must have the shape {(t, n)}: time steps, streams")
        for s in inputs[2 + self.static:]:
            expect(s == (1, n, h), self, f"initial state {s}", f"it must have the shape {(1, n, h)}")
        return [(t, n, h), (1, n, h), (1, n, h)] if self.exposed else [(t, n, h)]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.recurrent`; changes the state."""
        static = inputs[2] if self.static else None
        h, c = (s[0] for s in inputs[2 + self.static:]) if self.exposed else parameters[1:]
        out, h1, c1 = lstm(inputs[0], static, inputs[1], parameters[0], h, c)
        if self.exposed:
            return [out, h1[None], c1[None]]
        h[...], c[...] = h1, c1
        return [out]

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """One kernel; tasks take streams."""
        w, *state = emit.parameters
        t, n, h = outputs[0].shape
        mr, nr = inner_tile_for(n)
        packed, _ = emit.packed(("recurrent", nr), lambda a: pack_inner_product_f32(plan_inner_product(mr, h, 4 * h), a), w)
        first = inputs[2 + self.static:] if self.exposed else [None, None]
        working = outputs[1:] if self.exposed else state
        emit.call(f"lstm_f32_{mr}x{nr}", inputs[0], inputs[2] if self.static else None, inputs[1], packed, *first, *working, outputs[0], t, n, h,
                  emit.scratch(recurrent_scratch(mr, nr, 4 * h, h)))

    def macs(self, inputs: list[Shape], outputs: list[Shape]) -> int:
        """The recurrent product."""
        t, n, h = outputs[0]
        return t * n * 4 * h * h
