"""Brewing logistic regression, as far as it does not train: HDF5 data, nets from NetSpec, accuracy of weights that are set by hand."""
from __future__ import annotations

import os

import caffe
import h5py
import numpy as np
from caffe import layers as L
from caffe import params as P

rng = np.random.RandomState(3)
direction = np.array([1.0, -2.0, 0.5, 3.0])
X = rng.randn(250, 4).astype(np.float32)
y = (X @ direction + 0.2 > 0).astype(np.float32)
dirname = os.path.abspath("hdf5")
os.makedirs(dirname)
with h5py.File(os.path.join(dirname, "train.h5"), "w") as f:
    f["data"] = X
    f["label"] = y
comp_kwargs = {"compression": "gzip", "compression_opts": 1}
with h5py.File(os.path.join(dirname, "test.h5"), "w") as f:
    f.create_dataset("data", data=X[:100], **comp_kwargs)
    f.create_dataset("label", data=y[:100], **comp_kwargs)
for part in ("train", "test"):
    with open(os.path.join(dirname, part + ".txt"), "w") as f:
        f.write(os.path.join(dirname, part + ".h5") + "\n")


def logreg(hdf5, batch_size):
    """Logistic regression: data, matrix multiplication, and 2-class softmax loss."""
    n = caffe.NetSpec()
    n.data, n.label = L.HDF5Data(batch_size=batch_size, source=hdf5, ntop=2)
    n.ip1 = L.InnerProduct(n.data, num_output=2, weight_filler=dict(type="xavier"))
    n.accuracy = L.Accuracy(n.ip1, n.label)
    n.loss = L.SoftmaxWithLoss(n.ip1, n.label)
    return n.to_proto()


def nonlinear(hdf5, batch_size):
    """One small nonlinearity more."""
    n = caffe.NetSpec()
    n.data, n.label = L.HDF5Data(batch_size=batch_size, source=hdf5, ntop=2)
    n.ip1 = L.InnerProduct(n.data, num_output=40, weight_filler=dict(type="xavier"))
    n.relu1 = L.ReLU(n.ip1, in_place=True)
    n.ip2 = L.InnerProduct(n.ip1, num_output=2, weight_filler=dict(type="xavier"))
    n.acc = L.Accuracy(n.ip2, n.label)
    n.loss = L.SoftmaxWithLoss(n.ip2, n.label, loss_param=dict(normalization=P.Loss.VALID))
    return n.to_proto()


with open("logreg.prototxt", "w") as f:
    f.write(str(logreg("hdf5/test.txt", 10)))
net = caffe.Net("logreg.prototxt", caffe.TEST)
net.params["ip1"][0].data[...] = [-direction, direction]
net.params["ip1"][1].data[...] = [-0.2, 0.2]
accuracy = 0
losses = []
for _ in range(10):
    out = net.forward()
    accuracy += out["accuracy"]
    losses.append(float(out["loss"]))
assert accuracy / 10 == 1.0
score = 2 * (X[:100] @ direction + 0.2) * np.where(y[:100] > 0, 1, -1)
assert abs(np.mean(losses) - np.log1p(np.exp(-score)).mean()) < 1e-4
net.forward()  # round again from the first row
assert np.array_equal(net.blobs["data"].data, X[:10]) and np.array_equal(net.blobs["label"].data, y[:10])
with open("nonlinear.prototxt", "w") as f:
    f.write(str(nonlinear("hdf5/train.txt", 25)))
net = caffe.Net("nonlinear.prototxt", caffe.TEST)
accs = [float(net.forward()["acc"]) for _ in range(10)]
assert all(0 <= a <= 1 for a in accs) and net.blobs["ip1"].data.min() == 0
