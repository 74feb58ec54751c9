"""Nets with sparse layers: marking them in the prototxt, and pruning what is marked."""
from __future__ import annotations

from typing import Any

import numpy as np

from pycaffe_acc.errors import CheckError
from pycaffe_acc.net import Net
from pycaffe_acc.prune.sparse_filter import sparse_filter
from pycaffe_acc.weights_file import StoredLayer

#: layer type → its parameter with the field sparse_mode
_MARKED = {"Convolution": "convolution_param", "InnerProduct": "inner_product_param"}


class PrunedBlob:
    """A weight blob after pruning.

    Attributes
    ----------
    array : float32 ndarray
    """

    def __init__(self, array: np.ndarray):
        self.array = array


def mark_sparse(message: Any, sparsity: float) -> list[str]:
    """Give every Convolution and InnerProduct layer `sparse_mode: true` and the layer's `sparsity`, in place.

    The first convolution and depthwise ones (by groups) are marked like all others; the types ConvolutionDepthwise and Deconvolution are not.

    Parameters
    ----------
    message : NetParameter
        In today's form.
    sparsity : float
        Not checked: the vendor's tool writes any number, and pruning refuses it later.

    Returns
    -------
    list of str
        Names of the marked layers.
    """
    names = []
    for layer in message.layer:
        if layer.type in _MARKED:
            mark_sparse_layer(layer, sparsity)
            names.append(layer.name)
    return names


def mark_sparse_layer(layer: Any, sparsity: float) -> None:
    """Give one Convolution or InnerProduct layer `sparse_mode: true` and `sparsity`, in place."""
    getattr(layer, _MARKED[layer.type]).sparse_mode = True
    layer.sparsity = sparsity


def pruned_layers(net: Net, vendor_exact: bool = False) -> list[StoredLayer]:
    """The weights of a net, pruned where its prototxt says `sparsity`.

    A layer with that field has every blob pruned, biases too, each by itself with the same sparsity; others are left as they are. The net's own
    weights do not change, so layers that share a blob may write it differently.

    Parameters
    ----------
    net : Net
    vendor_exact : bool
        See `sparse_filter`. An explicit sparsity of 0 then still loses the last of an odd number of rows.

    Returns
    -------
    list of StoredLayer
        In net order, for `save_caffemodel`.

    Raises
    ------
    CheckError
        Naming the layer whose sparsity is outside [0, 1).
    """
    layers = []
    for layer, message in zip(net.layers, net.source.layers, strict=True):
        arrays = [blob.data for blob in layer.blobs]
        if message.HasField("sparsity"):
            try:
                arrays = [sparse_filter(a, message.sparsity, vendor_exact) for a in arrays]
            except CheckError as e:
                raise CheckError(f"layer '{layer.name}' ({layer.type}): {e}") from e
        layers.append(StoredLayer(layer.name, layer.type, [PrunedBlob(a) for a in arrays]))
    return layers
