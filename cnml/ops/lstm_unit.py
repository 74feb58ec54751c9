"""One step of an LSTM."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.emitter import Emitter
from cnml.errors import expect
from cnml.operator import Operator
from cnml.reference.recurrent import lstm_unit
from cnml.tensor import Shape, Tensor


class LSTMUnit(Operator):
    """c', h' from c (1, N, H), gates (1, N, 4H) and cont (1, N)."""

    kind = "LSTMUnit"

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """Two outputs of c's shape."""
        c, gates, cont = inputs
        expect(len(c) == 3 and len(gates) == 3 and len(cont) == 2, self, f"inputs {inputs}", "cell and gates must have three axes and cont two")
        expect(c[0] == gates[0] == cont[0] == 1, self, f"inputs {inputs}", "the first axis of each must have extent 1")
        expect(c[1] == gates[1] == cont[1], self, f"inputs {inputs}", "all must have the same number of streams along axis 1")
        expect(gates[2] == 4 * c[2], self, f"inputs {inputs}", f"the gates must have 4 x {c[2]} = {4 * c[2]} values")
        return [c, c]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.recurrent`."""
        return lstm_unit(*inputs)

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """One kernel over the streams."""
        _, n, h = inputs[0].shape
        emit.call("lstm_unit_f32", *inputs, *outputs, n, h)
