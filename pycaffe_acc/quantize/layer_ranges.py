"""Ranges of each bottom of each layer, found by an observer of a method's choice."""
from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

import numpy as np

from cnml.errors import CnmlError
from cnml.quantization import QuantParam
from pycaffe_acc.errors import CheckError
from pycaffe_acc.quantize.dtype_fields import LIMITS, nth_field, write_param
from pycaffe_acc.quantize.magnitude import absmax
from pycaffe_acc.quantize.observed_net import ObservedNet

#: types with a weight blob that can be quantized
WEIGHTED = frozenset(("Convolution", "Convolution3D", "ConvolutionDepthWise", "ConvolutionDepthwise", "Deconvolution", "DepthwiseConv",
                      "DepthwiseConvolution", "InnerProduct"))
#: types whose bottoms can be whole numbers without weights
MOVING = frozenset(("Pooling", "Eltwise", "Concat"))

#: weight blob, axis of its output channels (None: they cannot be told apart), largest code → parameters; ValueError with a reason
WeightRule = Callable[[np.ndarray, "int | None", int], QuantParam]


class Observer(Protocol):
    """Watches one bottom of one layer over all calibration images, in memory that does not grow with them."""

    def see(self, values: np.ndarray) -> None:
        """Look at the values of one forward: float32, any shape, finite."""

    def param(self, limit: int) -> QuantParam:
        """The parameters for everything seen; ValueError with a reason where there are none."""


class LayerRanges:
    """A collector (`pycaffe_acc.quantize.method.Collector`) over observers.

    Parameters
    ----------
    net : ObservedNet
    dtype : int
        DT_INT8 or DT_INT16.
    observer : callable
        Makes an `Observer`.
    weight_rule : WeightRule
    """

    def __init__(self, net: ObservedNet, dtype: int, observer: Callable[[], Observer], weight_rule: WeightRule):
        self._net, self._dtype, self._weight_rule = net, dtype, weight_rule
        self._observers = {index: [observer() for _ in layer.bottom] for index, layer in enumerate(net.layers) if layer.type in WEIGHTED | MOVING}

    def see(self) -> None:
        """Show every observer its bottom.

        Raises
        ------
        CheckError
            For NaN and infinities.
        """
        for index, observers in self._observers.items():
            layer = self._net.layers[index]
            for j, (observer, values) in enumerate(zip(observers, self._net.bottoms(index), strict=True)):
                absmax(values, layer, f"bottom '{layer.bottom[j]}'")
                observer.see(values)

    def write(self, index: int, layer: Any) -> bool:
        """Put the parameters of a layer into its message.

        Raises
        ------
        CheckError
            Naming layer and blob, where there is no useful range.
        """
        if index not in self._observers:
            return False
        limit = LIMITS[self._dtype]
        for j, observer in enumerate(self._observers[index]):
            param = _named(layer, f"bottom '{layer.bottom[j]}'", partial(observer.param, limit))
            write_param(nth_field(layer.bottom_mlu_dtype, j), param, self._dtype)
        if layer.type in WEIGHTED:
            weights = self._net.weights(index)[0]
            absmax(weights, layer, "blob 0")
            param = _named(layer, "blob 0", partial(self._weight_rule, weights, channel_axis(layer), limit))
            write_param(nth_field(layer.blobs_dtype, 0), param, self._dtype)
        return True


def channel_axis(layer: Any) -> int | None:
    """The axis of a layer's weight blob along which its output channels lie; None where groups share it."""
    if layer.type == "InnerProduct":
        return 1 if layer.inner_product_param.transpose else 0
    if layer.type == "Deconvolution":
        return 1 if layer.convolution_param.group == 1 else None
    return 0


def _named(layer: Any, what: str, find: Callable[[], QuantParam]) -> QuantParam:
    try:
        return find()
    except (ValueError, CnmlError) as e:
        raise CheckError(f"layer '{layer.name}' ({layer.type}): {what} cannot be quantized: {e}. Calibrate with other images, or keep the layer in "
                         "floating point") from e
