"""FCN: bilinear upsampling filters by surgery, Crop, and segmentation of images of any size."""
from __future__ import annotations

import caffe
import numpy as np
from caffe import layers as L
from caffe import params as P
from caffe.coord_map import crop


def conv_relu(bottom, nout, ks=3, stride=1, pad=1):
    """The FCN repositories' pair of layers."""
    conv = L.Convolution(bottom, kernel_size=ks, stride=stride, num_output=nout, pad=pad, param=[dict(lr_mult=1), dict(lr_mult=2)])
    return conv, L.ReLU(conv, in_place=True)


def max_pool(bottom, ks=2, stride=2):
    """Halve the image."""
    return L.Pooling(bottom, pool=P.Pooling.MAX, kernel_size=ks, stride=stride)


def fcn():
    """A small FCN-4s."""
    n = caffe.NetSpec()
    n.data = L.Input(shape=[dict(dim=[1, 3, 50, 50])])
    n.conv1_1, n.relu1_1 = conv_relu(n.data, 8, pad=20)
    n.pool1 = max_pool(n.relu1_1)
    n.conv2_1, n.relu2_1 = conv_relu(n.pool1, 8)
    n.pool2 = max_pool(n.relu2_1)
    n.fc6, n.relu6 = conv_relu(n.pool2, 8, pad=0)
    n.score_fr = L.Convolution(n.fc6, num_output=5, kernel_size=1, pad=0)
    n.upscore2 = L.Deconvolution(n.score_fr, convolution_param=dict(num_output=5, kernel_size=4, stride=2, bias_term=False), param=[dict(lr_mult=0)])
    n.score_pool1 = L.Convolution(n.pool1, num_output=5, kernel_size=1, pad=0)
    n.score_pool1c = crop(n.score_pool1, n.upscore2)
    n.fuse = L.Eltwise(n.upscore2, n.score_pool1c, operation=P.Eltwise.SUM)
    n.upscore = L.Deconvolution(n.fuse, convolution_param=dict(num_output=5, kernel_size=4, stride=2, bias_term=False), param=[dict(lr_mult=0)])
    n.score = crop(n.upscore, n.data)
    return n.to_proto()


def upsample_filt(size):
    """A two-dimensional bilinear kernel."""
    factor = (size + 1) // 2
    center = factor - 1 if size % 2 == 1 else factor - 0.5
    og = np.ogrid[:size, :size]
    return (1 - abs(og[0] - center) / factor) * (1 - abs(og[1] - center) / factor)


def interp(net, layers):
    """Set the weights of deconvolutions to bilinear upsampling."""
    for layer in layers:
        m, k, h, w = net.params[layer][0].data.shape
        assert h == w and (m == k or k == 1)
        net.params[layer][0].data[range(m), range(k), :, :] = upsample_filt(h)


open("deploy.prototxt", "w").write(str(fcn()))
net = caffe.Net("deploy.prototxt", caffe.TEST)
interp(net, [k for k in net.params.keys() if "up" in k])
rng = np.random.RandomState(0)
for name in ("conv1_1", "conv2_1", "fc6", "score_fr", "score_pool1"):
    w = net.params[name][0].data
    w[...] = rng.randn(*w.shape) / np.sqrt(w[0].size)
for size in ((50, 50), (73, 41), (50, 66)):
    in_ = rng.rand(*size, 3).astype(np.float32)[:, :, ::-1]
    in_ -= np.array((0.4, 0.45, 0.48), dtype=np.float32)
    in_ = in_.transpose((2, 0, 1))
    net.blobs["data"].reshape(1, *in_.shape)
    net.blobs["data"].data[...] = in_
    net.forward()
    out = net.blobs["score"].data[0].argmax(axis=0)
    assert out.shape == size and set(np.unique(out)) <= set(range(5))
fuse, up = net.blobs["fuse"].data[0], net.blobs["upscore"].data[0]
assert np.allclose(up[:, 4, 6], 0.75 * 0.75 * fuse[:, 1, 2] + 0.75 * 0.25 * (fuse[:, 1, 3] + fuse[:, 2, 2]) + 0.25 * 0.25 * fuse[:, 2, 3], atol=1e-4)
