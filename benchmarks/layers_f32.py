"""Float32 kernels of layers that are no convolutions, against what this core can do, measured in the same process.

    python benchmarks/layers_f32.py [net ...] [--match TEXT] [--batch N] [--tasks N] [--rounds N]

Nets are the files of `benchmarks/shapes/layers`; all of them if none is named. A layer's limit is the slowest of three: a loop that copies as many
bytes as the layer reads and writes (to and from arrays of the layer's size, so in the same level of cache), a loop that reads its weights, and its
multiply-adds in registers. Limits and layers are timed in turn, and the best round counts: other load on the machine then lowers both. With several
tasks each is timed alone and the slowest counts, which shows whether the shares are even.
"""
from __future__ import annotations

import argparse
import ctypes
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from conv_f32 import KERNEL, PEAK_STEPS, peak_kernel

import cnml.kernels  # noqa: F401  registers the kernels
from cnml.emitter import Call, Emitter, ScratchBlock
from cnml.graph import Graph
from cnml.jit import kernel_cfunc
from cnml.kernels.argblock import f32_at, word
from cnml.operator import Operator
from cnml.ops.arg_max import ArgMax
from cnml.ops.eltwise import Eltwise
from cnml.ops.inner_product import InnerProduct
from cnml.ops.lrn import Lrn
from cnml.ops.lstm import LSTM
from cnml.ops.pool import Pool
from cnml.ops.prelu import PRelu
from cnml.ops.scale import Scale
from cnml.ops.softmax import Softmax
from cnml.parameter import Parameter, aligned_empty
from cnml.tensor import Layout, Shape, Tensor
from cnml.ukernels.peak_f32 import CHAINS, LANES
from cnrt import kernel_table

SHAPES = Path(__file__).parent / "shapes" / "layers"
Task = Callable[[int, int], None]
Case = tuple[Operator, list[Shape], list[Shape]]


class Layer(NamedTuple):
    """One layer with its data.

    Attributes
    ----------
    name : str
    runs : list of callable
        Its instructions, in order: (task, number of tasks).
    moved, weights, passes, operations : int
        Bytes of activations, bytes of weights and how often they are read (once for each step of time), multiply-adds times two.
    alive : list
    """

    name: str
    runs: list[Task]
    moved: int
    weights: int
    passes: int
    operations: int
    alive: list[object]


def pooling(method: str) -> Callable[..., Case]:
    """MAX or AVE."""
    def make(n: int, c: int, h: int, w: int, kernel: int, stride: int, pad: int) -> Case:
        return Pool(method, (kernel, kernel), (stride, stride), (pad, pad)), [(n, c, h, w)], []
    return make


#: word of a shape file → batch and columns to operator, input shapes, parameter shapes
CASES: dict[str, Callable[..., Case]] = {
    "max": pooling("MAX"),
    "ave": pooling("AVE"),
    "lrn": lambda n, c, h, w, size, beta: (Lrn("ACROSS_CHANNELS", size, 1e-4, beta), [(n, c, h, w)], []),
    "within": lambda n, c, h, w, size: (Lrn("WITHIN_CHANNEL", size, 1e-4, 0.75), [(n, c, h, w)], []),
    "inner": lambda n, k, outputs: (InnerProduct(outputs), [(n, k)], [(outputs, k), (outputs,)]),
    "softmax": lambda n, lines, length, inner: (Softmax(1), [(n * lines, length, inner)], []),
    "argmax": lambda n, c, h, w: (ArgMax(axis=1), [(n, c, h, w)], []),
    "lstm": lambda n, t, streams, h: (LSTM(), [(t, n * streams, 4 * h), (t, n * streams)], [(4 * h, h), (n * streams, h), (n * streams, h)]),
    "sum": lambda n, c, h, w: (Eltwise("SUM"), [(n, c, h, w)] * 2, []),
    "prelu": lambda n, c, h, w: (PRelu(), [(n, c, h, w)], [(c,)]),
    "scale": lambda n, c, h, w: (Scale(1, 1, True), [(n, c, h, w)], [(c,), (c,)]),
}


def read_layers(net: str, batch: int, match: str) -> Iterable[tuple[str, Case]]:
    """The distinct layers of a file, with how many there are of each."""
    rows: dict[str, list[str]] = {}
    for line in (SHAPES / f"{net}.txt").read_text().splitlines():
        if line and not line.startswith("#") and match in line:
            name, shape = line.split(maxsplit=1)
            rows.setdefault(" ".join(shape.split()), []).append(name)
    for text, names in rows.items():
        kind, *numbers = text.split()
        columns = [float(v) if "." in v else int(v) for v in numbers]
        yield f"{names[0]}{'' if len(names) == 1 else f' ({len(names)})'} {text}", CASES[kind](batch, *columns)


def make_layer(name: str, case: Case, tasks: int) -> Layer:
    """Random data for an operator, images with the channels innermost, and its instructions bound to it."""
    op, inputs, parameters = case
    rng = np.random.default_rng(0)
    graph = Graph()
    sources = [graph.input(s, "x") for s in inputs]
    blobs = [Parameter(s, "w") for s in parameters]
    for blob in blobs:
        blob.assign(rng.standard_normal(blob.shape, np.float32) * 0.05)
    outs = graph.add(op, sources, blobs)
    for t in (*sources, *outs):
        t.layout = Layout.NHWC if len(t.shape) == 4 else Layout.PLAIN
    emit = Emitter(graph.nodes[0])
    op.lower(emit, sources, outs)
    arrays = {t: aligned_empty((t.count,)) for t in (*sources, *outs)}
    for t in sources:
        arrays[t][...] = rng.standard_normal(t.count, np.float32)
    alive: list[object] = [arrays, blobs]
    runs = [bind(call, arrays, tasks, alive) for call in emit.calls]
    passes, weights = (inputs[0][0] if isinstance(op, LSTM) else 1), sum(4 * b.array.size for b in blobs)
    macs = op.macs([s.shape for s in sources], [o.shape for o in outs])
    return Layer(name, runs, sum(t.nbytes for t in arrays), weights, passes, 2 * macs, alive)


def bind(call: Call, arrays: dict[Tensor, np.ndarray], tasks: int, alive: list[object]) -> Task:
    """An instruction as a function."""
    words: list[object] = []
    for a in call.args:
        if isinstance(a, ScratchBlock):
            step = -(-a.nbytes // 64) * 64
            words += [aligned_empty((max(step * tasks, 64),), np.uint8), step]
        else:
            words.append(arrays[a] if isinstance(a, Tensor) else a.array if isinstance(a, Parameter) else a)
    block = np.zeros(len(words), np.int64)
    for i, a in enumerate(words):
        if isinstance(a, float):
            block[i:i + 1].view(np.float64)[0] = a
        else:
            block[i] = a.ctypes.data if isinstance(a, np.ndarray) else int(a or 0)  # type: ignore[call-overload]
    f, address = KERNEL(kernel_table.address(call.kernel)), block.ctypes.data
    alive += [words, block, f]
    return lambda task, tasks: f(address, task, tasks)


def copy_kernel(args: int, task_id: int, task_dim: int) -> None:
    """y = x for n floats."""
    n = word(args, 2)
    first, last = n * task_id // task_dim, n * (task_id + 1) // task_dim
    x, y = f32_at(word(args, 0) + 4 * first, last - first), f32_at(word(args, 1) + 4 * first, last - first)
    for i in range(y.size):
        y[i] = x[i]


def read_kernel(args: int, task_id: int, task_dim: int) -> None:
    """y[task] = sum of x over n floats."""
    n = word(args, 2)
    first, last = n * task_id // task_dim, n * (task_id + 1) // task_dim
    x, total = f32_at(word(args, 0) + 4 * first, last - first), np.float32(0)
    for i in range(x.size):
        total += x[i]
    f32_at(word(args, 1), task_dim)[task_id] = total


def seconds(run: Task, tasks: int) -> float:
    """Time of the slowest task."""
    slowest = 0.0
    for task in range(tasks):
        start = time.perf_counter()
        run(task, tasks)
        slowest = max(slowest, time.perf_counter() - start)
    return slowest


class Limits:
    """The reference loops, as times for a layer.

    Parameters
    ----------
    tasks : int
    """

    def __init__(self, tasks: int):
        self._tasks = tasks
        self._copy, self._read, self._peak = (KERNEL(kernel_cfunc(f)) for f in (copy_kernel, read_kernel, peak_kernel))
        self._registers = aligned_empty((CHAINS * LANES,))
        self._registers[...] = 0.5
        self._arrays: dict[tuple[str, int], tuple[np.ndarray, np.ndarray]] = {}

    def _loop(self, f: ctypes._CFuncPtr, key: str, x_bytes: int, y_bytes: int) -> float:
        if (key, x_bytes) not in self._arrays:
            x, y = aligned_empty((max(x_bytes // 4, 1),)), aligned_empty((max(y_bytes // 4, 64),))
            x[...], y[...] = 1, 0
            self._arrays[key, x_bytes] = x, y
        x, y = self._arrays[key, x_bytes]
        block = np.array([x.ctypes.data, y.ctypes.data, x.size], np.int64)
        address = block.ctypes.data
        return seconds(lambda task, tasks: f(address, task, tasks), self._tasks)

    def of(self, layer: Layer) -> tuple[float, float, float]:
        """Seconds for its activations, its weights and its multiply-adds."""
        moved = self._loop(self._copy, "copy", layer.moved // 2, layer.moved // 2)
        read = layer.passes * self._loop(self._read, "read", layer.weights, 256) if layer.weights > 4096 else 0.0
        if not layer.operations:
            return moved, read, 0.0
        address = self._registers.ctypes.data
        peak = seconds(lambda task, tasks: self._peak(address, task, tasks), 1) / (2 * PEAK_STEPS * CHAINS * LANES * self._tasks)
        return moved, read, peak * layer.operations


def run(layer: Layer, tasks: int) -> float:
    """Seconds for all its instructions."""
    return sum(seconds(f, tasks) for f in layer.runs)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nets", nargs="*", default=sorted(p.stem for p in SHAPES.glob("*.txt")))
    parser.add_argument("--match", default="", help="only the lines that hold this text")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--tasks", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    limits = Limits(options.tasks)
    for net in options.nets:
        print(f"\n{net}, batch {options.batch}")
        for name, case in read_layers(net, options.batch, options.match):
            layer = make_layer(name, case, options.tasks)
            best, bound = np.inf, np.full(3, np.inf)
            for _ in range(options.rounds):
                bound = np.minimum(bound, np.min([limits.of(layer) for _ in range(2)], axis=0))
                best = min(best, *(run(layer, options.tasks) for _ in range(3)))
            report(layer, best, bound)


def report(layer: Layer, t: float, bound: np.ndarray) -> None:
    """One line."""
    slowest = int(bound.argmax())
    rate = f"{layer.operations / t / 1e9:7.1f} GFLOP/s" if layer.operations else " " * 15
    moved = layer.moved + layer.passes * layer.weights
    print(f"{layer.name:46}{t * 1e6:10.1f} us {moved / t / 1e9:6.1f} GB/s {rate}   {t / bound[slowest]:5.2f} x "
          f"{('copying', 'reading the weights', 'multiply-adds')[slowest]}")


if __name__ == "__main__":
    main()
