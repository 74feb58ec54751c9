"""Where a quantized net loses accuracy, layer by layer."""
from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cnml.quantization import QuantParam, dequantize, quantize
from pycaffe_acc.errors import CheckError
from pycaffe_acc.mode import TEST
from pycaffe_acc.net import Net
from pycaffe_acc.quantize.dtype_fields import FIELDS, LIMITS, read_param
from pycaffe_acc.quantize.edited_weights import array_layer
from pycaffe_acc.quantize.isolated_layers import IsolatedLayers, bias_field
from pycaffe_acc.quantize.layer_effects import LayerEffect, layer_effects, logits, net_scores, ratio_db, sqnr
from pycaffe_acc.quantize.layer_ranges import channel_axis
from pycaffe_acc.quantize.observed_net import ObservedNet
from pycaffe_acc.quantize.quantize_net import running_layers
from pycaffe_acc.quantize.value_range import reach
from pycaffe_acc.text_format import read_net
from pycaffe_acc.upgrade import upgrade_net
from pycaffe_acc.weights_file import Weights, read_weights


@dataclass(frozen=True)
class LayerReport:
    """A row; ratios in dB, the higher the better, infinite where there is no error.

    Attributes
    ----------
    name, type : str
    weights_db : float
        Weights against what their codes stand for.
    alone_db : float
        The layer's output in INT8 on the float net's input against the float net's output.
    cumulative_db : float
        Its output in the quantized net, where all layers before it are quantized too.
    saturated_percent : float
        Values of its bottom beyond the largest code.
    zeroed_percent : float
        Values of its bottom that are not 0 and become it, of those that are not.
    scores_db : float
        The net's scores with this layer alone in INT8.
    changed : int
        Images whose first answer that changes.
    badness_db : float
        alone_db + scores_db: the smaller, the worse. A layer is bad when it is far off itself and the answers feel it; the first tells a range that
        was set wrongly, the second whether it matters.
    """

    name: str
    type: str
    weights_db: float
    alone_db: float
    cumulative_db: float
    saturated_percent: float
    zeroed_percent: float
    scores_db: float
    changed: int

    @property
    def badness_db(self) -> float:
        """See the class."""
        return self.alone_db + self.scores_db


@dataclass(frozen=True)
class NetReport:
    """The rows, and the net as a whole.

    Attributes
    ----------
    layers : tuple of LayerReport
        Worst first, by `badness_db`.
    order : tuple of str
        Names in the order of the net.
    images : int
    scores_db : float
        Scores of the quantized net against the float net's.
    changed : int
        Images whose first answer is another one.
    """

    layers: tuple[LayerReport, ...]
    order: tuple[str, ...]
    images: int
    scores_db: float
    changed: int


@dataclass
class _Sums:
    """Of one layer over all images."""

    alone: list[float] = field(default_factory=lambda: [0.0, 0.0])  # power, squared error
    cumulative: list[float] = field(default_factory=lambda: [0.0, 0.0])
    values: int = 0
    saturated: int = 0
    filled: int = 0
    zeroed: int = 0


class QuantizationReport:
    """Compares a quantized net with the float net that it was made from.

    Parameters
    ----------
    model, weights : str or Path
        The float net.
    quantized : str or Path
        Prototxt with dtype fields.
    quantized_weights : str, Path or None
        None: the float net's.
    precision : str
        "int8" or "mlu".
    vendor_exact : bool
    threads : int, optional

    Attributes
    ----------
    net : Net
        The float net; its input blob takes the images.

    Raises
    ------
    CaffeError
        Files that cannot be read; two nets that do not belong together; a net without INT8.
    """

    def __init__(self, model: str | Path, weights: str | Path, quantized: str | Path, quantized_weights: str | Path | None = None,
                 precision: str = "int8", vendor_exact: bool = False, threads: int | None = None):
        self._precision, self._options = precision, {"vendor_exact": vendor_exact, "threads": threads}
        self._float, self._int8 = (upgrade_net(read_net(path).message) for path in (model, quantized))
        for layer in self._float.layer:
            for name in FIELDS:
                layer.ClearField(name)
        self._stored = read_weights(weights)
        self._observed = ObservedNet(self._float, self._stored, vendor_exact, False, threads)
        other = self._stored if quantized_weights is None else read_weights(quantized_weights)
        self._messages = dict(enumerate(running_layers(self._int8)))
        self._check(str(model), str(quantized))
        self._whole = ObservedNet(self._int8, other, vendor_exact, False, threads, precision)
        blobs = {i: self._whole.weights(i) for i in self._messages}
        self._isolated = IsolatedLayers(self._observed, self._messages, precision, blobs)
        self.net = self._observed.net
        self._check_weights()

    def _check(self, model: str, quantized: str) -> None:
        mine, others = self._observed.layers, list(self._messages.values())
        if [(a.name, a.type) for a in mine] != [(b.name, b.type) for b in others]:
            at = next((i for i, (a, b) in enumerate(zip(mine, others, strict=False)) if (a.name, a.type) != (b.name, b.type)),
                      min(len(mine), len(others)))
            names = [f"'{net[at].name}' ({net[at].type})" if at < len(net) else "nothing" for net in (mine, others)]
            raise CheckError(f"{quantized} was not made from {model}: where the latter has {names[0]}, the former has {names[1]}")

    def _check_weights(self) -> None:
        """Equalized weights give other values between layers, which cannot be compared."""
        for i in self._isolated.indices:
            mine, other = self._observed.weights(i)[0], self._whole.weights(i)[0]
            if np.abs(mine - other).max() > 0.25 * np.abs(mine).max():
                raise CheckError(f"layer '{self._messages[i].name}': the quantized net's weights are not the float net's, rounded; if they were "
                                 "equalized, quantize without that to compare layer by layer")

    def run(self, blob: str, images: Sequence[np.ndarray], output: str | None = None, progress: Any = iter) -> NetReport:
        """Compare over images.

        Parameters
        ----------
        blob : str
            An input of the net.
        images : sequence of (N, C, H, W) float32
            Batches.
        output : str, optional
            The blob with the scores.
        progress : callable
            Wraps the list of layers while each is run alone in the net.

        Returns
        -------
        NetReport
        """
        sums = {i: _Sums() for i in self._isolated.indices}
        for values in images:
            for net in (self._observed, self._whole):
                _feed(net.net, blob, values)
                net.forward()
            self._see(sums)
        reference = net_scores(self._open(()), blob, images, output)
        scores = net_scores(self._open(self._isolated.indices), blob, images, output)
        effects = layer_effects(progress(self._isolated.indices), lambda i: self._open((i,)), blob, images, reference, output)
        rows = sorted((self._row(i, sums[i], effect) for i, effect in zip(sums, effects, strict=True)), key=lambda r: r.badness_db)
        return NetReport(tuple(rows), tuple(self._messages[i].name for i in sums), len(reference), sqnr(logits(reference), logits(scores)),
                         int((scores.argmax(1) != reference.argmax(1)).sum()))

    def _see(self, sums: dict[int, _Sums]) -> None:
        for out in self._isolated.outputs():
            s = sums[out.place]
            _add(s.alone, out.float_values, out.int8_values)
        for i, s in sums.items():
            for mine, other in zip(self._observed.top_names(i), self._whole.top_names(i), strict=True):
                _add(s.cumulative, self._observed.net.blobs[mine].data, self._whole.net.blobs[other].data)
            for values, data in zip(self._observed.bottoms(i), self._messages[i].bottom_mlu_dtype, strict=False):
                param = read_param(data, f"layer '{self._messages[i].name}'")
                assert param is not None
                end = float(reach(param, LIMITS[data.type]))
                half = 0.5 * end / LIMITS[data.type]
                magnitudes = np.abs(values)
                filled = int(np.count_nonzero(magnitudes))
                s.values += values.size
                s.saturated += int((magnitudes > end + half).sum())
                s.filled += filled
                s.zeroed += filled - int((magnitudes >= half).sum())

    def _row(self, i: int, s: _Sums, effect: LayerEffect) -> LayerReport:
        layer = self._messages[i]
        weights, param = self._observed.weights(i)[0], read_param(layer.blobs_dtype[0], f"layer '{layer.name}'")
        assert param is not None
        coded = _decoded(self._whole.weights(i)[0], param, channel_axis(layer))
        return LayerReport(layer.name, layer.type, sqnr(weights, coded), ratio_db(*s.alone), ratio_db(*s.cumulative),
                           100 * s.saturated / max(s.values, 1), 100 * s.zeroed / max(s.filled, 1), effect.sqnr, effect.changed)

    def _open(self, indices: Iterable[int]) -> Net:
        """The float net with some layers as they are in the quantized one."""
        message, chosen, replaced = type(self._float)(), set(indices), []
        message.CopyFrom(self._float)
        for i, layer in enumerate(running_layers(message)):
            if i in chosen:
                for name in FIELDS[:2]:
                    getattr(layer, name).extend(getattr(self._messages[i], name))
                blobs = self._whole.weights(i)
                getattr(layer, bias_field(layer)).bias_term = len(blobs) > 1
                replaced.append(array_layer(layer.name, layer.type, blobs))
        net = Net(message, TEST, precision=self._precision if chosen else "fp32", **self._options)
        names = {layer.name for layer in replaced}
        net.copy_from(Weights([*(layer for layer in self._stored.layers if layer.name not in names), *replaced], self._stored.source))
        return net


def _feed(net: Net, blob: str, values: np.ndarray) -> None:
    if len(values) != net.blobs[blob].shape[0]:
        for name in net.inputs:
            net.blobs[name].reshape(len(values), *net.blobs[name].shape[1:])
        net.reshape()
    net.blobs[blob].data[...] = values


def _add(sums: list[float], exact: np.ndarray, values: np.ndarray) -> None:
    sums[0] += float(np.square(exact, dtype=np.float64).sum())
    sums[1] += float(np.square(exact - values, dtype=np.float64).sum())


def _decoded(weights: np.ndarray, param: QuantParam, axis: int | None) -> np.ndarray:
    return dequantize(quantize(weights, param, axis or 0), param, axis or 0)


def finite_db(value: float, most: float = 99.9) -> float:
    """A ratio that can be drawn and printed: infinities are `most`."""
    return max(-most, min(most, value)) if not math.isnan(value) else -most
