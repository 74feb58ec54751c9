"""The MLU100 generation's Python: a net on the card, from a script that says `import caffe`.

  python -m pycaffe_acc examples/vendor_workflow/online.py NET.prototxt NET.caffemodel LABELS IMAGE…

The batch of the prototxt must be a multiple of 8 (mlu100.sh writes such a one).
"""
from __future__ import annotations

import sys

import caffe
import numpy as np

PARALLEL = 8  # slices of a batch, each on a core of its own
MEAN_BGR = np.array([104.0, 117.0, 123.0])


def main() -> None:
    """Print the best class of every image."""
    prototxt, weights, labels, *images = sys.argv[1:]
    with open(labels, encoding="utf-8") as lines:
        names = [line.strip() for line in lines]

    # mode, core and parallelism come before the net, which keeps them
    caffe.set_mode_mfus()
    caffe.set_rt_core("MLU100")
    caffe.set_parallel(PARALLEL)
    caffe.set_channel_id(0)
    net = caffe.Net(prototxt, weights, caffe.TEST)

    transformer = caffe.io.Transformer({"data": net.blobs["data"].data.shape})
    transformer.set_transpose("data", (2, 0, 1))
    transformer.set_channel_swap("data", (2, 1, 0))
    transformer.set_raw_scale("data", 255)
    transformer.set_mean("data", MEAN_BGR)

    batch = net.blobs["data"].data.shape[0]
    for start in range(0, len(images), batch):
        chunk = images[start:start + batch]
        for row, path in enumerate(chunk):
            net.blobs["data"].data[row] = transformer.preprocess("data", caffe.io.load_image(path))
        scores = net.forward()[net.outputs[0]].reshape(batch, -1)
        for row, path in enumerate(chunk):
            best = int(scores[row].argmax())
            print(f"{path}: {scores[row, best]:.4f} - {names[best]}")

    del net
    caffe.exit_mlu_lib()


if __name__ == "__main__":
    main()
