"""The test loop of py-faster-rcnn: images of other sizes, im_info, a proposal layer in Python whose number of boxes changes."""
from __future__ import annotations

import os
import sys

import caffe
import numpy as np

NET = """
name: "tiny_faster_rcnn"
input: "data" input_shape { dim: 1 dim: 3 dim: 224 dim: 224 }
input: "im_info" input_shape { dim: 1 dim: 3 }
layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1"
        convolution_param { num_output: 8 kernel_size: 8 stride: 8 weight_filler { type: "msra" } } }
layer { name: "relu1" type: "ReLU" bottom: "conv1" top: "conv1" }
layer { name: "rpn_cls" type: "Convolution" bottom: "conv1" top: "rpn_cls"
        convolution_param { num_output: 1 kernel_size: 1 weight_filler { type: "xavier" } } }
layer { name: "proposal" type: "Python" bottom: "rpn_cls" bottom: "im_info" top: "rois"
        python_param { module: "proposal_layer" layer: "ProposalLayer" param_str: "{'feat_stride': 8, 'keep': 6}" } }
layer { name: "roi_pool5" type: "ROIPooling" bottom: "conv1" bottom: "rois" top: "pool5"
        roi_pooling_param { pooled_w: 3 pooled_h: 3 spatial_scale: 0.125 } }
layer { name: "cls_score" type: "InnerProduct" bottom: "pool5" top: "cls_score"
        inner_product_param { num_output: 3 weight_filler { type: "gaussian" std: 0.01 } } }
layer { name: "bbox_pred" type: "InnerProduct" bottom: "pool5" top: "bbox_pred"
        inner_product_param { num_output: 12 weight_filler { type: "gaussian" std: 0.001 } } }
layer { name: "cls_prob" type: "Softmax" bottom: "cls_score" top: "cls_prob" }
"""
LAYER = '''
import ast
import caffe
import numpy as np


class ProposalLayer(caffe.Layer):
    def setup(self, bottom, top):
        layer_params = ast.literal_eval(self.param_str_)
        self._feat_stride, self._keep = layer_params["feat_stride"], layer_params["keep"]
        top[0].reshape(1, 5)

    def forward(self, bottom, top):
        assert bottom[0].data.shape[0] == 1, "Only single item batches are supported"
        key = str("TRAIN" if self.phase == 0 else "TEST")
        assert key == "TEST"
        scores = bottom[0].data[0, 0]
        im_info = bottom[1].data[0, :]
        n = min(self._keep, int(im_info[0]) // 16)
        best = scores.ravel().argsort()[::-1][:n]
        ys, xs = np.unravel_index(best, scores.shape)
        boxes = np.stack([xs, ys, xs + 3, ys + 3], 1) * self._feat_stride
        boxes = np.minimum(boxes, [im_info[1] - 1, im_info[0] - 1] * 2)
        blob = np.hstack((np.zeros((n, 1)), boxes)).astype(np.float32, copy=False)
        top[0].reshape(*(blob.shape))
        top[0].data[...] = blob

    def backward(self, top, propagate_down, bottom):
        pass

    def reshape(self, bottom, top):
        """Reshaping happens during the call to forward."""
        pass
'''
open("test.prototxt", "w").write(NET)
open("proposal_layer.py", "w").write(LAYER)
sys.path.insert(0, os.getcwd())
net = caffe.Net("test.prototxt", caffe.TEST)
net.name = "tiny"
rng = np.random.RandomState(0)
seen = set()
for h, w in ((96, 64), (64, 128), (200, 160), (48, 48), (96, 64)):
    blobs = {"data": rng.rand(1, 3, h, w), "im_info": np.array([[h, w, 1.6]], dtype=np.float32)}
    net.blobs["data"].reshape(*(blobs["data"].shape))
    net.blobs["im_info"].reshape(*(blobs["im_info"].shape))
    forward_kwargs = {"data": blobs["data"].astype(np.float32, copy=False)}
    forward_kwargs["im_info"] = blobs["im_info"].astype(np.float32, copy=False)
    blobs_out = net.forward(**forward_kwargs)
    rois = net.blobs["rois"].data.copy()
    n = min(6, h // 16)
    assert rois.shape == (n, 5) and net.blobs["pool5"].data.shape == (n, 8, 3, 3)
    assert blobs_out["cls_prob"].shape == (n, 3) and blobs_out["bbox_pred"].shape == (n, 12)
    assert np.allclose(blobs_out["cls_prob"].sum(1), 1, atol=1e-5)
    boxes = rois[:, 1:5] / 1.6
    assert boxes.max() < max(h, w)
    seen.add(n)
    feature = net.blobs["conv1"].data
    x1, y1, x2, y2 = (int(round(v / 8)) for v in rois[0, 1:])
    patch = feature[0, :, y1:y2 + 1, x1:x2 + 1]
    assert np.allclose(net.blobs["pool5"].data[0].max(axis=(1, 2)), patch.max(axis=(1, 2)), atol=1e-6)
assert seen == {6, 4, 3}
