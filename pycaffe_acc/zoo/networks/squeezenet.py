"""SqueezeNet: fire modules (a 1x1 squeeze, then 1x1 and 3x3 side by side) and no dense layer (Iandola et al. 2016)."""
from __future__ import annotations

from typing import Any, NamedTuple

from pycaffe_acc.net_spec import NetSpec, Top
from pycaffe_acc.zoo.networks import blocks


class Version(NamedTuple):
    """What differs between the two versions.

    Attributes
    ----------
    outputs, kernel : int
        Of the first convolution.
    pooled : tuple of int
        Fire modules with a pooling behind them.
    last_pad : int
        Of the last convolution: v1.0 pads a 1x1 kernel, so that its outermost ring of outputs is the bias alone.
    """

    outputs: int
    kernel: int
    pooled: tuple[int, ...]
    last_pad: int


VERSIONS = {"1.0": Version(96, 7, (4, 8), 1), "1.1": Version(64, 3, (3, 5), 0)}


def squeezenet(version: str, batch: int = 1) -> Any:
    """SqueezeNet in the layout of the authors' weights.

    Parameters
    ----------
    version : {"1.0", "1.1"}
    batch : int

    Returns
    -------
    NetParameter
    """
    v = VERSIONS[version]
    n = NetSpec()
    top = blocks.images(n, "data", batch, 227)
    top = blocks.relu(n, "relu_conv1", blocks.convolution(n, "conv1", top, v.outputs, v.kernel, 2))
    top = blocks.max_pool(n, "pool1", top, 3, 2)
    for i in range(2, 10):
        top = _fire(n, f"fire{i}", top, 16 * (i // 2))
        if i in v.pooled:
            top = blocks.max_pool(n, f"pool{i}", top, 3, 2)
    top = blocks.dropout(n, "drop9", top, 0.5)
    top = blocks.relu(n, "relu_conv10", blocks.convolution(n, "conv10", top, 1000, 1, pad=v.last_pad))
    blocks.softmax(n, "prob", blocks.global_average(n, "pool10", top))
    return blocks.finished(n, f"SqueezeNet_v{version}")


def _fire(n: NetSpec, name: str, bottom: Top, squeezed: int) -> Top:
    def convolution(part: str, bottom: Top, outputs: int, kernel: int) -> Top:
        top = blocks.convolution(n, f"{name}/{part}{kernel}x{kernel}", bottom, outputs, kernel, pad=kernel // 2)
        return blocks.relu(n, f"{name}/relu_{part}{kernel}x{kernel}", top)

    squeeze = convolution("squeeze", bottom, squeezed, 1)
    return blocks.concat(n, f"{name}/concat", convolution("expand", squeeze, 4 * squeezed, 1), convolution("expand", squeeze, 4 * squeezed, 3))
