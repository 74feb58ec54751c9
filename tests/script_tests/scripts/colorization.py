"""Colourful image colourisation: cluster centres set as weights of a 1x1 convolution, lightness in, ab channels out."""
from __future__ import annotations

import caffe
import numpy as np

NET = """
name: "LtoAB"
layer { name: "img_l" type: "Input" top: "data_l" input_param { shape { dim: 1 dim: 1 dim: 32 dim: 32 } } }
layer { name: "bw_conv1_1" type: "Convolution" bottom: "data_l" top: "conv1_1"
        convolution_param { num_output: 8 pad: 1 kernel_size: 3 stride: 2 weight_filler { type: "msra" } } }
layer { name: "relu1_1" type: "ReLU" bottom: "conv1_1" top: "conv1_1" }
layer { name: "conv1_1norm" type: "BatchNorm" bottom: "conv1_1" top: "conv1_1norm" batch_norm_param { } param { lr_mult: 0 decay_mult: 0 }
        param { lr_mult: 0 } param { lr_mult: 0 } }
layer { name: "conv5" type: "Convolution" bottom: "conv1_1norm" top: "conv5"
        convolution_param { num_output: 8 pad: 2 kernel_size: 3 dilation: 2 weight_filler { type: "msra" } } }
layer { name: "conv8_1" type: "Deconvolution" bottom: "conv5" top: "conv8_1"
        convolution_param { num_output: 8 kernel_size: 4 pad: 1 stride: 2 weight_filler { type: "xavier" } } }
layer { name: "conv8_313" type: "Convolution" bottom: "conv8_1" top: "conv8_313"
        convolution_param { num_output: 13 kernel_size: 1 weight_filler { type: "msra" } } }
layer { name: "conv8_313_rh" type: "Scale" bottom: "conv8_313" top: "conv8_313_rh"
        scale_param { bias_term: false filler { type: "constant" value: 2.606 } } }
layer { name: "class8_313_rh" type: "Softmax" bottom: "conv8_313_rh" top: "class8_313_rh" }
layer { name: "class8_ab" type: "Convolution" bottom: "class8_313_rh" top: "class8_ab" convolution_param { num_output: 2 kernel_size: 1 } }
"""
open("colorization_deploy.prototxt", "w").write(NET)
np.random.seed(0)
net = caffe.Net("colorization_deploy.prototxt", caffe.TEST)
net.params["conv1_1norm"][1].data[...] = 1000  # statistics of such inputs
net.params["conv1_1norm"][2].data[...] = 1
(H_in, W_in) = net.blobs["data_l"].data.shape[2:]
(H_out, W_out) = net.blobs["class8_ab"].data.shape[2:]
assert (H_in, W_in) == (H_out, W_out) == (32, 32)
pts_in_hull = np.random.RandomState(0).uniform(-90, 90, (13, 2))
net.params["class8_ab"][0].data[:, :, 0, 0] = pts_in_hull.transpose((1, 0))
assert np.allclose(net.params["class8_ab"][0].data[1, :, 0, 0], pts_in_hull[:, 1], atol=1e-4)
img_l_rs = np.random.RandomState(1).uniform(0, 100, (32, 32))
net.blobs["data_l"].data[0, 0, :, :] = img_l_rs - 50
net.forward()
ab_dec = net.blobs["class8_ab"].data[0, :, :, :].transpose((1, 2, 0))
p = net.blobs["class8_313_rh"].data[0].transpose(1, 2, 0)
assert np.allclose(p.sum(2), 1, atol=1e-5)
assert np.allclose(ab_dec, p @ pts_in_hull, atol=1e-3)
logits = 2.606 * net.blobs["conv8_313"].data
assert np.allclose(net.blobs["conv8_313_rh"].data, logits, rtol=0, atol=1e-5 * np.abs(logits).max())
