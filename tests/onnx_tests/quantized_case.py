"""Small nets that are quantized with seeded weights and inputs."""
from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

import pycaffe_acc as caffe
from pycaffe_acc.fake_caffemodel import fill_fake
from pycaffe_acc.quantize.method import find_method
from pycaffe_acc.quantize.quantize_net import Quantizer
from pycaffe_acc.text_format import parse_net

INPUT = 'layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 2 dim: 3 dim: 12 dim: 12 } } }\n'


def convolution(name: str, bottom: str, outputs: int = 8, extra: str = "kernel_size: 3 pad: 1", relu: bool = True) -> str:
    """A convolution with a BatchNorm and a Scale in place, and a ReLU."""
    rest = [("BatchNorm", f"{name}/bn", ""), ("Scale", f"{name}/scale", "scale_param { bias_term: true }"), *[("ReLU", f"{name}/relu", "")] * relu]
    text = f'layer {{ name: "{name}" type: "Convolution" bottom: "{bottom}" top: "{name}" convolution_param {{ num_output: {outputs} {extra} }} }}\n'
    return text + "".join(f'layer {{ name: "{n}" type: "{t}" bottom: "{name}" top: "{name}" {p} }}\n' for t, n, p in rest)


#: max pooling and a join of codes, a sum that the engine does in floats, an average, an inner product on an image
BLOCKS = ('name: "blocks"\n' + INPUT + convolution("first", "data")
          + 'layer { name: "pool" type: "Pooling" bottom: "first" top: "pool" pooling_param { pool: MAX kernel_size: 3 stride: 2 } }\n'
          + convolution("left", "pool", 4, "kernel_size: 1") + convolution("right", "pool", 4)
          + 'layer { name: "join" type: "Concat" bottom: "left" bottom: "right" top: "join" }\n'
          + convolution("branch", "join", relu=False)
          + 'layer { name: "sum" type: "Eltwise" bottom: "join" bottom: "branch" top: "sum" }\n'
          + 'layer { name: "sum/relu" type: "ReLU" bottom: "sum" top: "sum" }\n' + convolution("last", "sum")
          + 'layer { name: "mean" type: "Pooling" bottom: "last" top: "mean" pooling_param { pool: AVE kernel_size: 2 stride: 2 } }\n'
          + 'layer { name: "fc" type: "InnerProduct" bottom: "mean" top: "fc" inner_product_param { num_output: 10 } }\n'
          + 'layer { name: "prob" type: "Softmax" bottom: "fc" top: "prob" }\n')


def write_quantized(folder: Path, text: str = BLOCKS, weights: dict[str, list[Any]] | None = None, method: str = "absmax") -> tuple[Path, Path]:
    """A quantized prototxt and its caffemodel; `weights` overrides blobs, None in a list leaves one as it is."""
    net = caffe.Net(parse_net(text).message, caffe.TEST)
    fill_fake(net)
    for name, blobs in (weights or {}).items():
        for blob, values in zip(net.params[name], blobs, strict=True):
            if values is not None:
                blob.data[...] = values
    folder.mkdir(exist_ok=True)
    model, file = folder / "float.prototxt", folder / "net.caffemodel"
    model.write_text(text)
    net.save(file)
    quantizer = Quantizer(model, file, find_method(method))
    shape = quantizer.net.blobs["data"].shape
    quantizer.calibrate("data", [np.random.default_rng(seed).standard_normal(shape, np.float32) for seed in (1, 2)])
    quantizer.finish()
    quantizer.save(folder / "int8.prototxt")
    return folder / "int8.prototxt", file


def quantized_net(folder: Path, text: str = BLOCKS, weights: dict[str, list[Any]] | None = None, method: str = "absmax") -> caffe.Net:
    """The net of `write_quantized`, in INT8."""
    model, file = write_quantized(folder, text, weights, method)
    return caffe.Net(str(model), caffe.TEST, weights=str(file), precision="int8")
