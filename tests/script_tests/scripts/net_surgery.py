"""Net surgery: filters edited by hand, an inner product turned into a convolution over larger images."""
from __future__ import annotations

import caffe
import numpy as np

CONV = """
name: "convolution"
input: "data"
input_shape { dim: 1 dim: 1 dim: 100 dim: 100 }
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
        convolution_param { num_output: 3 kernel_size: 5 stride: 1 weight_filler { type: "gaussian" std: 0.01 }
                            bias_filler { type: "constant" value: 0 } } }
"""
FEATURES = """
name: "features"
input: "data" input_dim: 1 input_dim: 3 input_dim: 31 input_dim: 31
layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
        convolution_param { num_output: 6 kernel_size: 3 stride: 2 weight_filler { type: "msra" } } }
layer { name: "relu1" type: "ReLU" bottom: "conv1" top: "conv1" }
layer { name: "pool5" type: "Pooling" bottom: "conv1" top: "pool5" pooling_param { pool: MAX kernel_size: 3 stride: 2 } }
"""
DENSE = FEATURES + """
layer { name: "fc6" type: "InnerProduct" bottom: "pool5" top: "fc6" inner_product_param { num_output: 10 weight_filler { type: "xavier" } } }
layer { name: "relu6" type: "ReLU" bottom: "fc6" top: "fc6" }
layer { name: "drop6" type: "Dropout" bottom: "fc6" top: "fc6" }
layer { name: "fc8" type: "InnerProduct" bottom: "fc6" top: "fc8" inner_product_param { num_output: 4 weight_filler { type: "xavier" } } }
layer { name: "prob" type: "Softmax" bottom: "fc8" top: "prob" }
"""
FULL = FEATURES + """
layer { name: "fc6-conv" type: "Convolution" bottom: "pool5" top: "fc6-conv" convolution_param { num_output: 10 kernel_size: 7 } }
layer { name: "relu6" type: "ReLU" bottom: "fc6-conv" top: "fc6-conv" }
layer { name: "fc8-conv" type: "Convolution" bottom: "fc6-conv" top: "fc8-conv" convolution_param { num_output: 4 kernel_size: 1 } }
layer { name: "prob" type: "Softmax" bottom: "fc8-conv" top: "prob" }
"""
for name, text in (("conv", CONV), ("dense", DENSE), ("full", FULL)):
    open(name + ".prototxt", "w").write(text)

net = caffe.Net("conv.prototxt", caffe.TEST)
im = np.random.RandomState(0).rand(90, 120)
im_input = im[np.newaxis, np.newaxis, :, :]
net.blobs["data"].reshape(*im_input.shape)
net.blobs["data"].data[...] = im_input
net.forward()
conv0 = net.blobs["conv"].data[0].copy()
net.params["conv"][1].data[0] = 1.0
net.forward()
assert np.allclose(net.blobs["conv"].data[0, 0], conv0[0] + 1, atol=1e-5) and np.allclose(net.blobs["conv"].data[0, 1:], conv0[1:], atol=1e-6)
ksize = net.params["conv"][0].data.shape[2:]
sobel = np.array((-1, -2, 0, 2, 1)).reshape((5, 1)) * np.array((1, 1, 1, 1, 1))
net.params["conv"][0].data[1, 0, 0] = sobel[0]
net.params["conv"][0].data[1, 0] = sobel
net.params["conv"][0].data[2] = 1.0 / np.prod(ksize)
net.forward()
assert np.allclose(net.blobs["conv"].data[0, 2, 3, 4], im[3:8, 4:9].mean(), atol=1e-5)
assert np.allclose(net.blobs["conv"].data[0, 1, 3, 4], (im[3:8, 4:9] * sobel).sum(), atol=1e-4)

caffe.Net("dense.prototxt", caffe.TEST).save("dense.caffemodel")
net = caffe.Net("dense.prototxt", "dense.caffemodel", caffe.TEST)
net_full_conv = caffe.Net("full.prototxt", "dense.caffemodel", caffe.TEST)
for fc, conv in (("fc6", "fc6-conv"), ("fc8", "fc8-conv")):
    net_full_conv.params[conv][0].data.flat = net.params[fc][0].data.flat
    net_full_conv.params[conv][1].data[...] = net.params[fc][1].data
net_full_conv.save("full_conv.caffemodel")
net_full_conv = caffe.Net("full.prototxt", "full_conv.caffemodel", caffe.TEST)
big = np.random.RandomState(1).rand(3, 55, 47).astype(np.float32)
net_full_conv.blobs["data"].reshape(1, *big.shape)
net_full_conv.reshape()
out = net_full_conv.forward_all(data=np.asarray([big]))
assert out["prob"].shape == (1, 4, 7, 5), out["prob"].shape
for y, x in ((0, 0), (3, 2), (6, 4)):
    window = net.forward_all(data=big[np.newaxis, :, 4 * y:4 * y + 31, 4 * x:4 * x + 31])["prob"][0]
    assert np.allclose(out["prob"][0, :, y, x], window, atol=1e-5), (y, x)
