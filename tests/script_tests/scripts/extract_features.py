"""Features of a middle layer into an LMDB of datums, read back by a Data layer; forward(end=) and forward(start=)."""
from __future__ import annotations

import caffe
import lmdb
import numpy as np

DEPLOY = """
input: "data" input_shape { dim: 5 dim: 3 dim: 12 dim: 12 }
layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
        convolution_param { num_output: 4 kernel_size: 3 weight_filler { type: "xavier" } } }
layer { name: "relu1" type: "ReLU" bottom: "conv1" top: "conv1" }
layer { name: "pool5" type: "Pooling" bottom: "conv1" top: "pool5" pooling_param { kernel_size: 2 stride: 2 } }
layer { name: "fc7" type: "InnerProduct" bottom: "pool5" top: "fc7" inner_product_param { num_output: 6 weight_filler { type: "xavier" } } }
layer { name: "prob" type: "Softmax" bottom: "fc7" top: "prob" }
"""
READ = """
layer { name: "features" type: "Data" top: "features" top: "label" data_param { source: "features_lmdb" backend: LMDB batch_size: 4 } }
layer { name: "sum" type: "Reduction" bottom: "features" top: "sum" reduction_param { axis: 1 } }
"""
open("deploy.prototxt", "w").write(DEPLOY)
open("read.prototxt", "w").write(READ)
net = caffe.Net("deploy.prototxt", caffe.TEST)
images = np.random.RandomState(0).rand(10, 3, 12, 12).astype(np.float32)
features = []
env = lmdb.open("features_lmdb", map_size=int(1e8))
for start in range(0, 10, 5):
    net.blobs["data"].data[...] = images[start:start + 5]
    out = net.forward(end="pool5")
    assert list(out) == ["pool5"]
    with env.begin(write=True) as txn:
        for i, feature in enumerate(net.blobs["pool5"].data):
            datum = caffe.io.array_to_datum(feature.astype(float), start + i)
            txn.put(f"{start + i:0>10d}".encode("ascii"), datum.SerializeToString())
    features.append(net.blobs["pool5"].data.copy())
    rest = net.forward(start="fc7")["prob"].copy()
    assert np.allclose(net.forward_all(data=images[start:start + 5])["prob"], rest, atol=1e-6)
env.close()
features = np.concatenate(features)
with lmdb.open("features_lmdb", readonly=True) as env, env.begin() as txn:
    for key, value in txn.cursor():
        datum = caffe.proto.caffe_pb2.Datum()
        datum.ParseFromString(value)
        assert datum.label == int(key) and np.allclose(caffe.io.datum_to_array(datum), features[datum.label])
reader = caffe.Net("read.prototxt", caffe.TEST)
rows, labels = [], []
for _ in range(5):
    out = reader.forward()
    rows.append(out["sum"].copy())
    labels += reader.blobs["label"].data.astype(int).tolist()
assert labels == [i % 10 for i in range(20)]
assert np.allclose(np.concatenate(rows), np.tile(features.reshape(10, -1).sum(1), 2), rtol=1e-5)
both = net.forward(blobs=["conv1", "pool5"], end="fc7")
assert set(both) == {"fc7", "conv1", "pool5"} and both["conv1"].min() >= 0
