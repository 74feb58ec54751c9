"""Recurrent nets: a sequence at once and step by step with `cont`, greedy captions, and a CRNN's greedy decoding."""
from __future__ import annotations

import caffe
import numpy as np

CAPTION = """
name: "lrcn"
input: "cont_sentence" input_shape { dim: 1 dim: 2 }
input: "input_sentence" input_shape { dim: 1 dim: 2 }
input: "image_features" input_shape { dim: 2 dim: 5 }
layer { name: "embedding" type: "Embed" bottom: "input_sentence" top: "embedded_input_sentence"
        embed_param { bias_term: false input_dim: 11 num_output: 7 weight_filler { type: "uniform" min: -1 max: 1 } } }
layer { name: "lstm1" type: "LSTM" bottom: "embedded_input_sentence" bottom: "cont_sentence" bottom: "image_features" top: "lstm1"
        recurrent_param { num_output: 9 weight_filler { type: "uniform" min: -0.8 max: 0.8 } } }
layer { name: "predict" type: "InnerProduct" bottom: "lstm1" top: "predict"
        inner_product_param { num_output: 11 axis: 2 weight_filler { type: "uniform" min: -1 max: 1 } } }
layer { name: "probs" type: "Softmax" bottom: "predict" top: "probs" softmax_param { axis: 2 } }
"""
CRNN = """
name: "crnn"
input: "data" input_shape { dim: 1 dim: 1 dim: 8 dim: 40 }
input: "indicators" input_shape { dim: 20 dim: 1 }
layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
        convolution_param { num_output: 6 kernel_h: 8 kernel_w: 2 stride_h: 1 stride_w: 2 weight_filler { type: "xavier" } } }
layer { name: "permute" type: "Permute" bottom: "conv1" top: "permuted" permute_param { order: 3 order: 0 order: 1 order: 2 } }
layer { name: "flat" type: "Reshape" bottom: "permuted" top: "seq" reshape_param { shape { dim: 0 dim: 0 dim: -1 } } }
layer { name: "lstm" type: "LSTM" bottom: "seq" bottom: "indicators" top: "lstm"
        recurrent_param { num_output: 5 weight_filler { type: "uniform" min: -1 max: 1 } } }
layer { name: "fc" type: "InnerProduct" bottom: "lstm" top: "fc" inner_product_param { num_output: 4 axis: 2 weight_filler { type: "xavier" } } }
layer { name: "prob" type: "Softmax" bottom: "fc" top: "prob" softmax_param { axis: 2 } }
"""
open("caption.prototxt", "w").write(CAPTION)
open("crnn.prototxt", "w").write(CRNN)
net = caffe.Net("caption.prototxt", caffe.TEST)
features = np.random.RandomState(0).rand(2, 5).astype(np.float32)
words = np.zeros((1, 2), np.float32)
fed, stepwise = [], []
for t in range(6):
    cont = np.ones((1, 2), np.float32) * (t > 0)
    out = net.forward(image_features=features, cont_sentence=cont, input_sentence=words)
    fed.append(words.copy())
    stepwise.append(out["probs"][0].copy())
    words = out["probs"].argmax(axis=2).astype(np.float32)
open("whole.prototxt", "w").write(CAPTION.replace("dim: 1 dim: 2 }", "dim: 6 dim: 2 }"))
whole = caffe.Net("whole.prototxt", caffe.TEST)
whole.share_with(net)
cont = np.ones((6, 2), np.float32)
cont[0] = 0
out = whole.forward(image_features=features, cont_sentence=cont, input_sentence=np.concatenate(fed))
assert np.allclose(out["probs"], stepwise, atol=1e-5)
again = net.forward(image_features=features, cont_sentence=np.zeros((1, 2), np.float32), input_sentence=fed[0])["probs"]
assert np.allclose(again[0], stepwise[0], atol=1e-6)

net = caffe.Net("crnn.prototxt", caffe.TEST)
T = 20
for n in (1, 3, 1):  # the number of steps is fixed in Caffe, the batch is not
    net.blobs["data"].reshape(n, 1, 8, 40)
    net.blobs["indicators"].reshape(T, n)
    net.reshape()
    net.blobs["data"].data[...] = np.random.RandomState(n).rand(n, 1, 8, 40)
    net.blobs["indicators"].data[...] = 1
    net.blobs["indicators"].data[0] = 0
    best = net.forward()["prob"].argmax(axis=2)[:, 0]
    assert net.blobs["prob"].data.shape == (T, n, 4)
    decoded = [int(c) for i, c in enumerate(best) if c != 3 and (i == 0 or c != best[i - 1])]
    assert len(decoded) <= T
