"""Weights for measuring the speed of a net whose trained ones are not at hand."""
from __future__ import annotations

import numpy as np

from pycaffe_acc.net import Net


def fill_seeded(net: Net, seed: int = 0) -> None:
    """Fill every weight blob with values that keep activations at their size.

    Weights are normal with standard deviation sqrt(2 / fan-in), biases zero, BatchNorm's mean 0, variance 1 and factor 1. Zeros, which an unfilled
    deploy net has, would make exponents and denormals behave unlike a real net's.

    Parameters
    ----------
    net : Net
    seed : int
    """
    rng = np.random.default_rng(seed)
    for layer in net.layers:
        for i, blob in enumerate(layer.blobs):
            shape = blob.shape
            if layer.type == "BatchNorm":
                blob.data[...] = 0.0 if i == 0 else 1.0
            elif layer.type in ("Scale", "PReLU", "Normalize"):
                blob.data[...] = 1.0 if i == 0 else 0.0
            elif len(shape) < 2:
                blob.data[...] = 0.0
            else:
                fan_in = max(1, int(np.prod(shape[1:])))
                blob.data[...] = rng.standard_normal(shape, dtype=np.float32) * np.float32(np.sqrt(2.0 / fan_in))
