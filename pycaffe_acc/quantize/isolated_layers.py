"""Every quantized layer alone: fed with the float net's values, so that it shows its own error and nobody else's."""
from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from pycaffe_acc.mode import TEST
from pycaffe_acc.net import Net
from pycaffe_acc.proto import caffe_pb2
from pycaffe_acc.quantize.dtype_fields import DT_INT8
from pycaffe_acc.quantize.edited_weights import array_layer
from pycaffe_acc.quantize.observed_net import ObservedNet
from pycaffe_acc.weights_file import Weights


def bias_field(layer: Any) -> str:
    """Where the message of a layer with INT8 weights says whether it has a bias."""
    return "inner_product_param" if layer.type == "InnerProduct" else "convolution_param"


class Output(NamedTuple):
    """A top of a layer in both arithmetics.

    Attributes
    ----------
    place : int
        Of the layer in `ObservedNet.layers`.
    float_values, int8_values : ndarray of float32
        Live; copy what must outlast the next forward.
    """

    place: int
    float_values: np.ndarray
    int8_values: np.ndarray


class IsolatedLayers:
    """Runs the layers that compute in INT8, each on what the float net's layer of the same place reads.

    Parameters
    ----------
    observed : ObservedNet
        Not settled.
    layers : mapping of int to LayerParameter
        By the layers' places in `observed.layers`: messages with dtype fields. Those without INT8 weights are left out.
    precision : str
        "int8" or "mlu".
    blobs : mapping of int to list of ndarray
        Of the layers whose parameters are others than the float net's.

    Attributes
    ----------
    indices : list of int
        Places of the layers that are run.

    Raises
    ------
    CaffeError
    """

    def __init__(self, observed: ObservedNet, layers: Mapping[int, Any], precision: str = "int8",
                 blobs: Mapping[int, list[np.ndarray]] = MappingProxyType({})):
        self._observed = observed
        self.indices = [i for i in sorted(layers) if layers[i].blobs_dtype and layers[i].blobs_dtype[0].type == DT_INT8]
        message = caffe_pb2.NetParameter(name="isolated layers")
        self._inputs: list[tuple[str, str]] = []  # blob of the observed net, input here
        stored = []
        for i in self.indices:
            own = blobs.get(i) or observed.weights(i)
            self._add(message, i, layers[i], len(own) > 1)
            stored.append(array_layer(f"{i}", layers[i].type, own))
        self._net = Net(message, TEST, precision=precision) if self.indices else None
        if self._net is not None:
            self._net.copy_from(Weights(stored))

    def _add(self, message: Any, i: int, layer: Any, bias: bool) -> None:
        """One input layer per bottom, and the layer."""
        sources = self._observed.bottom_names(i)
        bottoms = [f"{i} in {j}" for j in range(len(sources))]
        for source, name in zip(sources, bottoms, strict=True):
            self._inputs.append((source, name))
            entry = message.layer.add(name=name, type="Input", top=[name])
            entry.input_param.shape.add().dim.extend(self._observed.net.blobs[source].shape)
        copy = message.layer.add()
        copy.CopyFrom(layer)
        copy.name = f"{i}"
        for field in ("bottom", "top", "include", "exclude", "phase", "param"):
            copy.ClearField(field)
        copy.bottom.extend(bottoms)
        copy.top.extend(f"{i} out {j}" for j in range(len(bottoms)))
        getattr(copy, bias_field(layer)).bias_term = bias
        if layer.type == "Convolution":  # the observed net normalises before it
            for field in ("mean_value", "mean_file", "std", "scale"):
                copy.convolution_param.ClearField(field)

    def outputs(self) -> Iterator[Output]:
        """Run all of them on what the observed net holds now.

        Yields
        ------
        Output
            In the order of the net; several for a layer with several tops.
        """
        net, blobs = self._net, self._observed.net.blobs
        if net is None:
            return
        if any(net.blobs[name].shape != blobs[source].shape for source, name in self._inputs):
            for source, name in self._inputs:
                net.blobs[name].reshape(*blobs[source].shape)
            net.reshape()
        for source, name in self._inputs:
            net.blobs[name].data[...] = blobs[source].data
        made = net.forward()
        for i in self.indices:
            for j, top in enumerate(self._observed.top_names(i)):
                yield Output(i, blobs[top].data, made[f"{i} out {j}"])
