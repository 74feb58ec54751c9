"""Arrays and slices that a script keeps: views of blobs across forwards, of inputs, of weights; what forward returns."""
from __future__ import annotations

import gc

import caffe
import numpy as np

NET = """
input: "data" input_shape { dim: 2 dim: 3 dim: 10 dim: 10 }
layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
        convolution_param { num_output: 16 kernel_size: 3 pad: 1 weight_filler { type: "msra" } } }
layer { name: "bn1" type: "BatchNorm" bottom: "conv1" top: "bn1" }
layer { name: "relu1" type: "ReLU" bottom: "bn1" top: "bn1" }
layer { name: "conv2" type: "Convolution" bottom: "bn1" top: "conv2"
        convolution_param { num_output: 16 kernel_size: 1 weight_filler { type: "msra" } } }
layer { name: "sum" type: "Eltwise" bottom: "conv2" bottom: "bn1" top: "sum" }
layer { name: "pool" type: "Pooling" bottom: "sum" top: "pool" pooling_param { pool: AVE global_pooling: true } }
"""
open("net.prototxt", "w").write(NET)
net = caffe.Net("net.prototxt", caffe.TEST)
rng = np.random.RandomState(0)
x = rng.rand(4, 2, 3, 10, 10).astype(np.float32)
inside = net.blobs["data"].data[1]
slices = {name: net.blobs[name].data[1, 2:5] for name in ("conv1", "bn1", "conv2", "sum", "pool")}
flat = net.blobs["sum"].data.reshape(2, -1)
returned = net.forward(data=x[0])["pool"]
reference = {}
for i in range(4):
    fresh = caffe.Net("net.prototxt", caffe.TEST)
    fresh.share_with(net)
    fresh.forward(data=x[i])
    reference[i] = {name: b.data.copy() for name, b in fresh.blobs.items()}
for i in (0, 1, 2, 3, 1):
    net.forward(data=x[i])
    gc.collect()
    for name, view in slices.items():
        assert np.allclose(view, reference[i][name][1, 2:5], atol=1e-5), (i, name)
    assert np.allclose(flat, reference[i]["sum"].reshape(2, -1), atol=1e-5)
    assert np.allclose(returned, reference[i]["pool"], atol=1e-5)
inside[...] = x[2, 1]
net.blobs["data"].data[0] = x[2, 0]
net.forward()
assert np.allclose(returned, reference[2]["pool"], atol=1e-5)
weights = net.params["conv1"][0].data[3]
weights *= 0
net.forward()
assert np.all(net.blobs["conv1"].data[:, 3] == net.params["conv1"][1].data[3])
row = net.params["conv2"][0].data.reshape(16, 16)[5]
del weights
gc.collect()
row[:] = 0
net.forward()
assert np.allclose(net.blobs["conv2"].data[:, 5], net.params["conv2"][1].data[5])
half = net.forward(end="bn1")["bn1"]
assert half.min() < 0
half[...] = 0.5
tail = net.forward(start="relu1")["pool"].copy()
w2, b2 = net.params["conv2"][0].data.reshape(16, 16), net.params["conv2"][1].data
assert np.allclose(tail[0].ravel(), 0.5 * w2.sum(1) + b2 + 0.5, atol=1e-4)
kept = net.blobs["sum"].data
del net
gc.collect()
assert np.isfinite(kept).all()
