"""Pipelines for a long time: memory, stalls, and whether the answers stay the same.

    python benchmarks/soak.py --model P --weights W --images LIST [--root DIR] [--minutes 30] [--threads 8] [--dp N] [--mp M] [--batch 4]
        [--device host|MLU100] [--limit 200] [preprocessing options] [--json FILE]

The list's first images are run again and again, by `eval`'s pipelines, until the time is over; then the run is ended as Ctrl-C ends it. An image's
answer must be the same every time, and the memory that the process has in use, once a tenth of the time is over, must not grow by more than
`--tolerance` (Linux); what is noted of every batch for the figures, about 80 bytes, is part of it. A stall is a time in which no pipeline finished a
batch. Exit status 1 when the memory grew, an answer changed or a stall was longer than `--stall` seconds.
"""
from __future__ import annotations

import _thread
import argparse
import json
import os
import signal
import statistics
import sys
import threading
import time
from array import array
from pathlib import Path
from typing import Any

import numpy as np
from endurance import resident_bytes

from pycaffe_acc.environment import environment
from pycaffe_acc.evaluation.dataset import Dataset
from pycaffe_acc.evaluation.evaluate import Outcome, Settings, evaluate
from pycaffe_acc.tools import eval as evaluation
from pycaffe_acc.tools.model_arguments import add_engine, add_model, check_engine, image_input, open_net
from pycaffe_acc.tools.parallel_arguments import add_parallel, layout, on_device, pipelines


class Repeated:
    """The first images of a data set, many times over, until somebody says that it is enough.

    Parameters
    ----------
    dataset : Dataset
    images, times : int
    """

    def __init__(self, dataset: Dataset, images: int, times: int):
        self._dataset, self._images = dataset, images
        self.labels = np.tile(dataset.labels[:images], times)
        self.name = f"{dataset.name}, {images} images again and again"

    def __len__(self) -> int:
        return len(self.labels)

    def read(self, index: int, channels: int) -> np.ndarray:
        """See `Dataset.read`."""
        return self._dataset.read(index % self._images, channels)


class Watch:
    """Memory and progress over the run's time.

    Parameters
    ----------
    minutes : float
    """

    def __init__(self, minutes: float):
        self.seconds = 60 * minutes
        self.finished = array("d")
        self.images = 0
        self.samples: list[dict[str, float]] = []
        self._start = time.perf_counter()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def progress(self, images: int) -> None:
        """A batch is finished."""
        if not self.finished:
            self._start = time.perf_counter()
            self._thread.start()
        self.images += images
        self.finished.append(time.perf_counter() - self._start)
        if self.finished[-1] > self.seconds and not self._over.is_set():
            self._over.set()
            _thread.interrupt_main()

    def _sample(self) -> None:
        pause = max(1.0, self.seconds / 120)
        while not self._over.wait(pause):
            memory = resident_bytes()
            open_files = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else -1
            self.samples.append({"seconds": time.perf_counter() - self._start, "mebibytes": (memory or 0) / 2**20, "images": self.images,
                                 "threads": threading.active_count(), "files": open_files})
            last = self.samples[-1]
            print(f"{last['seconds']:8.1f} s {self.images:9} images {last['mebibytes']:9.1f} MiB {last['threads']:4} threads {open_files:4} files",
                  flush=True)


def changed(outcome: Outcome, images: int) -> int:
    """How many answers differ from the first one to the same image."""
    best = outcome.best[:len(outcome.best) // images * images].reshape(-1, images, outcome.best.shape[1])
    given = (best[..., 0] >= 0)
    first = np.take_along_axis(best, given.argmax(0)[None, :, None], 0)
    return int((given & (best != first).any(-1)).sum())


def summary(watch: Watch, outcome: Outcome, images: int) -> dict[str, Any]:
    """The figures."""
    settled = [s for s in watch.samples if s["seconds"] > watch.seconds / 10] or watch.samples
    gaps = np.diff([0.0, *watch.finished])
    return {"seconds": watch.finished[-1], "images": outcome.accuracy.images, "batches": len(watch.finished),
            "images_per_second": outcome.accuracy.images / watch.finished[-1], "top1": outcome.accuracy.top1, "failed": len(outcome.failures),
            "changed_answers": changed(outcome, images), "latency_ms": None if outcome.throughput.simulated else outcome.throughput.latency_ms,
            "memory_mebibytes": {"settled": settled[0]["mebibytes"], "last": settled[-1]["mebibytes"],
                                 "largest": max(s["mebibytes"] for s in settled)},
            "memory_growth": settled[-1]["mebibytes"] / settled[0]["mebibytes"] - 1 if settled[0]["mebibytes"] else None,
            "files": [settled[0]["files"], settled[-1]["files"]], "threads": [settled[0]["threads"], settled[-1]["threads"]],
            "gap_seconds": {"median": statistics.median(gaps), "p99": float(np.percentile(gaps, 99)), "longest": float(gaps.max())},
            "samples": watch.samples}


def main() -> int:
    """Run, and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_model(parser)
    evaluation.add_evaluation(parser)
    add_engine(parser)
    add_parallel(parser)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--tolerance", type=float, default=0.05, help="growth of memory that is no leak (default 0.05)")
    parser.add_argument("--stall", type=float, default=5.0, metavar="SECONDS", help="longest time without a finished batch (default 5)")
    parser.add_argument("--rate", type=float, default=2000, help="images per second, more than there can be; for the length of the list")
    parser.add_argument("--json", type=Path)
    parser.set_defaults(threads=8)
    args = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # jobs that a shell put into the background ignore it, and would never end
    check_engine(args, cards=True)
    dataset, preprocess = evaluation.open_images(args)
    cores = layout(args)
    images = min(args.limit or 200, len(dataset))
    watch = Watch(args.minutes)
    with on_device(args, cores):
        nets = pipelines(args, cores, open_net(args))
        source = image_input(nets[0])
        shape = nets[0].blobs[source].shape
        endless = Repeated(dataset, images, max(1, round(60 * args.minutes * args.rate / images)))
        outcome = evaluate(nets, source, endless, lambda pixels: preprocess.apply(pixels, shape), args.output,
                           Settings(None, args.decode_threads, args.fifosize, progress=watch.progress))
    found = summary(watch, outcome, images)
    memory, gaps = found["memory_mebibytes"], found["gap_seconds"]
    print(f"{found['images']} images in {found['batches']} batches by {len(nets)} pipelines in {found['seconds']:.1f} s "
          f"({found['images_per_second']:.1f} a second); failed: {found['failed']}, changed answers: {found['changed_answers']}")
    print(f"memory {memory['settled']:.1f} MiB after a tenth of the time, {memory['last']:.1f} at the end, largest {memory['largest']:.1f}; open "
          f"files {found['files'][0]} and {found['files'][1]}, threads {found['threads'][0]} and {found['threads'][1]}")
    print(f"time between finished batches: median {1e3 * gaps['median']:.1f} ms, p99 {1e3 * gaps['p99']:.1f} ms, longest "
          f"{1e3 * gaps['longest']:.1f} ms")
    if args.json is not None:
        options = {k: str(v) for k, v in vars(args).items()}
        args.json.write_text(json.dumps({"environment": environment(), "options": options} | found, indent=1) + "\n")
    grown = found["memory_growth"] is not None and found["memory_growth"] > args.tolerance
    if not isinstance(outcome.stopped, KeyboardInterrupt):
        print(f"the run did not last until its time was over: {outcome.stopped}", file=sys.stderr)
        return 1
    return int(grown or found["changed_answers"] > 0 or found["failed"] > 0 or gaps["longest"] > args.stall)


if __name__ == "__main__":
    sys.exit(main())
