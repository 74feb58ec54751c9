"""This package against onnxruntime, FP32, in turn (A B A B …) in one run: medians and the paired ratio.

python benchmarks/onnxruntime_pair.py NET.prototxt [--weights W] [--batch 1] [--threads 1] [--rounds 40] [--json F]
"""
from __future__ import annotations

import argparse
import json
import platform
import time
from pathlib import Path

import numpy as np
import onnxruntime

import pycaffe_acc as caffe
from pycaffe_acc.onnx_export import translate_net
from pycaffe_acc.onnx_export.model_proto import model_proto


def seed_weights(net: caffe.Net) -> None:
    """Small random weights, positive where they are variances."""
    rng = np.random.default_rng(1)
    for name, blobs in net.params.items():
        if net.layer_dict[name].type == "BatchNorm":
            blobs[1].data[...] = 1
            blobs[2].data[...] = 1
        elif net.layer_dict[name].type != "Scale":
            blobs[0].data[...] = rng.standard_normal(blobs[0].shape) * np.sqrt(2 / max(1, blobs[0].count // blobs[0].shape[0]))
        else:
            blobs[0].data[...] = 1


def session(net: caffe.Net, threads: int) -> onnxruntime.InferenceSession:
    """onnxruntime with all its graph optimisations."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.force_spinning_stop", "1")  # else its threads hold a core while it is our turn
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    return onnxruntime.InferenceSession(model_proto(translate_net(net)).SerializeToString(), options, providers=["CPUExecutionProvider"])


def main() -> None:
    """Run and print one line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("model")
    parser.add_argument("--weights")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--json")
    a = parser.parse_args()
    net = caffe.Net(a.model, caffe.TEST, threads=a.threads, **({"weights": a.weights} if a.weights else {}))
    if not a.weights:
        seed_weights(net)
    blob = net.blobs[net.inputs[0]]
    blob.reshape(a.batch, *blob.shape[1:])
    net.reshape()
    x = np.random.default_rng(0).standard_normal(blob.shape).astype(np.float32)
    blob.data[...] = x
    peer = session(net, a.threads)
    feed = {net.inputs[0]: x}
    ours = net.forward()[net.outputs[0]].copy()
    theirs = peer.run(None, feed)[0].reshape(ours.shape)
    difference = float(np.abs(ours - theirs).max() / np.abs(theirs).max())
    for _ in range(3):
        net.forward()
        peer.run(None, feed)
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(a.rounds):
        for seconds, run in zip(times, (net.forward, lambda: peer.run(None, feed)), strict=True):
            start = time.perf_counter()
            run()
            seconds.append(time.perf_counter() - start)
    mine, peers = (1e3 * np.array(t) for t in times)
    row = {"model": Path(a.model).parent.name, "batch": a.batch, "threads": a.threads, "ours_ms": float(np.median(mine)),
           "onnxruntime_ms": float(np.median(peers)),
           "ours_min_ms": float(mine.min()), "onnxruntime_min_ms": float(peers.min()), "paired_ratio": float(np.median(mine / peers)),
           "max_relative_difference": difference,
           "onnxruntime": onnxruntime.__version__, "machine": platform.processor() or platform.machine()}
    print(json.dumps(row))
    if a.json:
        Path(a.json).write_text(json.dumps(row, indent=1))


if __name__ == "__main__":
    main()
