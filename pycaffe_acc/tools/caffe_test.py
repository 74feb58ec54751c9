"""`caffe test`: mean of every output value over a number of batches of the net's own data layer."""
from __future__ import annotations

import numpy as np

from pycaffe_acc.mode import TEST
from pycaffe_acc.tools.caffe_net import check_iterations, open_flags
from pycaffe_acc.tools.card_flags import card_mode
from pycaffe_acc.tools.gflags import Value
from pycaffe_acc.tools.glog import glog


def run(flags: dict[str, Value]) -> int:
    """Score a model; prints BVLC's lines, and in the vendor's modes those of the net."""
    with card_mode(flags) as name:
        return _score(flags, name)


def _score(flags: dict[str, Value], mode: str) -> int:
    iterations = check_iterations(flags)
    net = open_flags(flags, TEST, "score", weights_needed=True)
    glog(f"Use {mode}.")
    glog(f"Running for {iterations} iterations.")
    sums: dict[str, np.ndarray] = {}
    loss = 0.0
    weights = net.blob_loss_weights
    for i in range(iterations):
        outputs = net.forward()
        for name in net.outputs:
            values = np.array(outputs[name], np.float32).ravel()
            loss += weights[name] * float(values.sum())
            sums[name] = values if name not in sums else sums[name] + values
            for value in values:
                glog(f"Batch {i}, {name} = {value:g}")
    glog(f"Loss: {loss / iterations:g}")
    for name, total in sums.items():
        for value in total / np.float32(iterations):
            weight = weights[name]
            glog(f"{name} = {value:g}" + (f" (* {weight:g} = {weight * value:g} loss)" if weight else ""))
    return 0
