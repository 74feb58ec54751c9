"""A small net with layers of every kind that pruning looks at, and images for it."""
from __future__ import annotations

from pathlib import Path

import numpy as np
from pycaffe_acc_tests.quantize_tests.small_nets import small_net

TEXT = '''name: "small"
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 dim: 10 dim: 10 } } }
layer { name: "first" type: "Convolution" bottom: "data" top: "first" convolution_param { num_output: 8 kernel_size: 3 bias_term: false } }
layer { name: "norm" type: "BatchNorm" bottom: "first" top: "first" }
layer { name: "scale" type: "Scale" bottom: "first" top: "first" scale_param { bias_term: true } }
layer { name: "r" type: "ReLU" bottom: "first" top: "first" }
layer { name: "a" type: "Convolution" bottom: "first" top: "a" convolution_param { num_output: 12 kernel_size: 3 pad: 1 } }
layer { name: "ra" type: "ReLU" bottom: "a" top: "a" }
layer { name: "dw" type: "Convolution" bottom: "a" top: "dw" convolution_param { num_output: 12 group: 12 kernel_size: 3 pad: 1 bias_term: false } }
layer { name: "b" type: "Convolution" bottom: "dw" top: "b" convolution_param { num_output: 10 kernel_size: 1 bias_term: false } }
layer { name: "bn" type: "BatchNorm" bottom: "b" top: "b" }
layer { name: "bs" type: "Scale" bottom: "b" top: "b" scale_param { bias_term: true } }
layer { name: "c" type: "Convolution" bottom: "a" top: "c" convolution_param { num_output: 10 kernel_size: 1 } }
layer { name: "sum" type: "Eltwise" bottom: "b" bottom: "c" top: "sum" }
layer { name: "cat" type: "Concat" bottom: "sum" bottom: "a" top: "cat" }
layer { name: "pool" type: "Pooling" bottom: "cat" top: "pool" pooling_param { pool: AVE kernel_size: 4 stride: 4 } }
layer { name: "grouped" type: "Convolution" bottom: "c" top: "grouped" convolution_param { num_output: 4 group: 2 kernel_size: 1 } }
layer { name: "quiet" type: "Silence" bottom: "grouped" }
layer { name: "f" type: "InnerProduct" bottom: "pool" top: "f" inner_product_param { num_output: 20 transpose: true } }
layer { name: "rf" type: "ReLU" bottom: "f" top: "f" }
layer { name: "g" type: "InnerProduct" bottom: "f" top: "g" inner_product_param { num_output: 5 } }
'''
_SHAPES = {"first": [(8, 3, 3, 3)], "a": [(12, 8, 3, 3), (12,)], "dw": [(12, 1, 3, 3)], "b": [(10, 12, 1, 1)], "c": [(10, 12, 1, 1), (10,)],
           "grouped": [(4, 5, 1, 1), (4,)], "f": [(88, 20), (20,)], "g": [(5, 20), (5,)], "scale": [(8,), (8,)], "bs": [(10,), (10,)]}


def files(folder: Path, seed: int = 3, text: str = TEXT) -> tuple[str, str]:
    """Prototxt and caffemodel with random weights.

    Returns
    -------
    model, weights : str
    """
    rng = np.random.default_rng(seed)
    blobs = {name: [rng.normal(size=s) / np.sqrt(max(np.prod(s[1:]), 1)) for s in shapes] for name, shapes in _SHAPES.items()}
    for name, channels in (("norm", 8), ("bn", 10)):
        blobs[name] = [rng.normal(size=channels), rng.uniform(0.5, 2, channels), np.ones(1)]
    model, weights = small_net(folder, text, blobs)
    return str(model), str(weights)


def images(number: int = 40, seed: int = 4, batch: int = 16) -> list[np.ndarray]:
    """Smooth pictures in batches, the last one smaller: what is learned from some of them holds for others."""
    rng = np.random.default_rng(seed)
    coarse = rng.normal(size=(number, 3, 5, 5)).repeat(2, 2).repeat(2, 3)
    values = (coarse + 0.3 * coarse[:, [1, 2, 0]] + 0.1 * rng.normal(size=coarse.shape)).astype(np.float32)
    return [values[i:i + batch] for i in range(0, number, batch)]


def outputs(net, batches, blob: str = "g") -> np.ndarray:
    """What a net says of images."""
    found = []
    for values in batches:
        net.blobs["data"].reshape(*values.shape)
        net.reshape()
        net.blobs["data"].data[...] = values
        net.forward()
        found.append(net.blobs[blob].data.copy())
    return np.concatenate(found)
