"""MTCNN: three nets in a cascade, whose inputs change size and batch at every call. Argument: the data folder."""
from __future__ import annotations

import sys

import caffe
import numpy as np
from PIL import Image

model = sys.argv[1] + "/models/mtcnn/"
nets = [caffe.Net(model + f"det{i}.prototxt", model + f"det{i}.caffemodel", caffe.TEST) for i in (1, 2, 3)]


def nms(boxes, threshold):
    """Greedy; returns the indices kept."""
    x1, y1, x2, y2, s = boxes[:, :5].T
    area, order, pick = (x2 - x1 + 1) * (y2 - y1 + 1), s.argsort()[::-1], []
    while order.size:
        i, rest = order[0], order[1:]
        pick.append(i)
        inter = np.maximum(0, np.minimum(x2[i], x2[rest]) - np.maximum(x1[i], x1[rest]) + 1) * \
            np.maximum(0, np.minimum(y2[i], y2[rest]) - np.maximum(y1[i], y1[rest]) + 1)
        order = rest[inter / (area[i] + area[rest] - inter) <= threshold]
    return pick


def square(b):
    """Grow each box to a square round its centre."""
    side = np.maximum(b[:, 2] - b[:, 0], b[:, 3] - b[:, 1])
    corner = (b[:, :2] + b[:, 2:4]) / 2 - side[:, None] / 2
    return np.hstack([corner, corner + side[:, None], b[:, 4:]])


def patches(image, boxes, size):
    """Crops as the nets want them: (N, 3, width, height), for they were trained on transposed images."""
    rows = [image.crop(tuple(int(v) for v in b[:4])).resize((size, size), Image.BILINEAR) for b in boxes]
    return (np.array([np.asarray(r, np.float32) for r in rows]) - 127.5).transpose(0, 3, 2, 1) * 0.0078125


def refine(net, image, boxes, size, threshold):
    """Score the boxes with RNet or ONet and move them."""
    boxes = square(boxes)
    data = patches(image, boxes, size)
    net.blobs["data"].reshape(len(data), 3, size, size)
    net.blobs["data"].data[...] = data
    out = net.forward()
    score, shift = out["prob1"][:, 1], out["conv5-2" if size == 24 else "conv6-2"]
    assert out["prob1"].shape == (len(data), 2)
    keep = score > threshold
    wh = np.tile(boxes[keep, 2:4] - boxes[keep, :2], 2)
    moved = np.hstack([boxes[keep, :4] + shift[keep][:, [0, 1, 2, 3]] * wh, score[keep, None]])
    return moved[nms(moved, 0.7 if size == 24 else 0.5)]


image = Image.open(sys.argv[1] + "/models/ultraface/1.jpg").convert("RGB")
boxes, scale = [], 12.0 / 30
while min(image.size) * scale >= 12:
    ws, hs = int(np.ceil(image.width * scale)), int(np.ceil(image.height * scale))
    im = (np.asarray(image.resize((ws, hs), Image.BILINEAR), np.float32) - 127.5).transpose(2, 1, 0) * 0.0078125
    nets[0].blobs["data"].reshape(1, 3, ws, hs)
    nets[0].blobs["data"].data[...] = im
    out = nets[0].forward()
    score, reg = out["prob1"][0, 1], out["conv4-2"][0]
    xs, ys = np.where(score >= 0.6)
    b = np.stack([xs * 2, ys * 2, xs * 2 + 12, ys * 2 + 12], 1) / scale + reg[:, xs, ys].T * 12 / scale
    b = np.hstack([b, score[xs, ys][:, None]])
    boxes.extend(b[nms(b, 0.5)] if len(b) else [])
    scale *= 0.709
boxes = np.array(boxes)
boxes = boxes[nms(boxes, 0.7)]
boxes = refine(nets[1], image, boxes, 24, 0.7)
faces = refine(nets[2], image, boxes, 48, 0.7)
print(faces)
widths = faces[:, 2] - faces[:, 0]
assert len(faces) > 40 and np.median(faces[:, 4]) > 0.99 and 15 < widths.min() and widths.max() < 40, "a class photo"
assert nets[2].blobs["conv6-3"].data.shape[1] == 10
