"""ResNet for CIFAR-10: three stages of 16, 32 and 64 channels (He, Zhang, Ren, Sun 2015, section 4.2)."""
from __future__ import annotations

from typing import Any

from pycaffe_acc.errors import CheckError
from pycaffe_acc.net_spec import NetSpec, Top
from pycaffe_acc.zoo.networks import blocks

WIDTHS = (16, 32, 64)


class _Numbered:
    """A NetSpec whose layers are called by their type and a number: Convolution1 with BatchNorm1 and Scale1, ReLU1, Convolution2, …"""

    def __init__(self) -> None:
        self.net = NetSpec()
        self.convolutions = 0
        self.relus = 0

    def convolution(self, bottom: Top, outputs: int, kernel: int, stride: int) -> Top:
        self.convolutions += 1
        i = self.convolutions
        top = blocks.convolution(self.net, f"Convolution{i}", bottom, outputs, kernel, stride, kernel // 2)
        return blocks.normalised(self.net, f"BatchNorm{i}", f"Scale{i}", top)

    def relu(self, bottom: Top) -> Top:
        self.relus += 1
        return blocks.relu(self.net, f"ReLU{self.relus}", bottom)


def cifar_resnet(depth: int, batch: int = 1) -> Any:
    """ResNet for CIFAR-10 in the layout of junyuseu's weights: shortcuts that change the shape are 1x1 convolutions.

    Parameters
    ----------
    depth : int
        6 k + 2 for k residual blocks a stage: 20, 32, 44, 50, 56, 110, …
    batch : int

    Returns
    -------
    NetParameter

    Raises
    ------
    CheckError
        For a depth of another form.
    """
    count, rest = divmod(depth - 2, 6)
    if count < 1 or rest:
        raise CheckError(f"cifar_resnet: depth is {depth}; it must be 6 k + 2, such as 20, 50 or 56")
    numbered = _Numbered()
    n = numbered.net
    top = numbered.relu(numbered.convolution(blocks.images(n, "Data1", batch, 32), WIDTHS[0], 3, 1))
    for stage, width in enumerate(WIDTHS):
        for i in range(count):
            stride = 2 if stage > 0 and i == 0 else 1
            shortcut = numbered.convolution(top, width, 1, stride) if stride == 2 else top
            branch = numbered.relu(numbered.convolution(top, width, 3, stride))
            branch = numbered.convolution(branch, width, 3, 1)
            top = numbered.relu(blocks.total(n, f"Eltwise{stage * count + i + 1}", shortcut, branch))
    top = blocks.dense(n, "InnerProduct1", blocks.global_average(n, "Pooling1", top), 10)
    blocks.softmax(n, "prob", top)
    return blocks.finished(n, f"CIFAR_ResNet-{depth}")
