"""Write a net in Python instead of prototxt.

  python examples/net_spec.py
"""
from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

import pycaffe_acc as caffe
from pycaffe_acc import layers as L
from pycaffe_acc import params as P


def lenet(batch: int) -> str:
    """LeNet as prototxt."""
    n = caffe.NetSpec()
    n.data = L.Input(input_param=dict(shape=dict(dim=[batch, 1, 28, 28])))
    n.conv1 = L.Convolution(n.data, kernel_size=5, num_output=20, weight_filler=dict(type="xavier"))
    n.pool1 = L.Pooling(n.conv1, kernel_size=2, stride=2, pool=P.Pooling.MAX)
    n.conv2 = L.Convolution(n.pool1, kernel_size=5, num_output=50, weight_filler=dict(type="xavier"))
    n.pool2 = L.Pooling(n.conv2, kernel_size=2, stride=2, pool=P.Pooling.MAX)
    n.ip1 = L.InnerProduct(n.pool2, num_output=500, weight_filler=dict(type="xavier"))
    n.relu1 = L.ReLU(n.ip1, in_place=True)
    n.ip2 = L.InnerProduct(n.relu1, num_output=10, weight_filler=dict(type="xavier"))
    n.prob = L.Softmax(n.ip2)
    return str(n.to_proto())


def main() -> None:
    """Write, build, run."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lenet.prototxt"
        path.write_text(lenet(batch=2))
        net = caffe.Net(str(path), caffe.TEST)
    for name, blob in net.blobs.items():
        print(f"{name:8} {blob.data.shape}")
    net.blobs["data"].data[...] = np.random.default_rng(0).random((2, 1, 28, 28))
    print("sums of the probabilities:", net.forward()["prob"].sum(axis=1).round(4))


if __name__ == "__main__":
    main()
