"""Ranges of each bottom of each layer, found by an observer of a method's choice."""
from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol, TypeVar

import numpy as np

from cnml.errors import CnmlError
from pycaffe_acc.errors import CheckError
from pycaffe_acc.quantize.calibration_options import CalibrationOptions
from pycaffe_acc.quantize.dtype_fields import LIMITS, nth_field, write_param
from pycaffe_acc.quantize.histogram import MagnitudeHistogram
from pycaffe_acc.quantize.magnitude import absmax
from pycaffe_acc.quantize.observed_net import ObservedNet
from pycaffe_acc.quantize.value_range import ValueRange, checked_range, range_of
from pycaffe_acc.quantize.weight_ranges import WEIGHT_RULES

#: types with a weight blob that can be quantized
WEIGHTED = frozenset(("Convolution", "Convolution3D", "ConvolutionDepthWise", "ConvolutionDepthwise", "Deconvolution", "DepthwiseConv",
                      "DepthwiseConvolution", "InnerProduct"))
#: types whose bottoms can be whole numbers without weights
MOVING = frozenset(("Pooling", "Eltwise", "Concat"))

T = TypeVar("T")


class Observer(Protocol):
    """Watches a blob over all calibration images, in memory that does not grow with them; what it finds is the same in any order of the images."""

    def see(self, values: np.ndarray) -> None:
        """Look at the values of one forward: float32, any shape, finite."""

    def found(self, dtype: int) -> ValueRange:
        """The range for everything seen and a type; ValueError with a reason where there is none."""


class HistogramObserver:
    """Observer: a histogram, and a rule that finds the range in it.

    Parameters
    ----------
    rule : callable
        Histogram and largest code → greatest magnitude that is not clipped.
    """

    def __init__(self, rule: Callable[[MagnitudeHistogram, int], float]):
        self._rule, self._histogram = rule, MagnitudeHistogram()

    def see(self, values: np.ndarray) -> None:
        """Count the magnitudes."""
        self._histogram.see(values)

    def found(self, dtype: int) -> ValueRange:
        """What the rule finds."""
        h = self._histogram
        checked_range(h.largest)
        dtype = range_of(h.largest, dtype, h.negative).dtype
        return ValueRange(checked_range(self._rule(h, LIMITS[dtype])), dtype)


class LayerRanges:
    """A collector (`pycaffe_acc.quantize.method.Collector`) over observers, one for each blob: layers that read the same values share their range.

    Parameters
    ----------
    net : ObservedNet
    dtype : int
        DT_INT8 or DT_INT16.
    observer : callable
        Makes an `Observer`.
    options : CalibrationOptions
    """

    def __init__(self, net: ObservedNet, dtype: int, observer: Callable[[], Observer], options: CalibrationOptions):
        self._net, self._dtype, self._weight_rule = net, dtype, WEIGHT_RULES[options.weight_ranges]
        self._layers = {index for index, layer in enumerate(net.layers) if layer.type in WEIGHTED | MOVING}
        self._observers: dict[str, Observer] = {}
        for index in sorted(self._layers):
            for name in net.bottom_names(index):
                self._observers.setdefault(name, observer())

    def see(self) -> None:
        """Show every observer its blob.

        Raises
        ------
        CheckError
            For NaN and infinities.
        """
        shown: set[str] = set()
        for index in sorted(self._layers):
            layer = self._net.layers[index]
            for j, (name, values) in enumerate(zip(self._net.bottom_names(index), self._net.bottoms(index), strict=True)):
                if name not in shown:
                    shown.add(name)
                    absmax(values, layer, f"bottom '{layer.bottom[j]}'")
                    self._observers[name].see(values)

    def write(self, index: int, layer: Any) -> bool:
        """Put the parameters of a layer into its message.

        Raises
        ------
        CheckError
            Naming layer and blob, where there is no useful range.
        """
        if index not in self._layers:
            return False
        for j, name in enumerate(self._net.bottom_names(index)):
            found = _named(layer, f"bottom '{layer.bottom[j]}'", partial(self._observers[name].found, self._dtype))
            write_param(nth_field(layer.bottom_mlu_dtype, j), found.param, found.dtype)
        if layer.type in WEIGHTED:
            weights = self._net.weights(index)[0]
            absmax(weights, layer, "blob 0")
            param = _named(layer, "blob 0", partial(self._weight_rule, weights, channel_axis(layer), LIMITS[self._dtype]))
            write_param(nth_field(layer.blobs_dtype, 0), param, self._dtype)
        return True


def channel_axis(layer: Any) -> int | None:
    """The axis of a layer's weight blob along which its output channels lie; None where groups share it."""
    if layer.type == "InnerProduct":
        return 1 if layer.inner_product_param.transpose else 0
    if layer.type == "Deconvolution":
        return 1 if layer.convolution_param.group == 1 else None
    return 0


def _named(layer: Any, what: str, find: Callable[[], T]) -> T:
    try:
        return find()
    except (ValueError, CnmlError) as e:
        raise CheckError(f"layer '{layer.name}' ({layer.type}): {what} cannot be quantized: {e}. Calibrate with other images, or keep the layer in "
                         "floating point") from e
