"""Python layers: the Euclidean loss of the examples, a data layer that makes its own batches, param_str, own weights, an error."""
from __future__ import annotations

import os
import sys

import caffe
import numpy as np

LAYERS = '''
import json
import caffe
import numpy as np


class EuclideanLossLayer(caffe.Layer):
    def setup(self, bottom, top):
        if len(bottom) != 2:
            raise Exception("Need two inputs to compute distance.")

    def reshape(self, bottom, top):
        if bottom[0].count != bottom[1].count:
            raise Exception("Inputs must have the same dimension.")
        self.diff = np.zeros_like(bottom[0].data, dtype=np.float32)
        top[0].reshape(1)

    def forward(self, bottom, top):
        self.diff[...] = bottom[0].data - bottom[1].data
        top[0].data[...] = np.sum(self.diff**2) / bottom[0].num / 2.

    def backward(self, top, propagate_down, bottom):
        for i in range(2):
            bottom[i].diff[...] = self.diff / bottom[i].num


class RampDataLayer(caffe.Layer):
    def setup(self, bottom, top):
        params = json.loads(self.param_str)
        self.batch, self.width = params["batch"], params["width"]
        self.at = 0
        top[0].reshape(self.batch, self.width)
        top[1].reshape(self.batch, self.width)

    def reshape(self, bottom, top):
        n = self.batch + self.at % 2
        top[0].reshape(n, self.width)
        top[1].reshape(n, self.width)

    def forward(self, bottom, top):
        top[0].data[...] = self.at
        top[1].data[...] = self.at + 2
        self.at += 1

    def backward(self, top, propagate_down, bottom):
        pass


class ParameterLayer(caffe.Layer):
    def setup(self, bottom, top):
        self.blobs.add_blob(1)
        self.blobs[0].data[0] = float(self.param_str or 0)

    def reshape(self, bottom, top):
        top[0].reshape(*bottom[0].data.shape)

    def forward(self, bottom, top):
        top[0].data[...] = bottom[0].data * self.blobs[0].data[0]

    def backward(self, top, propagate_down, bottom):
        pass
'''
NET = """
name: "LinearRegressionExample"
force_backward: true
layer { name: "ramp" type: "Python" top: "x" top: "y"
        python_param { module: "my_layers" layer: "RampDataLayer" param_str: '{"batch": 3, "width": 4}' } }
layer { name: "times" type: "Python" bottom: "x" top: "x3" python_param { module: "my_layers" layer: "ParameterLayer" param_str: "3" } }
layer { name: "shift" type: "Power" bottom: "x3" top: "x3" power_param { shift: 1 } }
layer { name: "loss" type: "Python" bottom: "x3" bottom: "y" top: "loss" loss_weight: 1
        python_param { module: "my_layers" layer: "EuclideanLossLayer" } }
"""
open("my_layers.py", "w").write(LAYERS)
open("net.prototxt", "w").write(NET)
sys.path.insert(0, os.getcwd())
net = caffe.Net("net.prototxt", caffe.TEST)
assert net.blobs["loss"].data.shape == (1,) and net.layers[1].blobs[0].data[0] == 3
for step in range(5):
    loss = net.forward()["loss"]
    assert net.blobs["x"].data.shape == (3 + step % 2, 4) and np.all(net.blobs["x"].data == step)
    assert np.allclose(loss, 4 * (3 * step + 1 - (step + 2)) ** 2 / 2.0), (step, loss)
net.params["times"][0].data[...] = 1
assert np.allclose(net.forward()["loss"], 4 * (5 + 1 - 7) ** 2 / 2.0)
net.save("net.caffemodel")
again = caffe.Net("net.prototxt", "net.caffemodel", caffe.TEST)
assert again.params["times"][0].data[0] == 1
open("bad.prototxt", "w").write(NET.replace('bottom: "x3" bottom: "y"', 'bottom: "x3"'))
try:
    caffe.Net("bad.prototxt", caffe.TEST)
except Exception as e:
    assert "Need two inputs" in str(e)
else:
    raise AssertionError("one bottom was taken")
