"""Quantize a net by any of the methods: calibrate it with batches of input, write its parameters into its description."""
from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cnml.quantization import QuantParam
from cnrt.whole_file import whole_file
from pycaffe_acc.errors import CheckError
from pycaffe_acc.mode import TEST
from pycaffe_acc.net import Net
from pycaffe_acc.net_filter import runs
from pycaffe_acc.quantize.adaptive_rounding import AdaptiveRounding
from pycaffe_acc.quantize.bias_correction import BiasCorrection
from pycaffe_acc.quantize.calibration_options import CalibrationOptions
from pycaffe_acc.quantize.calibration_table import CalibrationTable
from pycaffe_acc.quantize.dtype_fields import DT_INT8, FIELDS, read_param
from pycaffe_acc.quantize.edited_weights import edited
from pycaffe_acc.quantize.equalization import equalize
from pycaffe_acc.quantize.isolated_layers import bias_field
from pycaffe_acc.quantize.method import Collector, Method
from pycaffe_acc.quantize.observed_net import ObservedNet
from pycaffe_acc.quantize.source_net import fill_first_convolution
from pycaffe_acc.text_format import format_message, read_net
from pycaffe_acc.upgrade import upgrade_net
from pycaffe_acc.weights_file import Weights, read_weights

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
    layers : list of LayerParameter
        Those of the net that run.
    message : NetParameter
        The quantized net, after `finish` or `apply`.

    Raises
    ------
    CaffeError
    """

    def __init__(self, model: str | Path, weights: str | Path, method: Method, dtype: int = DT_INT8, mean: tuple[float, ...] = (),
                 factor: float = 1.0, first_convolution: bool = False, vendor_exact: bool = False, threads: int | None = None,
                 options: CalibrationOptions = _DEFAULTS):
        self._model, self._threads = model, threads
        self._stored = read_weights(weights)
        self._base = upgrade_net(read_net(model).message)
        for layer in self._base.layer:
            for field in FIELDS:
                layer.ClearField(field)
        if first_convolution:
            fill_first_convolution(self._base.layer, mean, factor, str(model))
        self.message = self._base
        self._vendor_exact = vendor_exact or method.SETTLED
        self._observed = ObservedNet(self._base, self._stored, self._vendor_exact, method.SETTLED, threads)
        if not self._observed.coverage.complete:
            raise CheckError(f"{model}: {self._observed.coverage} A net with initial values cannot be quantized; give the weights that belong to it")
        self.net: Net = self._observed.net
        self.layers = self._observed.layers
        self._collector: Collector = method.collector(self._observed, dtype, options)
        self._seen = 0
        self._equalized: dict[str, list[np.ndarray]] = {}
        self._shifts: dict[int, np.ndarray] = {}
        self._rounded: dict[int, np.ndarray] = {}

    def equalize(self) -> list[tuple[str, str]]:
        """Scale the weights of neighbouring layers so that they reach equally far, see `pycaffe_acc.quantize.equalization`.

        Returns
        -------
        list of (str, str)
            Names of the layers of each pair.

        Raises
        ------
        CheckError
            After images were seen: their ranges would be those of other values.
        """
        if self._seen:
            raise CheckError(f"{self._model}: a net must be equalized before it is calibrated")
        pairs, self._equalized = equalize(self._observed)
        return [(self.layers[p.first].name, self.layers[p.second].name) for p in pairs]

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
        for number in self._run(blob, batches):
            self._collector.see()
            items += number
        self._seen += items
        return items

    def _run(self, blob: str, batches: Iterable[np.ndarray]) -> Iterator[int]:
        """Forwards of the float net; gives the items of each."""
        for values in batches:
            if len(values) != self.net.blobs[blob].shape[0]:
                for name in self.net.inputs:
                    self.net.blobs[name].reshape(len(values), *self.net.blobs[name].shape[1:])
                self.net.reshape()
            self.net.blobs[blob].data[...] = values
            self._observed.forward()
            yield len(values)

    def finish(self, keep: Container[int] = ()) -> list[QuantizedLayer]:
        """Write the parameters into `message`; may be called again with other layers to keep.

        Parameters
        ----------
        keep : container of int
            Places in `layers` of those that stay in floating point.

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
        return self._write(lambda index, layer: index not in keep and self._collector.write(index, layer))

    def apply(self, table: CalibrationTable, keep: Container[int] = ()) -> list[QuantizedLayer]:
        """Write the parameters of a table into `message`, without any images; layers that it does not have stay in floating point.

        Raises
        ------
        CheckError
            For a table of another net, naming line and layer.
        """
        table.check([layer.name for layer in self.layers])
        return self._write(lambda index, layer: index not in keep and table.write(layer, self._observed.weights(index)))

    def _write(self, write: Callable[[int, Any], bool]) -> list[QuantizedLayer]:
        message = type(self._base)()
        message.CopyFrom(self._base)
        found = []
        for index, layer in enumerate(running_layers(message)):
            if write(index, layer):
                found.append(_row(layer))
        if not found:
            raise CheckError(f"{self._model}: no layer would be quantized: the net has none that this method can, or all are kept in floating point")
        self.message = message
        self._give_biases()
        return found

    def round_weights(self, blob: str, batches: Iterable[np.ndarray], centred: bool) -> int:
        """Choose the codes of weights together, see `pycaffe_acc.quantize.adaptive_rounding`.

        Parameters
        ----------
        blob : str
        batches : iterable of (N, …) float32
        centred : bool
            Whether `correct_bias` follows.

        Returns
        -------
        int
            How many layers were rounded so.

        Raises
        ------
        CheckError
            As `correct_bias`.
        """
        rounding = AdaptiveRounding(self._observed, self._int8_layers("weights can be rounded"), centred)
        for _ in self._run(blob, batches):
            rounding.see()
        self._rounded = rounding.result()
        return len(self._rounded)

    def correct_bias(self, blob: str, batches: Iterable[np.ndarray]) -> int:
        """Put the mean error of each channel into the biases, see `pycaffe_acc.quantize.bias_correction`.

        Parameters
        ----------
        blob : str
        batches : iterable of (N, …) float32

        Returns
        -------
        int
            How many layers were corrected.

        Raises
        ------
        CheckError
            Before `finish` or `apply`; for another type than INT8.
        """
        rounded = {i: [first, *self._observed.weights(i)[1:]] for i, first in self._rounded.items()}
        correction = BiasCorrection(self._observed, self._int8_layers("biases can be corrected"), rounded)
        for _ in self._run(blob, batches):
            correction.see()
        self._shifts = correction.result()
        self._give_biases()
        return len(self._shifts)

    def _int8_layers(self, what: str) -> dict[int, Any]:
        layers = {i: layer for i, layer in self._int8().items() if not any(spec.name for spec in layer.param)}
        if not layers:
            raise CheckError(f"{self._model}: {what} where layers compute in INT8 with weights of their own, and there are none")
        return layers

    def _int8(self) -> dict[int, Any]:
        return {i: layer for i, layer in enumerate(running_layers(self.message)) if computes_int8(layer)}

    def _give_biases(self) -> None:
        for i, layer in self._int8().items():
            if i in self._shifts:
                getattr(layer, bias_field(layer)).bias_term = True

    def weights(self) -> Weights:
        """The weights that belong to `message`; layers in floating point have the float net's."""
        replaced = dict(self._equalized)
        for i in self._int8():
            if i in self._shifts or i in self._rounded:
                first, *rest = self._observed.weights(i)
                blobs = [self._rounded.get(i, first).copy(), *rest]
                if i in self._shifts:
                    blobs[1:] = [rest[0] + self._shifts[i].reshape(rest[0].shape) if rest else self._shifts[i]]
                replaced[self.layers[i].name] = blobs
        return edited(self._stored, replaced)

    @property
    def changes_weights(self) -> bool:
        """Whether `message` needs other weights than the float net."""
        return bool(self._equalized or any(i in self._shifts or i in self._rounded for i in self._int8()))

    def open(self, precision: str, floating: bool = False) -> Net:
        """The quantized net, or (`floating`) the float net, ready to run."""
        net = Net(self._base if floating else self.message, TEST, vendor_exact=self._vendor_exact, threads=self._threads, precision=precision)
        net.copy_from(self._stored if floating else self.weights())
        return net

    def save(self, path: str | Path, weights: str | Path | None = None) -> None:
        """Write the quantized prototxt, and the weights if a name for them is given; each whole or not at all.

        Raises
        ------
        CheckError
            When weights were changed and there is no name for them.
        OSError
        """
        if weights is None and self.changes_weights:
            raise CheckError(f"{path}: the net has corrected biases, rounded or equalized weights, which must be written too; give a file for them "
                             "(--out-weights)")
        if weights is not None:
            self.open("fp32").save(weights)
        with whole_file(path) as part:
            part.write_bytes(format_message(self.message).encode())


def running_layers(message: Any) -> list[Any]:
    """The layers that the rules of a net leave: live messages, in the order of `ObservedNet.layers`."""
    return [layer for layer in message.layer if runs(layer, message.state)]


def computes_int8(layer: Any) -> bool:
    """Whether a layer's message says that it computes in INT8."""
    return bool(layer.blobs_dtype) and layer.blobs_dtype[0].type == DT_INT8


def _row(layer: Any) -> QuantizedLayer:
    what = f"layer '{layer.name}' ({layer.type})"
    bottoms = tuple(read_param(field, f"{what}: bottom_mlu_dtype {j}") for j, field in enumerate(layer.bottom_mlu_dtype))
    weights = read_param(layer.blobs_dtype[0], f"{what}: blobs_dtype") if layer.blobs_dtype else None
    return QuantizedLayer(layer.name, layer.type, bottoms, weights)
