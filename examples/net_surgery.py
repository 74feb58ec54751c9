"""Turn a classifier into a fully convolutional net by moving its weights.

  python examples/net_surgery.py
"""
from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

import pycaffe_acc as caffe

CLASSIFIER = """
name: "classifier"
layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 dim: 8 dim: 8 } } }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
  convolution_param { num_output: 6 kernel_size: 3 weight_filler { type: "xavier" } } }
layer { name: "fc" type: "InnerProduct" bottom: "conv" top: "fc" inner_product_param { num_output: 4 weight_filler { type: "xavier" } } }
"""
# a 6x6 convolution over the 6x6 map of `conv` computes what `fc` does, at every position of a larger image
CONVOLUTIONAL = CLASSIFIER.replace("dim: 8 dim: 8", "dim: 12 dim: 12").replace(
    'name: "fc" type: "InnerProduct" bottom: "conv" top: "fc" inner_product_param { num_output: 4',
    'name: "fc-conv" type: "Convolution" bottom: "conv" top: "fc-conv" convolution_param { num_output: 4 kernel_size: 6')


def main() -> None:
    """Move the weights, then compare the two nets on one window."""
    with tempfile.TemporaryDirectory() as folder:
        nets = []
        for name, text in (("classifier", CLASSIFIER), ("convolutional", CONVOLUTIONAL)):
            path = Path(folder) / f"{name}.prototxt"
            path.write_text(text)
            nets.append(caffe.Net(str(path), caffe.TEST))
        classifier, convolutional = nets

        convolutional.params["conv"][0].data[...] = classifier.params["conv"][0].data
        convolutional.params["conv"][1].data[...] = classifier.params["conv"][1].data
        convolutional.params["fc-conv"][0].data.flat = classifier.params["fc"][0].data.flat  # (4, 216) -> (4, 6, 6, 6)
        convolutional.params["fc-conv"][1].data[...] = classifier.params["fc"][1].data

        image = np.random.default_rng(0).standard_normal((1, 3, 12, 12)).astype(np.float32)
        classifier.blobs["data"].data[...] = image[:, :, 2:10, 3:11]
        convolutional.blobs["data"].data[...] = image
        window = classifier.forward()["fc"][0]
        everywhere = convolutional.forward()["fc-conv"][0]
        print(f"scores for every position: {everywhere.shape}")
        print(f"largest difference at row 2, column 3: {np.abs(everywhere[:, 2, 3] - window).max():.2e}")
        convolutional.save(Path(folder) / "convolutional.caffemodel")


if __name__ == "__main__":
    main()
