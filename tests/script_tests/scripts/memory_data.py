"""MemoryData: arrays given with set_input_arrays, batch by batch."""
from __future__ import annotations

import caffe
import numpy as np

NET = """
layer { name: "data" type: "MemoryData" top: "data" top: "label" memory_data_param { batch_size: 4 channels: 2 height: 3 width: 3 } }
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }
layer { name: "accuracy" type: "Accuracy" bottom: "ip" bottom: "label" top: "accuracy" }
"""
open("net.prototxt", "w").write(NET)
net = caffe.Net("net.prototxt", caffe.TEST)
x = np.random.RandomState(0).rand(12, 2, 3, 3).astype(np.float32)
w, b = net.params["ip"][0].data, net.params["ip"][1].data
labels = (x.reshape(12, -1) @ w.T + b).argmax(1).astype(np.float32)
labels[5] = (labels[5] + 1) % 3
net.set_input_arrays(x, labels)
accuracies = []
for i in range(4):
    out = net.forward()
    at = 4 * i % 12
    assert np.array_equal(net.blobs["data"].data, x[at:at + 4])
    assert np.array_equal(net.blobs["label"].data.ravel(), labels[at:at + 4])
    accuracies.append(float(out["accuracy"]))
assert accuracies == [1.0, 0.75, 1.0, 1.0]
for bad in ((x[:5], labels[:5]), (x.astype(np.float64), labels), (x[:, :1], labels), (x, labels[:4])):
    try:
        net.set_input_arrays(*bad)
    except Exception as e:
        assert len(str(e)) > 20
    else:
        raise AssertionError("an array that does not fit was taken")
net.set_input_arrays(x[4:8].copy(), labels[4:8].copy())
assert float(net.forward()["accuracy"]) == 0.75
