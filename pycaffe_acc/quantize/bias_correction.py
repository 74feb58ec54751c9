"""The mean error of each output channel goes into the bias.

Rounding and clipping shift the mean of a layer's output; over many images the shift of a channel is close to constant, and a constant can be taken
back for nothing (Nagel et al., ICCV 2019, section 4.2). Every layer is judged on the float net's values, so each takes back its own shift alone.
"""
from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from pycaffe_acc.quantize.isolated_layers import IsolatedLayers
from pycaffe_acc.quantize.observed_net import ObservedNet


class BiasCorrection:
    """Collects mean errors over forwards of a float net.

    Parameters
    ----------
    observed : ObservedNet
    layers : mapping of int to LayerParameter
        Quantized, by their places in `observed.layers`.
    blobs : mapping of int to list of ndarray
        Of the layers whose parameters are others than the float net's.
    """

    def __init__(self, observed: ObservedNet, layers: Mapping[int, Any], blobs: Mapping[int, list[np.ndarray]] = MappingProxyType({})):
        self._isolated = IsolatedLayers(observed, layers, blobs=blobs)
        self._sums: dict[int, np.ndarray] = {}
        self._counts: dict[int, int] = {}

    def see(self) -> None:
        """Look at the net after a forward."""
        for out in self._isolated.outputs():
            error = out.float_values - out.int8_values
            others = tuple(a for a in range(error.ndim) if a != 1)
            self._sums[out.place] = self._sums.get(out.place, 0.0) + error.sum(axis=others, dtype=np.float64)
            self._counts[out.place] = self._counts.get(out.place, 0) + error.size // error.shape[1]

    def result(self) -> dict[int, np.ndarray]:
        """What has to be added to the bias of each layer: (C,) float32 by the layer's place."""
        return {i: (self._sums[i] / self._counts[i]).astype(np.float32) for i in self._sums}
