"""Nets written with NetSpec, the functional form, and prototxts edited through protobuf."""
from __future__ import annotations

import caffe
import google.protobuf.text_format as txtf
import numpy as np
from caffe import layers as L
from caffe import params as P
from caffe.proto import caffe_pb2
from google.protobuf import text_format


def lenet(batch_size):
    """The LeNet of the learning notebook."""
    n = caffe.NetSpec()
    n.data, n.label = L.DummyData(shape=[dict(dim=[batch_size, 1, 28, 28]), dict(dim=[batch_size])], transform_param=dict(scale=1.0 / 255), ntop=2)
    n.conv1 = L.Convolution(n.data, kernel_size=5, num_output=20, weight_filler=dict(type="xavier"))
    n.pool1 = L.Pooling(n.conv1, kernel_size=2, stride=2, pool=P.Pooling.MAX)
    n.conv2 = L.Convolution(n.pool1, kernel_size=5, num_output=50, weight_filler=dict(type="xavier"))
    n.pool2 = L.Pooling(n.conv2, kernel_size=2, stride=2, pool=P.Pooling.MAX)
    n.fc1 = L.InnerProduct(n.pool2, num_output=500, weight_filler=dict(type="xavier"))
    n.relu1 = L.ReLU(n.fc1, in_place=True)
    n.score = L.InnerProduct(n.relu1, num_output=10, weight_filler=dict(type="xavier"))
    n.loss = L.SoftmaxWithLoss(n.score, n.label)
    return n.to_proto()


def anon_lenet(batch_size):
    """Without names."""
    data, label = L.DummyData(shape=[dict(dim=[batch_size, 1, 28, 28]), dict(dim=[batch_size, 1, 1, 1])], ntop=2)
    conv1 = L.Convolution(data, kernel_size=5, num_output=20, weight_filler=dict(type="xavier"))
    loss = L.SoftmaxWithLoss(L.InnerProduct(conv1, num_output=10), label)
    return caffe.to_proto(loss)


weight_param = dict(lr_mult=1, decay_mult=1)
n = caffe.NetSpec()
n.data = L.Input(input_param=dict(shape=dict(dim=[2, 3, 9, 9])))
n["conv/a"] = L.Convolution(n.data, kernel_size=[3], num_output=4, param=[weight_param, dict(lr_mult=2)], engine=P.Convolution.CAFFE)
n.bn = L.BatchNorm(n["conv/a"], in_place=True, use_global_stats=True)
n.scale = L.Scale(n.bn, scale_param=dict(bias_term=True), in_place=True)
n.a, n.b = L.Split(n.scale, ntop=2)
n.sum = L.Eltwise(n.a, n.b, operation=P.Eltwise.SUM, coeff=[1, -1])
n.cat = L.Concat(n.a, n.sum, axis=1)
n.silent = L.Silence(n.b, ntop=0)
message = n.to_proto()
text = str(message)
assert 'type: "Convolution"' in text and message.layer[1].param[1].lr_mult == 2 and message.layer[1].convolution_param.kernel_size == [3]
parsed = caffe_pb2.NetParameter()
text_format.Merge(text, parsed)
assert parsed == message
parsed.name = "edited"
parsed.layer[0].input_param.shape[0].dim[:] = [1, 3, 21, 21]
with open("edited.prototxt", "w") as f:
    f.write(txtf.MessageToString(parsed))
net = caffe.Net("edited.prototxt", caffe.TEST)
assert net.name == "edited" and net.blobs["cat"].data.shape == (1, 8, 19, 19)
assert np.all(net.forward()["cat"][:, 4:] == 0)
with open("lenet.prototxt", "w") as f:
    f.write(str(lenet(4)))
net = caffe.Net("lenet.prototxt", caffe.TEST)
net.blobs["label"].data[...] = [1, 2, 3, 9]
net.blobs["data"].data[...] = np.random.RandomState(0).rand(4, 1, 28, 28)
out = net.forward()
score = net.blobs["score"].data.astype(float)
logp = score - np.log(np.exp(score).sum(1, keepdims=True))
assert abs(float(out["loss"]) + logp[range(4), [1, 2, 3, 9]].mean()) < 1e-5
with open("anon.prototxt", "w") as f:
    f.write(str(anon_lenet(4)))
assert abs(float(caffe.Net("anon.prototxt", caffe.TEST).forward()["SoftmaxWithLoss1"]) - np.log(10)) < 1e-4
