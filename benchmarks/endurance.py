"""Whether memory stays flat over many forwards.

    python benchmarks/endurance.py NET.prototxt [--weights FILE] [--forwards 10000] [--batch 1] [--threads T] [--tolerance 0.01]

Prints the resident memory along the way (Linux) and exits with 1 if it left the tolerance around its value after the first twentieth of the forwards,
with 2 where it cannot be told. The outputs of the first and of the last forward must be equal.
"""
from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

import numpy as np

import pycaffe_acc as caffe
from pycaffe_acc.seeded_weights import fill_seeded


def resident_bytes() -> int | None:
    """Bytes of this process in memory; None where that cannot be told."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None


def endure(net: caffe.Net, forwards: int) -> list[int]:
    """Resident bytes at twenty points of `forwards` forwards.

    Raises
    ------
    RuntimeError
        The outputs changed, or the memory cannot be told.
    """
    first = {k: v.copy() for k, v in net.forward().items()}
    seen, start = [], time.perf_counter()
    for turn in range(20):
        for _ in range(max(1, forwards // 20)):
            out = net.forward()
        resident = resident_bytes()
        if resident is None:
            raise RuntimeError("this system does not tell a process's resident memory")
        seen.append(resident)
        print(f"{(turn + 1) * max(1, forwards // 20):7} forwards {time.perf_counter() - start:8.1f} s {resident / 2**20:9.2f} MiB", flush=True)
    changed = [k for k, v in first.items() if not np.array_equal(v, out[k])]
    if changed:
        raise RuntimeError(f"the same input gave other values of {', '.join(changed)} in the last forward than in the first")
    return seen


def main() -> int:
    """Run, and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", metavar="NET.prototxt")
    parser.add_argument("--weights")
    parser.add_argument("--forwards", type=int, default=10_000)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--tolerance", type=float, default=0.01)
    args = parser.parse_args()
    net = caffe.Net(args.model, caffe.TEST, weights=args.weights, threads=args.threads)
    if args.weights is None:
        fill_seeded(net)
    rng = np.random.default_rng(0)
    for name in net.inputs:
        net.blobs[name].reshape(args.batch, *net.blobs[name].shape[1:])
        net.blobs[name].data[...] = rng.standard_normal(net.blobs[name].shape, np.float32)
    try:
        seen = endure(net, args.forwards)
    except RuntimeError as e:
        print(e, file=sys.stderr)
        return 2
    spread = max(abs(s / seen[0] - 1) for s in seen)
    print(f"largest difference from the first point: {100 * spread:.2f} % of {seen[0] / 2**20:.1f} MiB")
    return int(spread > args.tolerance)


if __name__ == "__main__":
    sys.exit(main())
