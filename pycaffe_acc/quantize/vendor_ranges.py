"""Ranges and positions by the rules of the vendor's tools."""
from __future__ import annotations

from typing import Any

import numpy as np

from cnml.errors import CnmlError
from cnml.quantization import QuantParam, lrn_position, normalize_position, position_of
from pycaffe_acc.errors import CheckError
from pycaffe_acc.quantize.dtype_fields import DT_FLOAT32, DT_INT8, LIMITS, nth_field, write_param
from pycaffe_acc.quantize.magnitude import absmax
from pycaffe_acc.quantize.observed_net import ObservedNet

#: types with positions for their bottoms; those with parameter blobs get one for blob 0 too
TYPES = frozenset(("Convolution", "Convolution3D", "Deconvolution", "InnerProduct", "LRN", "Reorg"))
NORMALIZE = "Normalize"
COMMON = "common"
#: what the vendor writes for the scales of a Normalize layer, whatever they are
_ACROSS, _PER_CHANNEL = -6, -16


class VendorRanges:
    """Collects what the vendor's tools look at, and writes what they write.

    The largest magnitude of a bottom is remembered per layer name over all forwards, so the bottoms of a layer share it. A Normalize layer is judged
    by its last forward alone.

    Parameters
    ----------
    net : ObservedNet
    dtype : int
        DT_INT8 or DT_INT16.
    mode : str
        "common". The others that the vendor names ("scale", "int8_channel") give empty entries, except for LRN.
    float_tops : bool
        Mark the tops of layers with weights as float32 (`top_mlu_dtype`).
    """

    def __init__(self, net: ObservedNet, dtype: int = DT_INT8, mode: str = COMMON, float_tops: bool = False):
        self._net, self._dtype, self._mode, self._float_tops = net, dtype, mode, float_tops
        self._history: dict[str, np.float32] = {}
        self._absmax: dict[int, list[float]] = {}
        self._normalize: dict[int, list[int]] = {}

    @property
    def silent(self) -> list[str]:
        """Names of the layers that saw nothing but zeros."""
        return [self._net.layers[i].name for i, values in self._absmax.items() if not any(values)]

    def see(self) -> None:
        """Look at the net after a forward.

        Raises
        ------
        CheckError
            For a bottom that holds NaN or an infinity, or that a Normalize layer cannot be judged by.
        """
        for index, layer in enumerate(self._net.layers):
            if layer.type in TYPES:
                self._absmax[index] = [self._remember(layer, j, values) for j, values in enumerate(self._net.bottoms(index))]
            elif layer.type == NORMALIZE:
                self._normalize[index] = self._normalize_positions(layer, self._net.bottoms(index)[0])

    def write(self, index: int, layer: Any) -> bool:
        """Put what was found into a layer.

        Parameters
        ----------
        index : int
            Of the layer in `ObservedNet.layers`.
        layer : LayerParameter
            That layer, or a copy of it; entries that it has already are replaced one by one.

        Returns
        -------
        bool
            Whether there was something to write.

        Raises
        ------
        CheckError
            For weights that hold NaN or an infinity.
        """
        if index in self._absmax:
            for j, value in enumerate(self._absmax[index]):
                self._put(layer.bottom_mlu_dtype, j, self._position(layer, value), layer.type == "LRN")
            blobs = self._net.weights(index)
            if blobs:
                self._put(layer.blobs_dtype, 0, self._position(layer, float(absmax(blobs[0], layer, "blob 0")), weights=True))
                self._mark_top(layer)
            return True
        if index in self._normalize:
            for j, position in enumerate(self._normalize[index]):
                self._put(layer.bottom_mlu_dtype, j, position)
            self._put_normalize_scales(layer)
            self._mark_top(layer)
            return True
        return False

    def result(self) -> list[Any]:
        """The net's layers with their positions, without phase rules, and with what Caffe adds to a layer when it sets it up.

        Returns
        -------
        list of LayerParameter

        Raises
        ------
        CheckError
            As `write`.
        """
        layers = []
        for index, layer in enumerate(self._net.layers):
            made = type(layer)()
            made.CopyFrom(layer)
            made.ClearField("include")
            made.ClearField("phase")
            _add_setup_fields(made, len(self._net.weights(index)))
            self.write(index, made)
            layers.append(made)
        return layers

    def _remember(self, layer: Any, bottom: int, values: np.ndarray) -> float:
        largest = np.maximum(absmax(values, layer, f"bottom '{layer.bottom[bottom]}'"), self._history.get(layer.name, np.float32(0)))
        self._history[layer.name] = largest
        return float(largest)

    def _position(self, layer: Any, largest: float, weights: bool = False) -> int:
        limit = LIMITS[self._dtype]
        try:
            return position_of(largest, limit) if layer.type != "LRN" or weights else lrn_position(largest, layer.lrn_param.alpha, limit)
        except CnmlError as e:
            raise CheckError(f"layer '{layer.name}' ({layer.type}): {e}") from e

    def _put(self, fields: Any, index: int, position: int, always: bool = False) -> None:
        field = nth_field(fields, index)
        field.Clear()
        if self._mode == COMMON or always:
            write_param(field, QuantParam(position), self._dtype, with_scale=False)

    def _put_normalize_scales(self, layer: Any) -> None:
        field = nth_field(layer.blobs_dtype, 0)
        if self._mode == COMMON:
            position = _ACROSS if layer.norm_param.across_spatial else _PER_CHANNEL
            write_param(field, QuantParam(position), DT_INT8, with_scale=False)
        else:
            write_param(field, QuantParam(0, 1024.0), DT_INT8)

    def _mark_top(self, layer: Any) -> None:
        if self._float_tops:
            layer.top_mlu_dtype = DT_FLOAT32

    def _normalize_positions(self, layer: Any, values: np.ndarray) -> list[int]:
        """Of the squares of the bottom over its largest magnitude, and of the norms of its positions over channels."""
        what = f"bottom '{layer.bottom[0]}'"
        largest = absmax(values, layer, what)
        if largest == 0:
            raise CheckError(f"layer '{layer.name}' ({layer.type}): {what} is all zeros after the last forward, which leaves its position undefined; "
                             "calibrate with other images")
        limit = LIMITS[self._dtype]
        unit = values / largest
        positions = [normalize_position(float(np.abs(unit).max()), limit)]
        if not layer.norm_param.across_spatial:
            sums = np.zeros_like(unit[:, 0])
            for channel in range(unit.shape[1]):
                sums += unit[:, channel] * unit[:, channel]
            positions.append(position_of(float(np.sqrt(sums).max()), limit))
        return positions


def _add_setup_fields(layer: Any, blobs: int) -> None:
    """Caffe's set-up writes into a BatchNorm's message that nothing of it is learned, and into a loss layer's that it counts once."""
    if layer.type == "BatchNorm":
        while len(layer.param) < blobs:
            layer.param.add(lr_mult=0)
    if layer.type.endswith("Loss") and not layer.loss_weight:
        layer.loss_weight.append(1)
