"""Float32 convolution kernels, layer by layer, against the multiply-add limit of one core measured in the same process.

    python benchmarks/conv_f32.py [net ...] [--rounds N] [--cores N] [--balance TASKS]

Nets are the files of `benchmarks/shapes`; all of them if none is named. The limit and the layers are timed in turn, and the best round counts:
other load on the machine then lowers both.
"""
from __future__ import annotations

import argparse
import ctypes
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

import cnml.kernels  # noqa: F401  registers the kernels
from cnml.jit import kernel_cfunc
from cnml.kernels.conv_pack_f32 import pack_conv2d_f32
from cnml.kernels.conv_plan_f32 import ConvPlan, plan_conv2d, takes_plain
from cnml.kernels.conv_shape import Conv2dShape
from cnml.kernels.conv_tiles import Tile
from cnml.parameter import aligned_empty
from cnml.ukernels.peak_f32 import CHAINS, LANES, peak
from cnrt import kernel_table

SHAPES = Path(__file__).parent / "shapes"
KERNEL = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)
PEAK_STEPS = 200_000


class Layer(NamedTuple):
    """One planned layer with its data."""

    name: str
    count: int
    shape: Conv2dShape
    plan: ConvPlan
    operations: int
    run: Callable[[int, int], None]
    alive: tuple[object, ...]


def both(text: str) -> tuple[int, int]:
    """`3` or `0,3` as (vertical, horizontal)."""
    first, *last = map(int, text.split(","))
    return first, *(last or [first])  # type: ignore[return-value]


def read_shapes(net: str) -> list[tuple[str, int, Conv2dShape]]:
    """Distinct layers of a file: the first one's name, how many there are, and the shape. See `write_shapes.py` for the columns."""
    layers: dict[Conv2dShape, list[str]] = {}
    for line in (SHAPES / f"{net}.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            name, *numbers, stride, pad, group = line.split()
            c, h, w, o, kh, kw = map(int, numbers)
            layers.setdefault(Conv2dShape(1, c, h, w, o, (kh, kw), both(stride), both(pad), group=int(group)), []).append(name)
    return [(names[0], len(names), shape) for shape, names in layers.items()]


def make_layer(name: str, count: int, shape: Conv2dShape, cores: int, tile: Tile | None = None) -> Layer:
    """Random data and weights for a layer, planned by the model or with a given tile."""
    rng = np.random.default_rng(0)
    plan = plan_conv2d(shape, plain_input=takes_plain(shape), tile=tile)
    x = aligned_empty((shape.batch * shape.height * shape.width * shape.channels,))
    x[...] = rng.standard_normal(x.shape, np.float32)
    weights = rng.standard_normal((shape.outputs, shape.channels // shape.group, *shape.kernel), np.float32)
    packed, bias = pack_conv2d_f32(plan, weights, np.zeros(shape.outputs), shape.group)
    y, scratch = aligned_empty((shape.batch, *shape.out, shape.outputs)), aligned_empty((plan.scratch_bytes * cores,), np.uint8)
    addresses = (x.ctypes.data, packed.ctypes.data, bias.ctypes.data, 0, y.ctypes.data, plan.table.ctypes.data, scratch.ctypes.data)
    block = np.array([*addresses, plan.scratch_bytes, 1, 0, 0], np.int64)
    f = KERNEL(kernel_table.address(plan.kernel))
    address = block.ctypes.data
    operations = 2 * shape.batch * shape.out[0] * shape.out[1] * weights.size
    return Layer(name, count, shape, plan, operations, lambda task, tasks: f(address, task, tasks), (x, packed, bias, y, scratch, block))


def seconds(run: Callable[[int, int], None], cores: int) -> float:
    """Time of one call with every task on a thread of its own."""
    others = [threading.Thread(target=run, args=(task, cores)) for task in range(1, cores)]
    start = time.perf_counter()
    for t in others:
        t.start()
    run(0, cores)
    for t in others:
        t.join()
    return time.perf_counter() - start


def balance(net: str, layers: list[Layer], tasks: int, rounds: int) -> None:
    """How evenly the tasks share each layer: every task alone on one core, so that other load does not count as imbalance."""
    print(f"\n{net}: time of the whole over {tasks} times that of the slowest of {tasks} tasks, each alone")
    whole_sum = slowest_sum = 0.0
    for layer in layers:
        whole, parts = np.inf, [np.inf] * tasks
        for _ in range(rounds):
            whole = min(whole, seconds(layer.run, 1))
            for i in range(tasks):
                start = time.perf_counter()
                layer.run(i, tasks)
                parts[i] = min(parts[i], time.perf_counter() - start)
        whole_sum, slowest_sum = whole_sum + layer.count * whole, slowest_sum + layer.count * max(parts)
        shares = " ".join(f"{p * 1e3:.3f}" for p in parts)
        print(f"{layer.name:30}{layer.count:3} * {whole * 1e3:8.3f} ms = {shares}  {whole / tasks / max(parts):6.1%}  {layer.plan.reason}")
    print(f"{'sum':36}{whole_sum * 1e3:8.3f} ms, slowest {slowest_sum * 1e3:.3f} ms: {whole_sum / tasks / slowest_sum:.1%}")


def peak_kernel(args: int, task_id: int, task_dim: int) -> None:
    """The limit; args is the address of CHAINS vectors."""
    peak(PEAK_STEPS, args)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nets", nargs="*", default=sorted(p.stem for p in SHAPES.glob("*.txt")))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--balance", type=int, metavar="TASKS", help="show how evenly so many tasks share each layer instead")
    options = parser.parse_args()
    registers = aligned_empty((CHAINS * LANES,))
    registers[...] = 0.5
    limit_function, address = KERNEL(kernel_cfunc(peak_kernel)), registers.ctypes.data
    for net in options.nets:
        layers = [make_layer(*row, max(options.cores, options.balance or 1)) for row in read_shapes(net)]
        if options.balance:
            balance(net, layers, options.balance, 3 * options.rounds)
            continue
        best, fastest = [np.inf] * len(layers), np.inf
        for _ in range(options.rounds):
            fastest = min(fastest, *(seconds(lambda task, tasks: limit_function(address, task, tasks), options.cores) for _ in range(3)))
            for i, layer in enumerate(layers):
                best[i] = min(best[i], *(seconds(layer.run, options.cores) for _ in range(3)))
        report(net, layers, best, 2 * PEAK_STEPS * CHAINS * LANES * options.cores / fastest / 1e9)


def report(net: str, layers: list[Layer], best: list[float], limit: float) -> None:
    """One line a layer, and the sum."""
    print(f"\n{net}: limit {limit:.1f} GFLOP/s")
    for layer, t in zip(layers, best, strict=True):
        rate = layer.operations / t / 1e9
        s = layer.shape
        size = f"{layer.count:3} *{s.channels:5} x {s.height:3} x {s.width:3} -> {s.outputs:4} {s.kernel[0]}x{s.kernel[1]}/{s.stride[0]}"
        print(f"{layer.name:30}{size}"
              f"{t * 1e3:9.3f} ms {rate:7.1f} GFLOP/s {rate / limit:6.1%}  {layer.plan.reason}")
    total = sum(layer.count * t for layer, t in zip(layers, best, strict=True))
    rate = sum(layer.count * layer.operations for layer in layers) / total / 1e9
    print(f"{'sum':61} {total * 1e3:9.3f} ms {rate:7.1f} GFLOP/s {rate / limit:6.1%}")


if __name__ == "__main__":
    main()
