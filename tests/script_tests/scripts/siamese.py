"""Two branches with shared weights, their contrastive loss, and one branch alone as a feature extractor."""
from __future__ import annotations

import caffe
import numpy as np

BRANCH = """
layer {{ name: "conv1{0}" type: "Convolution" bottom: "data{0}" top: "conv1{0}" param {{ name: "conv1_w" lr_mult: 1 }} param {{ name: "conv1_b" }}
         convolution_param {{ num_output: 4 kernel_size: 5 weight_filler {{ type: "xavier" }} }} }}
layer {{ name: "pool1{0}" type: "Pooling" bottom: "conv1{0}" top: "pool1{0}" pooling_param {{ pool: MAX kernel_size: 2 stride: 2 }} }}
layer {{ name: "feat{0}" type: "InnerProduct" bottom: "pool1{0}" top: "feat{0}" param {{ name: "feat_w" }} param {{ name: "feat_b" }}
         inner_product_param {{ num_output: 2 weight_filler {{ type: "xavier" }} }} }}
"""
PAIRS = """
name: "mnist_siamese_train_test"
layer { name: "pair_data" type: "Input" top: "pair_data" top: "sim" input_param { shape { dim: 6 dim: 2 dim: 12 dim: 12 } shape { dim: 6 } } }
layer { name: "slice_pair" type: "Slice" bottom: "pair_data" top: "data" top: "data_p" slice_param { slice_dim: 1 slice_point: 1 } }
""" + BRANCH.format("") + BRANCH.format("_p") + """
layer { name: "loss" type: "ContrastiveLoss" bottom: "feat" bottom: "feat_p" bottom: "sim" top: "loss" contrastive_loss_param { margin: 1 } }
"""
DEPLOY = 'name: "mnist_siamese"\ninput: "data" input_dim: 6 input_dim: 1 input_dim: 12 input_dim: 12\n' + BRANCH.format("")
open("pairs.prototxt", "w").write(PAIRS)
open("deploy.prototxt", "w").write(DEPLOY)
caffe.set_random_seed(5)
net = caffe.Net("pairs.prototxt", caffe.TEST)
net.params["conv1"][0].data[...] *= 1.5
assert np.array_equal(net.params["conv1_p"][0].data, net.params["conv1"][0].data)
rng = np.random.RandomState(0)
pairs = rng.rand(6, 2, 12, 12).astype(np.float32)
pairs[0, 1] = pairs[0, 0]
sim = np.array([1, 0, 1, 0, 0, 1], np.float32)
out = net.forward(blobs=["feat", "feat_p"], pair_data=pairs, sim=sim)
a, b = out["feat"].astype(float), out["feat_p"].astype(float)
assert np.array_equal(a[0], b[0])
d2 = ((a - b) ** 2).sum(1)
want = np.where(sim > 0, d2, np.maximum(1 - np.sqrt(d2), 0) ** 2).sum() / 12
assert abs(float(out["loss"]) - want) < 1e-5
net.save("pairs.caffemodel")
single = caffe.Net("deploy.prototxt", "pairs.caffemodel", caffe.TEST)
scaled = single.forward_all(data=pairs[:, 1:])
assert np.allclose(scaled["feat"], b, atol=1e-6)
