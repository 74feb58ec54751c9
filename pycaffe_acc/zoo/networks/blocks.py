"""The layers that the networks are made of, as calls that add one or a few of them to a `NetSpec`.

Every function takes the net, the name of the (first) layer and its bottom, and returns the top to go on with. Defaults of the schema are left out, so
that the text shows what is special.
"""
from __future__ import annotations

from typing import Any

from pycaffe_acc.net_spec import NetSpec, Top
from pycaffe_acc.net_spec import layers as L
from pycaffe_acc.net_spec import params as P

Extent = int | tuple[int, int]


def images(n: NetSpec, name: str, batch: int, size: int, channels: int = 3) -> Top:
    """The input blob, (batch, channels, size, size)."""
    n[name] = L.Input(shape=dict(dim=[batch, channels, size, size]))
    return n[name]


def convolution(n: NetSpec, name: str, bottom: Top, outputs: int, kernel: Extent, stride: int = 1, pad: Extent = 0, group: int = 1,
                bias: bool = True) -> Top:
    """A convolution; `kernel` and `pad` are one number, or (height, width)."""
    fields: dict[str, Any] = dict(num_output=outputs)
    if not bias:
        fields["bias_term"] = False
    for field, value, default in (("kernel", kernel, None), ("pad", pad, 0), ("stride", stride, 1)):
        if isinstance(value, tuple):
            fields |= {f"{field}_h": value[0], f"{field}_w": value[1]}
        elif value != default:
            fields["kernel_size" if field == "kernel" else field] = value
    if group != 1:
        fields["group"] = group
    n[name] = L.Convolution(bottom, convolution_param=fields)
    return n[name]


def relu(n: NetSpec, name: str, bottom: Top) -> Top:
    """ReLU in place."""
    n[name] = L.ReLU(bottom, in_place=True)
    return n[name]


def normalised(n: NetSpec, norm: str, scale: str, bottom: Top, eps: float | None = None) -> Top:
    """BatchNorm with stored statistics and the Scale behind it, both in place; `eps` is left to the schema (1e-5) unless given."""
    fields: dict[str, Any] = dict(use_global_stats=True)
    if eps is not None:
        fields["eps"] = eps
    n[norm] = L.BatchNorm(bottom, in_place=True, batch_norm_param=fields)
    n[scale] = L.Scale(n[norm], in_place=True, bias_term=True)
    return n[scale]


def max_pool(n: NetSpec, name: str, bottom: Top, kernel: int, stride: int, pad: int = 0) -> Top:
    """Largest value of each window."""
    return _pool(n, name, bottom, P.Pooling.MAX, kernel, stride, pad)


def average_pool(n: NetSpec, name: str, bottom: Top, kernel: int, stride: int, pad: int = 0) -> Top:
    """Mean of each window."""
    return _pool(n, name, bottom, P.Pooling.AVE, kernel, stride, pad)


def _pool(n: NetSpec, name: str, bottom: Top, method: int, kernel: int, stride: int, pad: int) -> Top:
    fields: dict[str, Any] = dict(pool=method, kernel_size=kernel, stride=stride)
    if pad:
        fields["pad"] = pad
    n[name] = L.Pooling(bottom, pooling_param=fields)
    return n[name]


def global_average(n: NetSpec, name: str, bottom: Top) -> Top:
    """Mean over each channel's plane, (N, C, 1, 1)."""
    n[name] = L.Pooling(bottom, pool=P.Pooling.AVE, global_pooling=True)
    return n[name]


def response_norm(n: NetSpec, name: str, bottom: Top) -> Top:
    """Local response normalisation across 5 channels with AlexNet's numbers."""
    n[name] = L.LRN(bottom, local_size=5, alpha=1e-4, beta=0.75)
    return n[name]


def dense(n: NetSpec, name: str, bottom: Top, outputs: int) -> Top:
    """A fully connected layer."""
    n[name] = L.InnerProduct(bottom, num_output=outputs)
    return n[name]


def dropout(n: NetSpec, name: str, bottom: Top, ratio: float, in_place: bool = True) -> Top:
    """Dropout, which does nothing when a trained net runs."""
    n[name] = L.Dropout(bottom, in_place=in_place, dropout_ratio=ratio)
    return n[name]


def concat(n: NetSpec, name: str, *bottoms: Top) -> Top:
    """Channels of the bottoms, one after another."""
    n[name] = L.Concat(*bottoms)
    return n[name]


def total(n: NetSpec, name: str, *bottoms: Top) -> Top:
    """Elementwise sum."""
    n[name] = L.Eltwise(*bottoms, operation=P.Eltwise.SUM)
    return n[name]


def softmax(n: NetSpec, name: str, bottom: Top) -> Top:
    """Probabilities of the classes."""
    n[name] = L.Softmax(bottom)
    return n[name]


def finished(n: NetSpec, name: str) -> Any:
    """The net as a NetParameter called `name`."""
    message = n.to_proto()
    message.name = name
    return message
