"""Nets of a few layers with given weights."""
from __future__ import annotations

from pathlib import Path

import numpy as np

import pycaffe_acc as caffe
from pycaffe_acc.text_format import parse_net

INPUT = 'layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 2 dim: 3 dim: 3 } } }\n'


def convolution(name: str, bottom: str, top: str, extra: str = "", outputs: int = 2) -> str:
    """A 1x1 convolution without bias."""
    return (f'layer {{ name: "{name}" type: "Convolution" bottom: "{bottom}" top: "{top}" convolution_param {{ num_output: {outputs} kernel_size: 1 '
            f'bias_term: false {extra} }} }}\n')


def small_net(folder: Path, text: str, weights: dict[str, list[np.ndarray]]) -> tuple[Path, Path]:
    """Write a prototxt and a caffemodel; layers that `weights` does not name keep their fillers' values.

    Returns
    -------
    model, weights : Path
    """
    model, file = folder / "net.prototxt", folder / "net.caffemodel"
    model.write_text(text)
    net = caffe.Net(parse_net(text).message, caffe.TEST, vendor_exact=True)
    for name, blobs in weights.items():
        for blob, values in zip(net.params[name], blobs, strict=True):
            blob.data[...] = np.asarray(values, np.float32).reshape(blob.shape)
    net.save(file)
    return model, file
