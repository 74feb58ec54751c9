"""Deep dream, up to the point where it needs gradients: the source blob reshaped by octaves, forward to an inner layer, the refusal."""
from __future__ import annotations

import caffe
import numpy as np

NET = """
force_backward: true
input: "data" input_dim: 10 input_dim: 3 input_dim: 32 input_dim: 32
layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
        convolution_param { num_output: 8 kernel_size: 5 pad: 2 stride: 2 weight_filler { type: "msra" } } }
layer { name: "relu1" type: "ReLU" bottom: "conv1" top: "conv1" }
layer { name: "inception/out" type: "Convolution" bottom: "conv1" top: "inception/out"
        convolution_param { num_output: 4 kernel_size: 3 weight_filler { type: "msra" } } }
"""
open("deploy.prototxt", "w").write(NET)
model = caffe.io.caffe_pb2.NetParameter()
caffe.io.caffe_pb2.NetParameter()
from google.protobuf import text_format  # noqa: E402

text_format.Merge(open("deploy.prototxt").read(), model)
model.force_backward = True
open("tmp.prototxt", "w").write(str(model))
caffe.Net("deploy.prototxt", caffe.TEST).save("w.caffemodel")
net = caffe.Classifier("tmp.prototxt", "w.caffemodel", mean=np.float32([104.0, 116.0, 122.0]), channel_swap=(2, 1, 0))


def preprocess(net, img):
    """RGB image to the net's input."""
    return np.float32(np.rollaxis(img, 2)[::-1]) - net.transformer.mean["data"]


def deprocess(net, img):
    """And back."""
    return np.dstack((img + net.transformer.mean["data"])[::-1])


base = np.random.RandomState(0).uniform(0, 255, (60, 44, 3))
src = net.blobs["data"]
for shape in ((30, 22), (42, 31), (60, 44)):
    octave = caffe.io.resize_image(base / 255, shape) * 255
    src.reshape(1, 3, *shape)
    src.data[0] = preprocess(net, octave)
    net.forward(end="inception/out")
    dst = net.blobs["inception/out"]
    assert dst.data.shape == (1, 4, (shape[0] + 1) // 2 - 2, (shape[1] + 1) // 2 - 2)
    dst.diff[:] = dst.data
    assert np.array_equal(dst.diff, dst.data) and src.diff.shape == src.data.shape
    assert np.allclose(deprocess(net, src.data[0]), octave, atol=1e-3)
try:
    net.backward(start="inception/out")
except RuntimeError as e:
    assert "training" in str(e) or "gradients" in str(e)
else:
    raise AssertionError("backward must say that it is not there")
