"""The classification walk-through: SqueezeNet on a photograph, features and filters looked at. Argument: the data folder."""
from __future__ import annotations

import sys

import caffe
import numpy as np

data = sys.argv[1]
caffe.set_mode_cpu()
model = data + "/models/squeezenet_v1.1/"
net = caffe.Net(model + "deploy.prototxt", model + "squeezenet_v1.1.caffemodel", caffe.TEST)

blob = caffe.proto.caffe_pb2.BlobProto()
blob.ParseFromString(open(data + "/imagenet1000/ilsvrc_2012_mean.binaryproto", "rb").read())
mu = caffe.io.blobproto_to_array(blob)[0].mean(1).mean(1)
assert np.all(np.abs(mu - [104.0, 116.7, 122.7]) < 0.5), mu

transformer = caffe.io.Transformer({"data": net.blobs["data"].data.shape})
transformer.set_transpose("data", (2, 0, 1))
transformer.set_mean("data", mu)
transformer.set_raw_scale("data", 255)
transformer.set_channel_swap("data", (2, 1, 0))

net.blobs["data"].reshape(3, 3, 227, 227)
labels = np.loadtxt(data + "/imagenet1000/synset_words.txt", str, delimiter="\t")
rows = [line.split() for line in open(data + "/imagenet1000/val.txt")]
hits = 0
for path, truth in rows[1:300:40]:
    image = caffe.io.load_image(data + "/imagenet1000/img/" + path)
    net.blobs["data"].data[...] = transformer.preprocess("data", image)
    output = net.forward()
    output_prob = output["prob"][0].ravel()
    top_inds = output_prob.argsort()[::-1][:5]
    print(labels[top_inds[0]], output_prob[top_inds[0]])
    hits += int(truth) in top_inds
    assert abs(output_prob.sum() - 1) < 1e-4
    assert np.array_equal(output["prob"][0], output["prob"][2])
assert hits >= 6, hits

for layer_name, b in net.blobs.items():
    print(layer_name + "\t" + str(b.data.shape))
for layer_name, param in net.params.items():
    print(layer_name + "\t" + str(param[0].data.shape), str(param[1].data.shape))
filters = net.params["conv1"][0].data
assert filters.shape == (64, 3, 3, 3)
tiles = filters.transpose(0, 2, 3, 1)
tiles = (tiles - tiles.min()) / (tiles.max() - tiles.min())
n = int(np.ceil(np.sqrt(tiles.shape[0])))
tiles = np.pad(tiles, ((0, n ** 2 - tiles.shape[0]), (0, 1), (0, 1), (0, 0)), mode="constant", constant_values=1)
tiles = tiles.reshape((n, n, *tiles.shape[1:])).transpose((0, 2, 1, 3, *range(4, tiles.ndim + 1)))
assert tiles.reshape((n * tiles.shape[1], n * tiles.shape[3], *tiles.shape[4:])).shape == (32, 32, 3)
feat = net.blobs["pool10"].data[0]
assert feat.shape[0] == 1000 and feat.flat[:].size == 1000
restored = transformer.deprocess("data", net.blobs["data"].data[0])
assert restored.shape == (227, 227, 3) and abs(restored - caffe.io.resize_image(image, (227, 227))).max() < 1e-4
