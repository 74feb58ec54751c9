"""Classify the demo's pictures with pycaffe's API.

  python examples/classify.py
"""
from __future__ import annotations

from pathlib import Path

import numpy as np

import pycaffe_acc as caffe

DEMO = Path(caffe.__file__).parent / "demo_data"


def main() -> None:
    """Show the two best classes of the first pictures."""
    net = caffe.Net(str(DEMO / "deploy.prototxt"), caffe.TEST, weights=str(DEMO / "digits.caffemodel"))
    transformer = caffe.io.Transformer({"data": net.blobs["data"].data.shape})
    transformer.set_transpose("data", (2, 0, 1))  # H x W x C, as pictures come, to C x H x W
    # the net was trained on 0..1, which is what load_image gives: no raw_scale, no mean

    lines = (DEMO / "test.txt").read_text().splitlines()[:8]
    net.blobs["data"].reshape(len(lines), 1, 8, 8)
    for row, line in enumerate(lines):
        path = line.split()[0]
        net.blobs["data"].data[row] = transformer.preprocess("data", caffe.io.load_image(str(DEMO / path), color=False))
    scores = net.forward()["prob"]

    for line, row in zip(lines, scores, strict=True):
        best, second = np.argsort(-row)[:2]
        print(f"{line:20} -> {best} ({row[best]:.3f}), then {second} ({row[second]:.3f})")


if __name__ == "__main__":
    main()
