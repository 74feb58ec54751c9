"""VGG: blocks of 3x3 convolutions between 2x2 poolings, three dense layers (Simonyan, Zisserman 2014)."""
from __future__ import annotations

from typing import Any

from pycaffe_acc.net_spec import NetSpec
from pycaffe_acc.zoo.networks import blocks

#: layers with weights → convolutions of each block (configurations D and E of the paper)
CONVOLUTIONS = {16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
WIDTHS = (64, 128, 256, 512, 512)


def vgg(depth: int, batch: int = 1) -> Any:
    """VGG of 16 or 19 layers with weights.

    Parameters
    ----------
    depth : {16, 19}
    batch : int

    Returns
    -------
    NetParameter
    """
    n = NetSpec()
    top = blocks.images(n, "data", batch, 224)
    for i, (count, width) in enumerate(zip(CONVOLUTIONS[depth], WIDTHS, strict=True), 1):
        for j in range(1, count + 1):
            top = blocks.relu(n, f"relu{i}_{j}", blocks.convolution(n, f"conv{i}_{j}", top, width, 3, pad=1))
        top = blocks.max_pool(n, f"pool{i}", top, 2, 2)
    for i in (6, 7):
        top = blocks.relu(n, f"relu{i}", blocks.dense(n, f"fc{i}", top, 4096))
        top = blocks.dropout(n, f"drop{i}", top, 0.5)
    blocks.softmax(n, "prob", blocks.dense(n, "fc8", top, 1000))
    return blocks.finished(n, f"VGG_ILSVRC_{depth}_layers")
