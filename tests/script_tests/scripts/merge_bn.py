"""Folding BatchNorm and Scale into convolutions, as MobileNet scripts do, with both nets giving the same scores."""
from __future__ import annotations

import caffe
import numpy as np
from google.protobuf import text_format

NET = 'input: "data" input_shape { dim: 1 dim: 3 dim: 16 dim: 16 }\n'
for i, (bottom, group, nout, k) in enumerate((("data", 1, 8, 3), ("conv0", 8, 8, 3), ("conv1", 1, 12, 1))):
    NET += f"""
layer {{ name: "conv{i}" type: "Convolution" bottom: "{bottom}" top: "conv{i}"
        convolution_param {{ num_output: {nout} kernel_size: {k} pad: {k // 2} group: {group} bias_term: false weight_filler {{ type: "msra" }} }} }}
layer {{ name: "conv{i}/bn" type: "BatchNorm" bottom: "conv{i}" top: "conv{i}" batch_norm_param {{ use_global_stats: true eps: 1e-5 }} }}
layer {{ name: "conv{i}/scale" type: "Scale" bottom: "conv{i}" top: "conv{i}" scale_param {{ bias_term: true }} }}
layer {{ name: "relu{i}" type: "ReLU" bottom: "conv{i}" top: "conv{i}" }}
"""
open("train.prototxt", "w").write(NET)
net = caffe.Net("train.prototxt", caffe.TEST)
rng = np.random.RandomState(0)
for name in net.params:
    if name.endswith("/bn"):
        net.params[name][0].data[...] = rng.randn(*net.params[name][0].data.shape)
        net.params[name][1].data[...] = rng.rand(*net.params[name][1].data.shape) + 0.5
        net.params[name][2].data[...] = 2
    elif name.endswith("/scale"):
        net.params[name][0].data[...] = rng.randn(*net.params[name][0].data.shape)
        net.params[name][1].data[...] = rng.randn(*net.params[name][1].data.shape)

message = caffe.proto.caffe_pb2.NetParameter()
text_format.Merge(open("train.prototxt").read(), message)
merged = caffe.proto.caffe_pb2.NetParameter()
merged.CopyFrom(message)
del merged.layer[:]
for layer in message.layer:
    if layer.type in ("BatchNorm", "Scale"):
        continue
    new = merged.layer.add()
    new.CopyFrom(layer)
    if layer.type == "Convolution":
        new.convolution_param.bias_term = True
open("deploy.prototxt", "w").write(text_format.MessageToString(merged))
deploy = caffe.Net("deploy.prototxt", caffe.TEST)
for key in deploy.params.keys():
    w = net.params[key][0].data
    mean, var, factor = (b.data for b in net.params[key + "/bn"])
    gamma, beta = (b.data for b in net.params[key + "/scale"])
    rstd = gamma / np.sqrt(var / factor[0] + 1e-5)
    deploy.params[key][0].data[...] = w * rstd.reshape(-1, 1, 1, 1)
    deploy.params[key][1].data[...] = beta - mean / factor[0] * rstd
deploy.save("deploy.caffemodel")
x = rng.rand(1, 3, 16, 16)
a, b = net.forward(data=x), deploy.forward(data=x)
assert a["conv2"].max() > 0 and np.allclose(a["conv2"], b["conv2"], rtol=1e-4, atol=1e-4)
