"""Cross-layer equalization: channels between two layers are scaled so that their weights reach equally far on both sides.

A factor per channel passes through everything that is positively homogeneous, f(s x) = s f(x) for s > 0, such as ReLU; what the first layer's
output channel is divided by, the second layer's input channel is multiplied with, and the net computes the same (Nagel et al., "Data-Free
Quantization Through Weight Equalization and Bias Correction", ICCV 2019, section 4.1).
"""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pycaffe_acc.proto import caffe_pb2
from pycaffe_acc.quantize.observed_net import ObservedNet

#: types between two layers that a positive factor per channel passes through (pooling: maxima and averages alike)
_HOMOGENEOUS = frozenset(("ReLU", "PReLU", "Dropout", "Pooling"))
_ROUNDS = 40
_SETTLED = 0.005  # largest change of a factor's logarithm in a round after which nothing moves any more
_FARTHEST = 256.0  # dead channels would be scaled without bound
_STOCHASTIC = caffe_pb2.PoolingParameter.STOCHASTIC


@dataclass(frozen=True)
class Pair:
    """Two layers and what lies between them.

    Attributes
    ----------
    first, second : int
        Places in `ObservedNet.layers`.
    norm, scale : int or None
        A BatchNorm and a Scale behind the first layer.
    """

    first: int
    second: int
    norm: int | None
    scale: int | None


def equalize(net: ObservedNet) -> tuple[list[Pair], dict[str, list[np.ndarray]]]:
    """Scale the weights of a net in place.

    Parameters
    ----------
    net : ObservedNet
        Its weights are changed; what it computes is not, up to rounding.

    Returns
    -------
    pairs : list of Pair
        Those that were equalized; none in a net whose layers are joined by other functions (ReLU6, sums, concatenations).
    changed : dict of str to list of ndarray
        The blobs of each layer that was changed.
    """
    pairs = find_pairs(net)
    for _ in range(_ROUNDS):
        if max((_equalize(net, pair) for pair in pairs), default=0.0) < _SETTLED:
            break
    changed = {i for pair in pairs for i in (pair.second, pair.first if pair.scale is None else pair.scale)}
    return pairs, {net.layers[i].name: [b.copy() for b in net.weights(i)] for i in sorted(changed)}


def find_pairs(net: ObservedNet) -> list[Pair]:
    """Convolutions whose output goes through nothing but homogeneous layers into one other convolution."""
    readers: dict[str, list[int]] = {}
    for i in range(len(net.layers)):
        for name in net.bottom_names(i):
            readers.setdefault(name, []).append(i)
    found = (_pair(net, i, readers) for i, layer in enumerate(net.layers) if _plain(layer))
    return [pair for pair in found if pair is not None]


def _plain(layer: Any) -> bool:
    """A convolution with one bottom and weights of its own."""
    return (layer.type == "Convolution" and len(layer.bottom) == 1 and layer.convolution_param.axis == 1
            and not any(spec.name for spec in layer.param))


def _pair(net: ObservedNet, first: int, readers: dict[str, list[int]]) -> Pair | None:
    norm = scale = None
    at, active = first, False
    while True:
        following = readers.get(net.top_names(at)[0], [])
        if len(net.top_names(at)) != 1 or len(following) != 1:
            return None
        at = following[0]
        layer = net.layers[at]
        if _plain(layer):
            usable = (norm is None or scale is not None) and net.weights(first)[0].shape[0] == _inputs(net, at)
            return Pair(first, at, norm, scale) if usable else None
        if layer.type == "BatchNorm" and norm is None and scale is None and not active:
            norm = at
        elif layer.type == "Scale" and scale is None and not active and _per_channel(layer):
            scale = at
        elif layer.type in _HOMOGENEOUS and not (layer.type == "Pooling" and layer.pooling_param.pool == _STOCHASTIC):
            active = True
        else:
            return None


def _per_channel(layer: Any) -> bool:
    p = layer.scale_param
    return len(layer.bottom) == 1 and p.axis == 1 and p.num_axes == 1 and not any(spec.name for spec in layer.param)


def _depthwise(net: ObservedNet, index: int) -> bool:
    weights, group = net.weights(index)[0], net.layers[index].convolution_param.group
    return bool(weights.shape[1] == 1 and weights.shape[0] == group)


def _inputs(net: ObservedNet, index: int) -> int:
    """Input channels that have weights of their own; 0 for groups of several."""
    if _depthwise(net, index):
        return int(net.weights(index)[0].shape[0])
    return int(net.weights(index)[0].shape[1]) if net.layers[index].convolution_param.group == 1 else 0


def _reach(weights: np.ndarray, axis: int) -> np.ndarray:
    return np.abs(weights).max(axis=tuple(a for a in range(weights.ndim) if a != axis)).astype(np.float64)


def _equalize(net: ObservedNet, pair: Pair) -> float:
    """Scale one pair; returns the largest logarithm of a factor."""
    out = _reach(net.weights(pair.first)[0], 0)
    if pair.norm is not None:
        _, variance, factor = net.weights(pair.norm)[:3]
        by = 1 / float(factor.flat[0]) if factor.flat[0] else 0.0
        out = out / np.sqrt(variance.astype(np.float64) * by + net.layers[pair.norm].batch_norm_param.eps)
    if pair.scale is not None:
        out = out * np.abs(net.weights(pair.scale)[0])
    weights = net.weights(pair.second)[0]
    axis = 0 if _depthwise(net, pair.second) else 1
    into = _reach(weights, axis)
    alive = (out > 0) & (into > 0)
    factors = np.ones(len(out))
    factors[alive] = np.clip(np.sqrt(out[alive] / into[alive]), 1 / _FARTHEST, _FARTHEST)
    for blob in net.weights(pair.first if pair.scale is None else pair.scale):
        blob[...] = blob / factors.reshape(-1, *[1] * (blob.ndim - 1))
    weights[...] = weights * factors.reshape([-1 if a == axis else 1 for a in range(weights.ndim)])
    return float(np.abs(np.log(factors)).max())
