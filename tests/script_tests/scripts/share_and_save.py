"""save, save_hdf5, copy_from over several files, share_with, weights edited through protobuf, partly matching names."""
from __future__ import annotations

import caffe
import numpy as np
from caffe.proto import caffe_pb2

NET = """
name: "base"
input: "data" input_shape { dim: 1 dim: 4 }
layer { name: "fc1" type: "InnerProduct" bottom: "data" top: "fc1" inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
layer { name: "fc2" type: "InnerProduct" bottom: "fc1" top: "fc2" inner_product_param { num_output: 2 weight_filler { type: "xavier" } } }
"""
open("base.prototxt", "w").write(NET)
open("tuned.prototxt", "w").write(NET.replace('"fc2"', '"fc2_new"').replace("num_output: 2", "num_output: 7"))
base = caffe.Net("base.prototxt", caffe.TEST)
base.save("base.caffemodel")
base.save_hdf5("base.caffemodel.h5")
tuned = caffe.Net("tuned.prototxt", "base.caffemodel", caffe.TEST)
assert np.array_equal(tuned.params["fc1"][0].data, base.params["fc1"][0].data) and tuned.params["fc2_new"][0].data.std() > 0

message = caffe_pb2.NetParameter()
with open("base.caffemodel", "rb") as f:
    message.MergeFromString(f.read())
table = {layer.name: [np.array(b.data).reshape(*b.shape.dim) for b in layer.blobs] for layer in message.layer if layer.blobs}
assert sorted(table) == ["fc1", "fc2"] and np.array_equal(table["fc2"][0].astype(np.float32), base.params["fc2"][0].data)
for layer in message.layer:
    if layer.name == "fc1":
        layer.blobs[0].data[:] = [2.0] * 12
        del layer.blobs[1].data[:]
        layer.blobs[1].data.extend([0.5, 0.5, 0.5])
with open("edited.caffemodel", "wb") as f:
    f.write(message.SerializeToString())
edited = caffe.Net("base.prototxt", "edited.caffemodel", caffe.TEST)
assert edited.forward(blobs=["fc1"], data=np.ones((1, 4)))["fc1"].tolist() == [[8.5, 8.5, 8.5]]
edited.copy_from("base.caffemodel.h5")
x = np.random.RandomState(0).rand(1, 4)
assert np.array_equal(edited.forward(data=x)["fc2"], base.forward(data=x)["fc2"])

net = caffe.Net("base.prototxt", caffe.TEST)
net.share_with(base)
base.params["fc2"][1].data[...] = [10, 20]
assert np.array_equal(net.forward(data=x)["fc2"], base.forward(data=x)["fc2"]) and net.blobs["fc2"].data.max() > 5
for wrong in ("missing.caffemodel", "tuned.prototxt"):
    try:
        caffe.Net("base.prototxt", wrong, caffe.TEST)
    except RuntimeError as e:
        assert wrong in str(e)
    else:
        raise AssertionError(wrong)
open("wide.prototxt", "w").write(NET.replace("num_output: 3", "num_output: 5"))
try:
    caffe.Net("wide.prototxt", "base.caffemodel", caffe.TEST)
except RuntimeError as e:
    assert "fc1" in str(e) and "5" in str(e) and "3" in str(e)
else:
    raise AssertionError("weights of another shape were taken")
