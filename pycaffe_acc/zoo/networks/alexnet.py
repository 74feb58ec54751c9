"""AlexNet: five convolutions (two of them in two groups), three dense layers (Krizhevsky, Sutskever, Hinton 2012)."""
from __future__ import annotations

from typing import Any

from pycaffe_acc.net_spec import NetSpec
from pycaffe_acc.zoo.networks import blocks


def alexnet(batch: int = 1) -> Any:
    """AlexNet in the layout of BVLC's weights: response normalisation comes before pooling.

    Parameters
    ----------
    batch : int

    Returns
    -------
    NetParameter
    """
    n = NetSpec()
    top = blocks.images(n, "data", batch, 227)
    for i, (outputs, kernel, stride, pad, group) in enumerate([(96, 11, 4, 0, 1), (256, 5, 1, 2, 2), (384, 3, 1, 1, 1), (384, 3, 1, 1, 2),
                                                               (256, 3, 1, 1, 2)], 1):
        top = blocks.convolution(n, f"conv{i}", top, outputs, kernel, stride, pad, group)
        top = blocks.relu(n, f"relu{i}", top)
        if i <= 2:
            top = blocks.response_norm(n, f"norm{i}", top)
        if i in (1, 2, 5):
            top = blocks.max_pool(n, f"pool{i}", top, 3, 2)
    for i in (6, 7):
        top = blocks.relu(n, f"relu{i}", blocks.dense(n, f"fc{i}", top, 4096))
        top = blocks.dropout(n, f"drop{i}", top, 0.5)
    blocks.softmax(n, "prob", blocks.dense(n, "fc8", top, 1000))
    return blocks.finished(n, "AlexNet")
