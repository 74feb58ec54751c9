"""GoogLeNet: nine inception modules of four branches (Szegedy et al. 2014)."""
from __future__ import annotations

from typing import Any, NamedTuple

from pycaffe_acc.net_spec import NetSpec, Top
from pycaffe_acc.zoo.networks import blocks


class Widths(NamedTuple):
    """Output channels of a module's convolutions."""

    one: int
    three_reduce: int
    three: int
    five_reduce: int
    five: int
    pool: int


#: the paper's table 1; a number is a max pooling of that name
MODULES: tuple[tuple[str, Widths] | int, ...] = (
    ("3a", Widths(64, 96, 128, 16, 32, 32)), ("3b", Widths(128, 128, 192, 32, 96, 64)), 3,
    ("4a", Widths(192, 96, 208, 16, 48, 64)), ("4b", Widths(160, 112, 224, 24, 64, 64)), ("4c", Widths(128, 128, 256, 24, 64, 64)),
    ("4d", Widths(112, 144, 288, 32, 64, 64)), ("4e", Widths(256, 160, 320, 32, 128, 128)), 4,
    ("5a", Widths(256, 160, 320, 32, 128, 128)), ("5b", Widths(384, 192, 384, 48, 128, 128)),
)


def googlenet(batch: int = 1) -> Any:
    """GoogLeNet without the auxiliary classifiers, which only training needs, in the layout of BVLC's weights.

    Parameters
    ----------
    batch : int

    Returns
    -------
    NetParameter
    """
    n = NetSpec()
    top = blocks.images(n, "data", batch, 224)
    top = _convolution(n, "conv1", "7x7_s2", top, 64, 7, 3, stride=2, activation="relu_7x7")
    top = blocks.max_pool(n, "pool1/3x3_s2", top, 3, 2)
    top = blocks.response_norm(n, "pool1/norm1", top)
    top = _convolution(n, "conv2", "3x3_reduce", top, 64, 1)
    top = _convolution(n, "conv2", "3x3", top, 192, 3, 1)
    top = blocks.response_norm(n, "conv2/norm2", top)
    top = blocks.max_pool(n, "pool2/3x3_s2", top, 3, 2)
    for module in MODULES:
        top = blocks.max_pool(n, f"pool{module}/3x3_s2", top, 3, 2) if isinstance(module, int) else _inception(n, f"inception_{module[0]}", top,
                                                                                                               module[1])
    top = blocks.average_pool(n, "pool5/7x7_s1", top, 7, 1)
    top = blocks.dropout(n, "pool5/drop_7x7_s1", top, 0.4)
    blocks.softmax(n, "prob", blocks.dense(n, "loss3/classifier", top, 1000))
    return blocks.finished(n, "GoogLeNet")


def _inception(n: NetSpec, name: str, bottom: Top, w: Widths) -> Top:
    one = _convolution(n, name, "1x1", bottom, w.one, 1)
    three = _convolution(n, name, "3x3", _convolution(n, name, "3x3_reduce", bottom, w.three_reduce, 1), w.three, 3, 1)
    five = _convolution(n, name, "5x5", _convolution(n, name, "5x5_reduce", bottom, w.five_reduce, 1), w.five, 5, 2)
    pool = _convolution(n, name, "pool_proj", blocks.max_pool(n, f"{name}/pool", bottom, 3, 1, 1), w.pool, 1)
    return blocks.concat(n, f"{name}/output", one, three, five, pool)


def _convolution(n: NetSpec, group: str, name: str, bottom: Top, outputs: int, kernel: int, pad: int = 0, stride: int = 1,
                 activation: str | None = None) -> Top:
    top = blocks.convolution(n, f"{group}/{name}", bottom, outputs, kernel, stride, pad)
    return blocks.relu(n, f"{group}/{activation or f'relu_{name}'}", top)
