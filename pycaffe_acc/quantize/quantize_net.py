"""Quantize a net by any of the methods: calibrate it with batches of input, write its parameters into its description."""
from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cnml.quantization import QuantParam
from cnrt.whole_file import whole_file
from pycaffe_acc.errors import CheckError
from pycaffe_acc.net import Net
from pycaffe_acc.net_filter import runs
from pycaffe_acc.proto import caffe_pb2
from pycaffe_acc.quantize.calibration_options import CalibrationOptions
from pycaffe_acc.quantize.dtype_fields import DT_INT8, FIELDS, read_param
from pycaffe_acc.quantize.method import Collector, Method
from pycaffe_acc.quantize.observed_net import ObservedNet
from pycaffe_acc.quantize.source_net import fill_first_convolution
from pycaffe_acc.text_format import format_message, read_net
from pycaffe_acc.upgrade import upgrade_net

_DEFAULTS = CalibrationOptions()


@dataclass(frozen=True)
class QuantizedLayer:
    """A row of the result.

    Attributes
    ----------
    bottoms : tuple of QuantParam or None
        One a bottom.
    weights : QuantParam or None
        None for a layer whose weights are not quantized.
    """

    name: str
    type: str
    bottoms: tuple[QuantParam | None, ...]
    weights: QuantParam | None


class Quantizer:
    """Calibrates one net with one method.

    Parameters
    ----------
    model : str or Path
        Prototxt of the float net. Dtype fields that it has already are dropped.
    weights : str or Path
    method : Method
        See `pycaffe_acc.quantize.method.find_method`.
    dtype : int
        DT_INT8 or DT_INT16.
    mean, factor : tuple of float, float
        With `first_convolution`: what the first convolution subtracts from its input, and multiplies it with.
    first_convolution : bool
        Make the net take raw pixels.
    vendor_exact : bool
        Run the vendor's layers; the method "vendor" always does.
    threads : int, optional
    options : CalibrationOptions

    Attributes
    ----------
    net : Net
        Runs the calibration; its input blob takes the batches.

    Raises
    ------
    CaffeError
    """

    def __init__(self, model: str | Path, weights: str | Path, method: Method, dtype: int = DT_INT8, mean: tuple[float, ...] = (),
                 factor: float = 1.0, first_convolution: bool = False, vendor_exact: bool = False, threads: int | None = None,
                 options: CalibrationOptions = _DEFAULTS):
        self._model, self._weights = model, weights
        self.message = upgrade_net(read_net(model).message)
        for layer in self.message.layer:
            for field in FIELDS:
                layer.ClearField(field)
        if first_convolution:
            fill_first_convolution(self.message.layer, mean, factor, str(model))
        self._vendor_exact = vendor_exact or method.SETTLED
        self._observed = ObservedNet(self.message, weights, self._vendor_exact, method.SETTLED, threads)
        if not self._observed.coverage.complete:
            raise CheckError(f"{model}: {self._observed.coverage} A net with initial values cannot be quantized; give the weights that belong to it")
        self.net: Net = self._observed.net
        self._collector: Collector = method.collector(self._observed, dtype, options)
        self._seen = 0

    def calibrate(self, blob: str, batches: Iterable[np.ndarray]) -> int:
        """Run the net over input batches.

        Parameters
        ----------
        blob : str
            An input of the net.
        batches : iterable of (N, …) float32
            Of any batch sizes.

        Returns
        -------
        int
            How many items there were.

        Raises
        ------
        CheckError
            For values in the net that are not finite.
        """
        items = 0
        for values in batches:
            if len(values) != self.net.blobs[blob].shape[0]:
                for name in self.net.inputs:
                    self.net.blobs[name].reshape(len(values), *self.net.blobs[name].shape[1:])
                self.net.reshape()
            self.net.blobs[blob].data[...] = values
            self._observed.forward()
            self._collector.see()
            items += len(values)
        self._seen += items
        return items

    def finish(self) -> list[QuantizedLayer]:
        """Write the parameters into `message`.

        Returns
        -------
        list of QuantizedLayer
            Those that got any.

        Raises
        ------
        CheckError
            Without any calibration, and for ranges that are no use, naming layer and blob.
        """
        if not self._seen:
            raise CheckError(f"{self._model}: no calibration images were seen; a range must come from at least one")
        running = [layer for layer in self.message.layer if runs(layer, self.message.state)]
        found = []
        for index, layer in enumerate(running):
            if self._collector.write(index, layer):
                what = f"layer '{layer.name}' ({layer.type})"
                bottoms = tuple(read_param(field, f"{what}: bottom_mlu_dtype {j}") for j, field in enumerate(layer.bottom_mlu_dtype))
                weights = read_param(layer.blobs_dtype[0], f"{what}: blobs_dtype") if layer.blobs_dtype else None
                found.append(QuantizedLayer(layer.name, layer.type, bottoms, weights))
        if not found:
            raise CheckError(f"{self._model}: none of the net's layers can be quantized by this method")
        return found

    def save(self, path: str | Path, weights: str | Path | None = None) -> None:
        """Write the quantized prototxt, and the weights if a name for them is given; each whole or not at all.

        Raises
        ------
        OSError
        """
        if weights is not None:
            Net(self.message, caffe_pb2.TEST, weights=self._weights, vendor_exact=self._vendor_exact).save(weights)
        with whole_file(path) as part:
            part.write_bytes(format_message(self.message).encode())

