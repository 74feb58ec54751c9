"""The SSD demo: a QR code in a picture. Argument: the data folder."""
from __future__ import annotations

import sys

import caffe
import cv2
import numpy as np

folder = sys.argv[1] + "/models/wechat_qrcode/"


class CaffeDetection:
    """The demo's class: prepares the image, keeps detections above a threshold."""

    def __init__(self, model_def, model_weights, image_resize):
        caffe.set_device(0)
        caffe.set_mode_gpu()
        self.image_resize = image_resize
        self.net = caffe.Net(model_def, model_weights, caffe.TEST)
        self.transformer = caffe.io.Transformer({"data": self.net.blobs["data"].data.shape})
        self.transformer.set_transpose("data", (2, 0, 1))

    def detect(self, image_file, conf_thresh=0.5, topn=5):
        """Rows of xmin, ymin, xmax, ymax, label, score in pixels."""
        self.net.blobs["data"].reshape(1, 1, self.image_resize, self.image_resize)
        image = caffe.io.load_image(image_file, color=False)
        self.net.blobs["data"].data[...] = self.transformer.preprocess("data", image)
        detections = self.net.forward()["detection_output"]
        det_label = detections[0, 0, :, 1]
        det_conf = detections[0, 0, :, 2]
        det_xmin, det_ymin, det_xmax, det_ymax = (detections[0, 0, :, k] for k in range(3, 7))
        result = []
        for i in [i for i, conf in enumerate(det_conf) if conf >= conf_thresh][:topn]:
            xmin, xmax = (int(round(v[i] * image.shape[1])) for v in (det_xmin, det_xmax))
            ymin, ymax = (int(round(v[i] * image.shape[0])) for v in (det_ymin, det_ymax))
            result.append([xmin, ymin, xmax, ymax, int(det_label[i]), det_conf[i]])
        return result


def overlap(a, b):
    """Intersection over union."""
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    inter = max(w, 0) * max(h, 0)
    return inter / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inter)


detection = CaffeDetection(folder + "detect.prototxt", folder + "detect.caffemodel", 384)
code = cv2.resize(cv2.QRCodeEncoder.create().encode("caffe"), (140, 140), interpolation=cv2.INTER_NEAREST)
for x, y in ((60, 180), (210, 40)):
    picture = np.full((384, 384), 200, np.uint8)
    picture[y:y + 140, x:x + 140] = code
    cv2.imwrite("code.png", cv2.resize(picture, (600, 450), interpolation=cv2.INTER_AREA))
    result = detection.detect("code.png")
    print(result)
    assert len(result) == 1 and result[0][4] == 1 and result[0][5] > 0.9
    assert overlap(result[0], [v * s for v, s in zip((x, y, x + 140, y + 140), (600 / 384, 450 / 384) * 2, strict=True)]) > 0.6
cv2.imwrite("empty.png", np.full((450, 600), 200, np.uint8))
assert detection.detect("empty.png") == []
empty = detection.net.blobs["detection_output"].data  # nothing found: Caffe answers with one row that says -1
assert empty.shape == (1, 1, 1, 7) and np.all(empty[0, 0, 0, 1:] == -1), empty
