"""One network of `peers.py`, in a process of its own: engines in turn at every setting, the results in a JSON file that grows by setting."""
from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
from peers_engines import FP32, Case, Engine, open_engine, versions
from peers_int8 import INT8, QuantizedCase
from peers_limits import Limits
from peers_traffic import traffic
from threads import Load

import pycaffe_acc as caffe
from cnrt.whole_file import whole_file
from pycaffe_acc import zoo
from pycaffe_acc.environment import environment
from pycaffe_acc.fake_caffemodel import fill_fake

SUITES = {"fp32": FP32, "int8": INT8}
LEAST_ROUNDS = 3
TURN_SECONDS = 0.06     # a turn is at least so long: one forward that does not count, then some that do
MOST_FORWARDS = 12
LONG_SECONDS = 0.25     # a forward from here on needs no other before it that does not count
SLOW = 2.5              # an engine so many times slower than the fastest takes part in every third round
SETTLE_SECONDS = 0.005  # between turns of several threads: peers' helpers spin for about 1 ms after a forward
LOGIT_DEVIATION = 2.0   # of the values before the softmax, so that a thousand classes all have something to compare
MOST_DENORMALS = 1e-3   # share of a blob


def load_net(name: str, models: Path | None) -> caffe.Net:
    """A network of the zoo, or FOLDER/NAME/deploy.prototxt, with seeded weights and a batch of 1."""
    source = zoo.build(name) if models is None else str(models / name / "deploy.prototxt")
    net = caffe.Net(source, caffe.TEST, threads=1)
    if len(net.inputs) != 1 or len(net.outputs) != 1:
        raise SystemExit(f"network '{name}' has inputs {net.inputs} and outputs {net.outputs}; this benchmark compares nets with one of each")
    blob = net.blobs[net.inputs[0]]
    blob.reshape(1, *blob.shape[1:])
    net.reshape()
    fill_fake(net)
    return net


def tame(net: caffe.Net) -> dict[str, float]:
    """Scale the last layer's weights so that its outputs have a useful size, and look at every blob: denormals and infinities would falsify times.

    Returns
    -------
    dict
        largest magnitude of any blob, greatest share of denormal values of any blob, greatest output.
    """
    net.blobs[net.inputs[0]].data[...] = Case(net, 1, {}).x
    last = [name for name in net.params if net.layer_dict[name].type in ("Convolution", "InnerProduct")][-1]
    net.forward(end=last)
    factor = LOGIT_DEVIATION / float(net.blobs[net.top_names[last][0]].data.std())
    for blob in net.params[last]:
        blob.data[...] *= factor
    net.forward()
    largest = denormal = 0.0
    for name, blob in net.blobs.items():
        magnitudes = np.abs(blob.data)
        share = float(np.mean((magnitudes > 0) & (magnitudes < np.finfo(np.float32).tiny)))
        if not np.isfinite(magnitudes).all() or share > MOST_DENORMALS:
            raise SystemExit(f"net '{net.name}': blob '{name}' has values that are not finite, or {share:.2%} denormal ones; its times would say "
                             f"nothing")
        largest, denormal = max(largest, float(magnitudes.max())), max(denormal, share)
    return {"largest_value": largest, "denormal_share": denormal, "largest_output": float(np.abs(net.blobs[net.outputs[0]].data).max())}


def layer_rows(case: Case, rounds: int) -> list[dict[str, Any]]:
    """The per-layer table at batch 1 on one thread; best of `rounds`. In floats with the bytes that each group of fused layers must move."""
    coded = isinstance(case, QuantizedCase)
    net = case.quantized if isinstance(case, QuantizedCase) else case.net
    twin = net.clone()  # nobody looked at its blobs: everything is fused
    twin.blobs[case.input].reshape(*case.x.shape)
    twin.reshape()
    twin.blobs[case.input].data[...] = case.x
    tables = [twin.profile(1) for _ in range(rounds)]
    return [{"name": t.name, "kind": t.kind, "note": t.note, "macs": t.macs, "ms": min(table[i].milliseconds for table in tables),
             "bytes": None if coded else traffic(net, t.name)} for i, t in enumerate(tables[0])]


class Turns:
    """Engines in turn.

    Parameters
    ----------
    engines : dict of str to Engine
    threads : int
    precision : str
        Of the limit.
    """

    def __init__(self, engines: dict[str, Engine], threads: int, precision: str = "fp32"):
        self.engines, self.threads = engines, threads
        self.limits = Limits(threads, precision=precision)
        self.estimates = {name: self._estimate(engine) for name, engine in engines.items()}
        self.rounds: dict[str, list[float]] = {name: [] for name in engines}
        self.least = dict.fromkeys(engines, float("inf"))
        self.forwards = dict.fromkeys(engines, 0)
        self.after: dict[str, float] = {}
        self.limit: list[float] = []

    @staticmethod
    def _estimate(engine: Engine) -> float:
        # the first forward of ours may have compiled, and so may the one after its output was looked at
        ours = engine.name.startswith("ours")
        times = [] if ours else [engine.first_seconds]
        while len(times) < 2 and (ours or sum(times) < LONG_SECONDS):
            start = time.perf_counter()
            engine.run()
            times.append(time.perf_counter() - start)
        return min(times)

    def run(self, rounds: int, seconds: float) -> None:
        """`rounds` rounds, fewer (but three) when they take longer than `seconds`."""
        start, fastest = time.perf_counter(), min(self.estimates.values())
        for r in range(rounds):
            if r >= LEAST_ROUNDS and time.perf_counter() - start > seconds:
                break
            self.limit.append(max(self.limits.multiply_add_gflops() for _ in range(2)))
            for name, engine in self.engines.items():
                if r % 3 == 0 or self.estimates[name] < SLOW * fastest:
                    self._turn(name, engine)
                    self._settle(name)

    def _turn(self, name: str, engine: Engine) -> None:
        estimate = self.estimates[name]
        if estimate < LONG_SECONDS:
            engine.run()  # brings its weights back into the caches and its threads out of their sleep
        times = []
        for _ in range(min(MOST_FORWARDS, max(1, round(TURN_SECONDS / estimate)))):
            start = time.perf_counter()
            engine.run()
            times.append(1e3 * (time.perf_counter() - start))
        self.rounds[name].append(statistics.median(times))
        self.least[name] = min(self.least[name], *times)
        self.forwards[name] += len(times)

    def _settle(self, name: str) -> None:
        if self.threads == 1:
            return
        start = time.process_time()
        time.sleep(SETTLE_SECONDS)
        self.after[name] = max(self.after.get(name, 0.0), 1e3 * (time.process_time() - start))


def measure(net: caffe.Net, cases: dict[int, Case], threads: int, batch: int, options: argparse.Namespace) -> dict[str, Any]:
    """One setting."""
    case, load, suite = cases[batch], Load(), SUITES[options.precision]
    engines: dict[str, Engine] = {}
    found: dict[str, Any] = {"threads": threads, "batch": batch, "engines": {}, "failures": {}}
    differences, reasons = {}, {}
    expected: np.ndarray | None = None
    for name in options.engines:
        engine, differences[name], reasons[name] = open_engine(name, case, threads, expected, suite)
        if engine is None:
            found["failures"][name] = reasons[name]
        else:
            engines[name] = engine
            expected = engine.output() if expected is None else expected
    if "ours" not in engines:
        raise SystemExit(f"net '{net.name}': {found['failures'].get('ours', 'engine `ours` must be among the engines')}")
    turns = Turns(engines, threads, options.precision)
    turns.run(options.rounds, options.seconds)
    for name, rounds in turns.rounds.items():
        found["engines"][name] = {
            "median_ms": statistics.median(rounds), "min_ms": turns.least[name], "rounds_ms": [round(v, 4) for v in rounds],
            "forwards": turns.forwards[name], "difference": differences[name], "note": engines[name].note, "not_taken": reasons[name],
            "cpu_ms_after_turn": turns.after.get(name)}
    return found | {"limit_gflops": max(turns.limit), "limit_rounds": [round(v, 1) for v in turns.limit], "others": load.share(),
                    "load_average": os.getloadavg() if hasattr(os, "getloadavg") else None}


def description(name: str, memo: dict[str, Any], options: argparse.Namespace) -> tuple[caffe.Net, dict[str, Any]]:
    """The net, and everything about it that does not depend on the setting."""
    net = load_net(name, options.models)
    known = tame(net)
    layers = layer_rows(SUITES[options.precision].case(net, 1, memo), 2 if options.rounds < 5 else 7)
    limits = Limits(1, memory=True, precision=options.precision)
    return net, {
        "network": name, "precision": options.precision, "net_name": net.name, "input": list(net.blobs[net.inputs[0]].shape[1:]),
        "gflop": 2e-9 * sum(r["macs"] for r in layers),
        "weights": "seeded", **known, "layers": layers, "limit_gflops": max(limits.multiply_add_gflops() for _ in range(options.rounds)),
        "memory_gbytes": max(limits.memory_gbytes() for _ in range(options.rounds)), "environment": described_environment(), "settings": []}


def described_environment() -> dict[str, Any]:
    """The package's environment with the peers' versions, less variables that hold paths."""
    found = environment()
    found["variables"] = {k: v for k, v in found["variables"].items() if "/" not in v}
    return found | {"peers": versions()}


def kept_settings(result: Path, precision: str = "fp32") -> list[dict[str, Any]]:
    """Settings of an earlier run; none if that was on another processor, with other versions or in another precision, whose times must not stand
    beside today's.
    """
    if not result.is_file():
        return []
    found, now = json.loads(result.read_text(encoding="utf-8")), described_environment()
    changed = [k for k in ("cpu", "cpus_usable", "packages", "peers") if found["environment"][k] != now[k]]
    if found.get("precision", "fp32") != precision:
        changed.append("precision")
    if changed:
        print(f"{found['network']}: measured anew, since {', '.join(changed)} changed", flush=True)
    return [] if changed else list(found["settings"])


def progress(found: dict[str, Any]) -> str:
    """One line for a setting."""
    times = [f"{name} {e['median_ms']:.2f}" for name, e in found["engines"].items()]
    failed = "".join(f"; {name} left out: {why}" for name, why in found["failures"].items())
    return f"  threads {found['threads']} batch {found['batch']}: {', '.join(times)} ms; limit {found['limit_gflops']:.0f} Gop/s{failed}"


def main() -> None:
    """Measure what the file lacks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network")
    parser.add_argument("result", type=Path)
    parser.add_argument("--models", type=Path)
    parser.add_argument("--threads", type=json.loads, default=[1, 2])
    parser.add_argument("--batches", type=json.loads, default=[1, 8])
    parser.add_argument("--precision", choices=tuple(SUITES), default="fp32")
    parser.add_argument("--engines", type=json.loads)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=12.0)
    options = parser.parse_args()
    options.engines = options.engines or list(SUITES[options.precision].engines)
    start = time.perf_counter()
    kept = kept_settings(options.result, options.precision)
    done = {(s["threads"], s["batch"]) for s in kept}
    if done.issuperset((threads, batch) for threads in options.threads for batch in options.batches):
        print(f"{options.network}: nothing left to measure", flush=True)
        return
    memo: dict[str, Any] = {}
    net, document = description(options.network, memo, options)
    document["settings"] = kept
    print(f"{options.network}: {document['gflop']:.2f} Gop, ready after {time.perf_counter() - start:.1f} s", flush=True)
    for batch in options.batches:
        cases: dict[int, Case] = {batch: SUITES[options.precision].case(net, batch, memo)}  # a batch's ONNX model goes with its case
        for threads in options.threads:
            if (threads, batch) in done:
                continue
            document["settings"].append(measure(net, cases, threads, batch, options))
            print(progress(document["settings"][-1]), flush=True)
            with whole_file(options.result) as part:
                part.write_text(json.dumps(document), encoding="utf-8")
    print(f"  {time.perf_counter() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
