"""MobileNet v1: depthwise convolutions followed by 1x1 convolutions (Howard et al. 2017)."""
from __future__ import annotations

from typing import Any

from pycaffe_acc.net_spec import NetSpec, Top
from pycaffe_acc.zoo.networks import blocks

#: name, stride of the depthwise convolution, output channels at width 1
PAIRS = (("2_1", 1, 64), ("2_2", 2, 128), ("3_1", 1, 128), ("3_2", 2, 256), ("4_1", 1, 256), ("4_2", 2, 512), ("5_1", 1, 512), ("5_2", 1, 512),
         ("5_3", 1, 512), ("5_4", 1, 512), ("5_5", 1, 512), ("5_6", 2, 1024), ("6", 1, 1024))


def mobilenet_v1(batch: int = 1) -> Any:
    """MobileNet v1 of width 1 in the layout of shicai's weights.

    Parameters
    ----------
    batch : int

    Returns
    -------
    NetParameter
    """
    n = NetSpec()
    top = blocks.images(n, "data", batch, 224)
    top = _normalised(n, "1", top, 32, 3, 2)
    channels = 32
    for name, stride, outputs in PAIRS:
        top = _normalised(n, f"{name}/dw", top, channels, 3, stride, channels)
        top = _normalised(n, f"{name}/sep", top, outputs, 1)
        channels = outputs
    top = blocks.convolution(n, "fc7", blocks.global_average(n, "pool6", top), 1000, 1)
    blocks.softmax(n, "prob", top)
    return blocks.finished(n, "MobileNet_v1")


def _normalised(n: NetSpec, name: str, bottom: Top, outputs: int, kernel: int, stride: int = 1, group: int = 1) -> Top:
    """Convolution without bias, BatchNorm, Scale, ReLU."""
    top = blocks.convolution(n, f"conv{name}", bottom, outputs, kernel, stride, kernel // 2, group, bias=False)
    return blocks.relu(n, f"relu{name}", blocks.normalised(n, f"conv{name}/bn", f"conv{name}/scale", top))
