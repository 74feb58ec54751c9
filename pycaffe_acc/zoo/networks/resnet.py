"""ResNet for ImageNet: residual blocks of two 3x3 convolutions, or of 1x1, 3x3, 1x1 (He, Zhang, Ren, Sun 2015)."""
from __future__ import annotations

from string import ascii_lowercase
from typing import Any

from pycaffe_acc.errors import CheckError
from pycaffe_acc.net_spec import NetSpec, Top
from pycaffe_acc.zoo.networks import blocks

#: layers with weights → residual blocks of the four stages
BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
#: depths whose blocks are 1x1, 3x3, 1x1
BOTTLENECK = (50, 101, 152)
WIDTHS = (64, 128, 256, 512)


def resnet(depth: int, batch: int = 1, stride_in_3x3: bool = False) -> Any:
    """ResNet in the layout of the authors' weights (50, 101, 152), or of HolmesShuan's ResNet-18 (18, 34).

    Parameters
    ----------
    depth : {18, 34, 50, 101, 152}
    batch : int
    stride_in_3x3 : bool
        Bottleneck blocks halve the picture in their 3x3 convolution, as torchvision's and many converted weights do; the authors' do it in the first
        1x1. Names and blob shapes are the same, results are not.

    Returns
    -------
    NetParameter

    Raises
    ------
    CheckError
        For another depth.
    """
    if depth not in BLOCKS:
        raise CheckError(f"resnet: depth is {depth}; it must be one of {', '.join(map(str, BLOCKS))}")
    n = NetSpec()
    top = blocks.images(n, "data", batch, 224)
    # the authors' ResNet-50, alone of all, has a bias there
    top = blocks.convolution(n, "conv1", top, 64, 7, 2, 3, bias=depth == 50)
    top = blocks.relu(n, "conv1_relu", blocks.normalised(n, "bn_conv1", "scale_conv1", top))
    top = blocks.max_pool(n, "pool1", top, 3, 2)
    for stage, (count, width) in enumerate(zip(BLOCKS[depth], WIDTHS, strict=True), 2):
        for i in range(count):
            stride = 2 if i == 0 and stage > 2 else 1
            name = f"{stage}{_letter(depth, stage, i)}"
            shortcut = _convolution(n, f"{name}_branch1", top, width * (4 if depth in BOTTLENECK else 1), 1, stride) if i == 0 else top
            branch = _bottleneck(n, name, top, width, stride, stride_in_3x3) if depth in BOTTLENECK else _basic(n, name, top, width, stride)
            top = blocks.relu(n, f"res{name}_relu", blocks.total(n, f"res{name}", shortcut, branch))
    top = blocks.dense(n, "fc1000", blocks.average_pool(n, "pool5", top, 7, 1), 1000)
    blocks.softmax(n, "prob", top)
    return blocks.finished(n, f"ResNet-{depth}")


def _letter(depth: int, stage: int, i: int) -> str:
    """a, b, c, …; the two deepest nets count a, b1, b2, … in the stages that have more blocks than the shallower ones' three."""
    if depth in (101, 152) and stage in (3, 4):
        return "a" if i == 0 else f"b{i}"
    return ascii_lowercase[i]


def _basic(n: NetSpec, name: str, bottom: Top, width: int, stride: int) -> Top:
    top = _activated(n, f"{name}_branch2a", bottom, width, 3, stride)
    return _convolution(n, f"{name}_branch2b", top, width, 3)


def _bottleneck(n: NetSpec, name: str, bottom: Top, width: int, stride: int, stride_in_3x3: bool) -> Top:
    first, second = (1, stride) if stride_in_3x3 else (stride, 1)
    top = _activated(n, f"{name}_branch2a", bottom, width, 1, first)
    top = _activated(n, f"{name}_branch2b", top, width, 3, second)
    return _convolution(n, f"{name}_branch2c", top, 4 * width, 1)


def _activated(n: NetSpec, name: str, bottom: Top, outputs: int, kernel: int, stride: int = 1) -> Top:
    return blocks.relu(n, f"res{name}_relu", _convolution(n, name, bottom, outputs, kernel, stride))


def _convolution(n: NetSpec, name: str, bottom: Top, outputs: int, kernel: int, stride: int = 1) -> Top:
    """Convolution without bias, BatchNorm, Scale."""
    top = blocks.convolution(n, f"res{name}", bottom, outputs, kernel, stride, kernel // 2, bias=False)
    return blocks.normalised(n, f"bn{name}", f"scale{name}", top)
