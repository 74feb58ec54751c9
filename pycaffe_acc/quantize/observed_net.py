"""A float net whose layers can be looked at after each forward."""
from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from pycaffe_acc.first_convolution import first_convolution
from pycaffe_acc.net import Net, NetLayer
from pycaffe_acc.net_filter import filter_net
from pycaffe_acc.proto import caffe_pb2
from pycaffe_acc.quantize.dtype_fields import FIELDS
from pycaffe_acc.quantize.edited_weights import array_layer
from pycaffe_acc.splits import rename_in_place
from pycaffe_acc.weights_file import StoredLayer, Weights, read_weights


class ObservedNet:
    """The layers of a net that run, and what their bottoms hold after a forward.

    The vendor's tools look when the whole forward is over: a blob that a later layer changes in place is seen changed by its earlier readers too, and
    so is an input that a first convolution (mean_value, std) normalises in place.

    Parameters
    ----------
    message : NetParameter
        In today's form.
    weights : str, Path or Weights
    vendor_exact : bool
        The vendor's layers instead of BVLC's where they differ.
    settled : bool
        See the bottoms as the vendor's tools do; False: as their layer read them.
    threads : int, optional
        As `Net`.
    precision : str
        As `Net`; with another one than "fp32", a quantized net is watched as it computes.

    Attributes
    ----------
    layers : list of LayerParameter
        Those that the rules of the net leave.
    net : Net
        Runs them; a first convolution is three layers here, and in-place tops have names of their own.
    coverage : Coverage
        Which layers the weight file has.

    Raises
    ------
    CaffeError
    """

    def __init__(self, message: Any, weights: str | Path | Weights, vendor_exact: bool = True, settled: bool = True, threads: int | None = None,
                 precision: str = "fp32"):
        self.layers = filter_net(message)
        expanded, self._places = _expand(self.layers)
        self._renamed = rename_in_place(expanded, caffe_pb2.LayerParameter)
        running = caffe_pb2.NetParameter(name=message.name)
        for layer in self._renamed:
            running.layer.append(layer)
            # calibration is done in floating point, also of a net that is quantized already
            for field in ("include", "exclude", *(FIELDS if precision == "fp32" else ())):
                running.layer[-1].ClearField(field)
        self.net = Net(running, int(message.state.phase), vendor_exact=vendor_exact, threads=threads, precision=precision)
        self._engines = _without_splits(self.net.layers, self._renamed)
        stored = read_weights(weights)
        self.coverage = self.net.copy_from(Weights([*stored.layers, *self._means()], stored.source))
        self._last = self._last_states(expanded) if settled else {}

    def forward(self) -> None:
        """One batch."""
        self.net.forward()

    def bottoms(self, index: int) -> list[np.ndarray]:
        """What the bottoms of layer `index` hold now.

        Returns
        -------
        list of float32 arrays
            Live; copy what must outlast the next forward.
        """
        return [self.net.blobs[name].data for name in self.bottom_names(index)]

    def bottom_names(self, index: int) -> list[str]:
        """Names in `net.blobs` of what the bottoms of layer `index` are taken from; those of different values differ."""
        return [self._last.get(name, name) for name in self._renamed[self._places[index]].bottom]

    def top_names(self, index: int) -> list[str]:
        """Names in `net.blobs` of what layer `index` makes."""
        return list(self._renamed[self._places[index]].top)

    def weights(self, index: int) -> list[np.ndarray]:
        """The parameter blobs of layer `index`."""
        return [blob.data for blob in self._engines[self._places[index]].blobs]

    def engine(self, index: int) -> Any:
        """The object that computes layer `index`: a `pycaffe_acc.layer.Layer`."""
        return self._engines[self._places[index]].engine

    def _means(self) -> Iterator[StoredLayer]:
        """What the subtractions in front of first convolutions subtract, as if it stood in the weight file."""
        for place, layer in zip(self._places, self.layers, strict=True):
            first = first_convolution(layer.convolution_param) if layer.type == "Convolution" else None
            if first is None:
                continue
            for j in range(len(layer.bottom)):
                subtraction = self._engines[place - 2 * (len(layer.bottom) - j)]
                means = first.channel_means(subtraction.blobs[0].shape[0], layer.name)
                yield array_layer(subtraction.name, subtraction.type, [(-means).astype(np.float32)])

    def _last_states(self, expanded: list[Any]) -> dict[str, str]:
        """For each blob, the name under which its bytes' last values are known."""
        owner: dict[str, str] = {}
        last: dict[str, str] = {}
        for i, (given, renamed) in enumerate(zip(expanded, self._renamed, strict=True)):
            shares = self._engines[i].engine.shares_memory()
            for j, top in enumerate(renamed.top):
                in_place = j < len(given.bottom) and given.bottom[j] == given.top[j]
                before = renamed.bottom[j] if in_place else renamed.bottom[0] if shares and renamed.bottom else None
                owner[top] = owner.get(before, before) if before is not None else top
                if in_place or before is None:
                    last[owner[top]] = top
        return {name: last.get(place, name) for name, place in owner.items()}


def _expand(layers: list[Any]) -> tuple[list[Any], list[int]]:
    """The layers with every first convolution as subtraction, multiplication and convolution; and where each of them went."""
    expanded: list[Any] = []
    places = []
    for layer in layers:
        copy = caffe_pb2.LayerParameter()
        copy.CopyFrom(layer)
        first = first_convolution(layer.convolution_param) if layer.type == "Convolution" else None
        if first is not None:
            for field in ("mean_value", "mean_file", "std", "scale"):
                copy.convolution_param.ClearField(field)
            for j, blob in enumerate(layer.bottom):
                shift = caffe_pb2.LayerParameter(name=f"{layer.name}: mean of bottom {j}", type="Bias", bottom=[blob], top=[blob], phase=layer.phase)
                factor = caffe_pb2.LayerParameter(name=f"{layer.name}: std of bottom {j}", type="Power", bottom=[blob], top=[blob], phase=layer.phase)
                factor.power_param.scale = first.factor
                expanded += [shift, factor]
        places.append(len(expanded))
        expanded.append(copy)
    return expanded, places


def _without_splits(running: list[NetLayer], messages: list[Any]) -> list[NetLayer]:
    """The layers that messages stand for, in their order, among those and the Splits between them."""
    rest = iter(running)
    return [next(layer for layer in rest if layer.name == message.name) for message in messages]
