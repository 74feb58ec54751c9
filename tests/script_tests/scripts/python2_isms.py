"""What scripts of Python 2 do with nets: indices into keys, iteritems, has_key, float shapes made whole, old spellings."""
from __future__ import annotations

import caffe
import numpy as np

NET = """
input: "data" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8
layer { name: "conv" type: "Convolution" bottom: "data" top: "conv"
        convolution_param { num_output: 2 kernel_size: 3 weight_filler { type: "xavier" } } }
layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool" pooling_param { pool: AVE global_pooling: true } }
"""
open("net.prototxt", "w").write(NET)
net = caffe.Net("net.prototxt", caffe.TEST)
assert net.blobs.keys()[0] == "data" and net.blobs.keys()[-1] == "pool" and net.blobs.keys()[:2] == ["data", "conv"]
assert net.params.keys()[0] == "conv" and net.params.values()[0][0].data.shape == (2, 3, 3, 3) and net.blobs.items()[1][0] == "conv"
assert [k for k, v in net.params.iteritems()] == ["conv"] and [len(v) for v in net.params.itervalues()] == [2]
assert net.blobs.has_key("pool") and not net.params.has_key("pool") and "conv" in net.params
shapes = [(k, v.data.shape) for k, v in net.blobs.items()]
assert shapes[2] == ("pool", (1, 2, 1, 1)) and len(net.blobs) == 3
in_, out_ = net.inputs[0], net.outputs[0]
net.blobs[in_].reshape(2, 3, 16 / 2, 8)
net.blobs[in_].data[...] = np.ones((2, 3, 8, 8), dtype=np.float64)
first = net.forward()[out_].copy()
assert net.blobs[net.blobs.keys()[-1]].data.shape == (2, 2, 1, 1)
assert np.allclose(first[0], first[1])
assert (net.blobs[in_].num, net.blobs[in_].channels, net.blobs[in_].height, net.blobs[in_].width) == (2, 3, 8, 8)
assert list(net._layer_names) == ["input", "conv", "pool"] or list(net._layer_names)[-2:] == ["conv", "pool"]
assert list(net._blob_names) == ["data", "conv", "pool"]
for i, layer in enumerate(net.layers):
    print(i, net._layer_names[i], layer.type, [b.data.shape for b in layer.blobs])
assert sum(p[0].data.size + p[1].data.size for p in net.params.itervalues()) == 56
zeroed = net.params["conv"]
zeroed[0].data[...] = 0
zeroed[1].data[:] = [1, 2]
assert net.forward()[out_].ravel().tolist() == [1, 2, 1, 2]
