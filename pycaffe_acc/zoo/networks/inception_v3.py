"""Inception-v3: factorised convolutions in parallel branches (Szegedy et al. 2015)."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pycaffe_acc.net_spec import NetSpec, Top
from pycaffe_acc.zoo.networks import blocks
from pycaffe_acc.zoo.networks.blocks import Extent

#: what BatchNorm adds to variances in the nets that these weights come from
EPS = 1e-3
#: channels between the 7-wide convolutions of the four modules of the second kind
MIDDLES = (128, 160, 160, 192)

#: adds a branch's convolution: (name, bottom, outputs, kernel, stride, pad)
Unit = Callable[..., Top]


def inception_v3(batch: int = 1) -> Any:
    """Inception-v3 without its auxiliary classifier, in the layout of soeaver's weights.

    Parameters
    ----------
    batch : int

    Returns
    -------
    NetParameter
    """
    n = NetSpec()
    top = _stem(n, blocks.images(n, "data", batch, 299))
    for i, pooled in enumerate((32, 64, 64), 1):
        top = _module_a(n, f"inception_a{i}", top, pooled)
    top = _reduction_a(n, top)
    for i, middle in enumerate(MIDDLES, 1):
        top = _module_b(n, f"inception_b{i}", top, middle)
    top = _reduction_b(n, top)
    # the last module's pooling takes the largest value, where the first one's takes the mean
    top = _module_c(n, "inception_c1", top, blocks.average_pool)
    top = _module_c(n, "inception_c2", top, blocks.max_pool)
    top = blocks.dropout(n, "pool_8x8_s1_drop", blocks.global_average(n, "pool_8x8_s1", top), 0.2, in_place=False)
    blocks.softmax(n, "prob", blocks.dense(n, "classifier", top, 1000))
    return blocks.finished(n, "Inception-v3")


def _stem(n: NetSpec, top: Top) -> Top:
    top = _convolution(n, "conv1_3x3_s2", top, 32, 3, 2, activation="conv1_3x3_relu")
    top = _convolution(n, "conv2_3x3_s1", top, 32, 3, activation="conv2_3x3_relu")
    top = _convolution(n, "conv3_3x3_s1", top, 64, 3, pad=1, activation="conv3_3x3_relu")
    top = blocks.max_pool(n, "pool1_3x3_s2", top, 3, 2)
    top = _convolution(n, "conv4_3x3_reduce", top, 80, 1, activation="conv4_relu_3x3_reduce")
    top = _convolution(n, "conv4_3x3", top, 192, 3, activation="conv4_relu_3x3")
    return blocks.max_pool(n, "pool2_3x3_s2", top, 3, 2)


def _module_a(n: NetSpec, name: str, bottom: Top, pooled: int) -> Top:
    """1x1; 1x1 then 5x5; 1x1 then two 3x3; pooling then 1x1."""
    add = _in_module(n, name)
    one = add("1x1", bottom, 64, 1)
    five = add("5x5", add("5x5_reduce", bottom, 48, 1), 64, 5, pad=2)
    three = add("3x3_1", add("3x3_reduce", bottom, 64, 1), 96, 3, pad=1)
    three = add("3x3_2", three, 96, 3, pad=1)
    pool = add("pool_proj", blocks.average_pool(n, f"{name}_pool", bottom, 3, 1, 1), pooled, 1)
    return blocks.concat(n, f"{name}_output", one, five, three, pool)


def _reduction_a(n: NetSpec, bottom: Top) -> Top:
    add = _in_module(n, "reduction_a")
    three = add("3x3", bottom, 384, 3, 2)
    double = add("3x3_2", add("3x3_2_reduce", bottom, 64, 1), 96, 3, pad=1)
    double = add("3x3_3", double, 96, 3, 2)
    return blocks.concat(n, "reduction_a_concat", three, double, blocks.max_pool(n, "reduction_a_pool", bottom, 3, 2))


def _module_b(n: NetSpec, name: str, bottom: Top, middle: int) -> Top:
    """1x1; 1x1 then 1x7, 7x1; 1x1 then 7x1, 1x7, 7x1, 1x7; pooling then 1x1. A name says height x width."""
    add = _in_module(n, name)
    wide, high = dict(kernel=(1, 7), pad=(0, 3)), dict(kernel=(7, 1), pad=(3, 0))
    one = add("1x1_2", bottom, 192, 1)
    seven = add("1x7", add("1x7_reduce", bottom, middle, 1), middle, **wide)
    seven = add("7x1", seven, 192, **high)
    double = add("7x1_2", add("7x1_reduce", bottom, middle, 1), middle, **high)
    double = add("1x7_2", double, middle, **wide)
    double = add("7x1_3", double, middle, **high)
    double = add("1x7_3", double, 192, **wide)
    pool = add("1x1", blocks.average_pool(n, f"{name}_pool_ave", bottom, 3, 1, 1), 192, 1)
    return blocks.concat(n, f"{name}_concat", one, seven, double, pool)


def _reduction_b(n: NetSpec, bottom: Top) -> Top:
    add = _in_module(n, "reduction_b")
    three = add("3x3", add("3x3_reduce", bottom, 192, 1), 320, 3, 2)
    seven = add("1x7", add("1x7_reduce", bottom, 192, 1), 192, kernel=(1, 7), pad=(0, 3))
    seven = add("7x1", seven, 192, kernel=(7, 1), pad=(3, 0))
    seven = add("3x3_2", seven, 192, 3, 2)
    return blocks.concat(n, "reduction_b_concat", three, seven, blocks.max_pool(n, "reduction_b_pool", bottom, 3, 2))


def _module_c(n: NetSpec, name: str, bottom: Top, pooling: Callable[..., Top]) -> Top:
    """1x1; 1x1 then 1x3 beside 3x1; 1x1, 3x3, then 1x3 beside 3x1; pooling then 1x1."""
    add = _in_module(n, name)
    wide, high = dict(kernel=(1, 3), pad=(0, 1)), dict(kernel=(3, 1), pad=(1, 0))
    one = add("1x1_2", bottom, 320, 1)
    reduced = add("1x3_reduce", bottom, 384, 1)
    three = [add("1x3", reduced, 384, **wide), add("3x1", reduced, 384, **high)]
    double = add("3x3", add("3x3_reduce", bottom, 448, 1), 384, 3, pad=1)
    three += [add("1x3_2", double, 384, **wide), add("3x1_2", double, 384, **high)]
    pool = add("1x1", pooling(n, f"{name}_pool", bottom, 3, 1, 1), 192, 1)
    return blocks.concat(n, f"{name}_concat", one, *three, pool)


def _in_module(n: NetSpec, module: str) -> Unit:
    """`_convolution` for layers of a module."""
    def add(name: str, bottom: Top, outputs: int, kernel: Extent, stride: int = 1, pad: Extent = 0) -> Top:
        return _convolution(n, f"{module}_{name}", bottom, outputs, kernel, stride, pad)
    return add


def _convolution(n: NetSpec, name: str, bottom: Top, outputs: int, kernel: Extent, stride: int = 1, pad: Extent = 0, activation: str = "") -> Top:
    """Convolution without bias, BatchNorm, Scale, ReLU."""
    top = blocks.convolution(n, name, bottom, outputs, kernel, stride, pad, bias=False)
    return blocks.relu(n, activation or f"{name}_relu", blocks.normalised(n, f"{name}_bn", f"{name}_scale", top, EPS))
