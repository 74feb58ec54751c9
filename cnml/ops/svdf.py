"""A low-rank recurrent filter for speech."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.errors import expect
from cnml.operator import Operator
from cnml.reference.svdf import svdf
from cnml.tensor import Shape


class Svdf(Operator):
    """Inputs x (N, K) and state (N, F, T); outputs y (N, U) and the next state. Parameters: feature (F, K), time (F, T) and, if any, bias (U,)."""

    kind = "Svdf"
    host_reason = "a layer of small speech models, which the vendor's Caffe does not have"

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """Filters, their memory and the inputs belong together."""
        (x, state), (feature, time, *bias) = inputs, parameters
        expect(len(x) == 2 and len(state) == 3 and len(feature) == len(time) == 2, self, f"input {x}, state {state} and weights {feature}, {time}",
               "they must be (N, K), (N, F, T), (F, K) and (F, T)")
        expect(state == (x[0], *time) and feature == (time[0], x[1]), self, f"input {x}, state {state} and weights {feature}, {time}",
               "they must be (N, K), (N, F, T), (F, K) and (F, T)")
        units = bias[0][0] if bias else time[0]
        expect(units > 0 and time[0] % units == 0, self, f"{time[0]} filters and {units} units", "filters must be a multiple of the units")
        return [(x[0], units), state]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.svdf`."""
        return list(svdf(*inputs, *parameters[:2], parameters[2] if len(parameters) > 2 else None))
