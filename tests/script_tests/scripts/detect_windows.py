"""caffe.Detector on windows of an image, with context, as python/detect.py uses it."""
from __future__ import annotations

import caffe
import numpy as np
from PIL import Image

NET = """
input: "data" input_shape { dim: 4 dim: 3 dim: 16 dim: 16 }
layer { name: "fc-rcnn" type: "InnerProduct" bottom: "data" top: "fc-rcnn" inner_product_param { num_output: 5 weight_filler { type: "xavier" } } }
"""
open("deploy.prototxt", "w").write(NET)
caffe.Net("deploy.prototxt", caffe.TEST).save("weights.caffemodel")
pixels = np.random.RandomState(0).randint(0, 255, (50, 60, 3)).astype(np.uint8)
Image.fromarray(pixels).save("im.png")
mean = np.array([104.0, 117.0, 123.0])
detector = caffe.Detector("deploy.prototxt", "weights.caffemodel", mean=mean, raw_scale=255.0, channel_swap=(2, 1, 0))
windows = np.array([[0, 0, 16, 16], [10, 5, 40, 50], [30, 20, 46, 36], [1, 2, 30, 20], [5, 5, 21, 21]])
found = detector.detect_windows([("im.png", windows)])
assert len(found) == 5 and all(f["filename"] == "im.png" for f in found)
crop = pixels[30:46, 20:36].astype(np.float32)[:, :, ::-1].transpose(2, 0, 1) - mean[:, None, None]
want = detector.params["fc-rcnn"][0].data @ crop.ravel()
assert np.allclose(found[2]["prediction"], want, atol=1e-2)
assert np.array_equal(found[2]["window"], windows[2])
padded = caffe.Detector("deploy.prototxt", "weights.caffemodel", mean=mean, raw_scale=255.0, channel_swap=(2, 1, 0), context_pad=4)
assert len(padded.detect_windows([("im.png", windows[:2]), ("im.png", windows[3:])])) == 4
