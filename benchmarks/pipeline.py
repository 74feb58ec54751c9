"""How much of its stages' speed a pipeline keeps, and what the harness around the nets costs.

    python benchmarks/pipeline.py --model P --weights W --images LIST [--root DIR] [--precision int8] [--batch 8] [--threads 1] [--decode-threads 1]
        [--limit 200] [--rounds 5] [preprocessing options] [--json FILE]

decode: images read and prepared by the decode threads, nothing else running. compute: forwards of the pipelines' nets, nothing else running.
end to end: `eval`. The three are measured in turn, and the efficiency of a round is end to end / the slower of the other two. Both stages have the
machine's cores for themselves when they are measured apart: give the pipelines and the decode threads together no more threads than there are cores.
harness: the same net as an offline model on the device that computes nothing, with images that lie ready: copies, queues, notifiers, judging.
"""
from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cnrt.device import get, set_current_device
from pycaffe_acc.environment import environment
from pycaffe_acc.evaluation.evaluate import Settings, evaluate
from pycaffe_acc.evaluation.pipeline import Driven
from pycaffe_acc.evaluation.prompt_switches import prompt_switches
from pycaffe_acc.evaluation.provider import Provider
from pycaffe_acc.offline import compile_offline
from pycaffe_acc.offline_net import OfflineNet
from pycaffe_acc.tools import eval as evaluation
from pycaffe_acc.tools.forward_times import time_together
from pycaffe_acc.tools.model_arguments import add_engine, add_model, check_engine, image_input, open_net
from pycaffe_acc.tools.parallel_arguments import add_parallel, layout, pipelines


class Ready:
    """Images that were prepared before: reading one takes no time.

    Parameters
    ----------
    values : (H, W, C) float32
        The same for every image.
    count : int
    """

    name = "ready"

    def __init__(self, values: np.ndarray, count: int):
        self._values, self.labels = values, np.zeros(count, np.int64)

    def __len__(self) -> int:
        return len(self.labels)

    def read(self, index: int, channels: int) -> np.ndarray:
        """The image, (C, H, W) as the net takes it."""
        return self._values


class Bench:
    """One model over one list.

    Parameters
    ----------
    args : Namespace
        As `eval`'s.
    """

    def __init__(self, args: argparse.Namespace):
        check_engine(args)
        self.args = args
        self.dataset, self._preprocess = evaluation.open_images(args)
        self.net = open_net(args)
        self.nets: list[Driven] = pipelines(args, layout(args), self.net)
        self.source = image_input(self.nets[0])
        self.shape = self.nets[0].blobs[self.source].shape
        self.count = min(args.limit or len(self.dataset), len(self.dataset))

    def _prepare(self, pixels: np.ndarray) -> np.ndarray:
        return self._preprocess.apply(pixels, self.shape)

    def decode(self) -> float:
        """Images per second of the decode threads alone."""
        taken, start = 0, time.perf_counter()
        with Provider(self.dataset, self._prepare, self.shape[1:], self.count, self.shape[0], self.args.decode_threads or 1) as provider:
            while (part := provider.take(self.shape[0])) is not None:
                taken += len(part.values)
        return taken / (time.perf_counter() - start)

    def compute(self) -> float:
        """Images per second of the nets alone."""
        return self.shape[0] * time_together(self.nets, max(2, self.count // self.shape[0] // len(self.nets))).forwards_per_second

    def end_to_end(self) -> float:
        """Images per second of `eval`."""
        settings = Settings(self.count, self.args.decode_threads or 1, self.args.fifosize)
        return evaluate(self.nets, self.source, self.dataset, self._prepare, self.args.output, settings).throughput.end_to_end_fps

    def harness(self) -> float:
        """Microseconds per image around a net that takes no time."""
        values = self._prepare(self.dataset.read(0, self.shape[1]))
        with tempfile.TemporaryDirectory() as folder:
            compile_offline(self.net).save(Path(folder) / "net")
            set_current_device(get("null"))
            try:
                offline = OfflineNet(Path(folder) / "net.cambricon", 1)
                nets: Sequence[Driven] = [offline, *(offline.clone() for _ in self.nets[1:])]
                count = 40 * offline.blobs[offline.inputs[0]].shape[0]
                images = Ready(values, count)
                outcome = evaluate(nets, offline.inputs[0], images, lambda pixels: pixels, None, Settings(None, self.args.decode_threads or 1))
            finally:
                set_current_device(None)
        return 1e6 / outcome.throughput.end_to_end_fps


def measure(bench: Bench, rounds: int) -> dict[str, Any]:
    """All rates, in turn."""
    cases = {"decode": bench.decode, "compute": bench.compute, "end_to_end": bench.end_to_end}
    found: dict[str, list[float]] = {name: [] for name in cases}
    harness = []
    with prompt_switches():
        for turn in range(rounds + 1):
            for name, work in cases.items():
                value = work()
                if turn:
                    found[name].append(value)
            harness.append(bench.harness())
    ratios = [e / min(d, c) for d, c, e in zip(*found.values(), strict=True)]
    end_to_end = statistics.median(found["end_to_end"])
    cost = statistics.median(harness[1:])
    return {"images_per_second": found, "efficiency": ratios, "median_efficiency": statistics.median(ratios), "harness_us_per_image": cost,
            "harness_share": cost * 1e-6 * end_to_end}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_model(parser)
    evaluation.add_evaluation(parser)
    add_engine(parser)
    add_parallel(parser)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    parser.set_defaults(decode_threads=1, threads=1)
    args = parser.parse_args()
    bench = Bench(args)
    found = measure(bench, args.rounds)
    for name, values in found["images_per_second"].items():
        print(f"{name.replace('_', ' '):11} {statistics.median(values):8.1f} images per second [best {max(values):.1f}]")
    print(f"end to end / the slower of decode and compute, by round: {', '.join(f'{r:.3f}' for r in found['efficiency'])}; median "
          f"{found['median_efficiency']:.3f}")
    print(f"harness: {found['harness_us_per_image']:.0f} us per image on the null device, {100 * found['harness_share']:.1f} % of an image's time "
          "end to end")
    if args.json is not None:
        options = {k: str(v) for k, v in vars(args).items()}
        args.json.write_text(json.dumps({"environment": environment(), "options": options} | found, indent=1) + "\n")


if __name__ == "__main__":
    main()
