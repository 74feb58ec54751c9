"""What a second worker gains: one and two workers with a core each on a local Ray cluster, in turn.

    python benchmarks/cluster.py --model P --weights W --images LIST [--root DIR] [--limit N] [--rounds N]

End-to-end images per second from when all workers are ready, so that starting processes does not count. Pairs A B A B; the ratio is the median of
the pairs'.
"""
from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys


def end_to_end(workers: int, options: argparse.Namespace) -> dict:
    """`eval --cluster local` in a process of its own."""
    words = ["--model", options.model, "--weights", options.weights, "--images", options.images, "--limit", str(options.limit), "--batch", "8",
             "--cluster", "local", "--cluster-workers", str(workers), "--json", *(["--root", options.root] if options.root else [])]
    result = subprocess.run([sys.executable, "-m", "pycaffe_acc", "eval", *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                            check=True)
    document: dict = json.loads(result.stdout)
    return document


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("model", "weights", "images"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--root")
    parser.add_argument("--limit", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    ratios = []
    for i in range(options.rounds):
        one, two = end_to_end(1, options), end_to_end(2, options)
        same = (one["top1"], one["top5"]) == (two["top1"], two["top5"])
        ratios.append(two["end_to_end_fps"] / one["end_to_end_fps"])
        print(f"pair {i + 1}: {one['end_to_end_fps']:.1f} and {two['end_to_end_fps']:.1f} images/s, {ratios[-1]:.2f} x; top-1 {one['top1']:.2f} and "
              f"{two['top1']:.2f} % of {two['images']} images{'' if same else ': NOT THE SAME'}", flush=True)
    print(f"two workers: {statistics.median(ratios):.2f} times one worker, end to end")


if __name__ == "__main__":
    main()
