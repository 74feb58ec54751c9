"""Winograd against direct convolutions, layer by layer, and the choice between them.

    python benchmarks/winograd_f32.py [net ...] [--batch N] [--rounds N] [--cores N] [--all]

Nets are the files of `benchmarks/shapes`; without `--all` only their layers that a Winograd kernel can run are timed. Between two runs a large
array and then the layer's input are read, so that weights come from where they lie in a whole network. Rates count the operations of the direct
convolution, so 400 % of the limit is what F(4x4,3x3) can reach at best. The sum is over the layers as many times as the net has them.
"""
from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from conv_f32 import PEAK_STEPS, peak_kernel
from conv_layers import KERNEL, SHAPES, make_layer, read_shapes, seconds

from cnml.jit import kernel_cfunc
from cnml.kernels.conv_cost_f32 import direct_cost
from cnml.kernels.conv_shape import Conv2dShape
from cnml.kernels.winograd_choice import choose_winograd, winograd_cost
from cnml.kernels.winograd_pack_f32 import pack_winograd_f32
from cnml.kernels.winograd_plan_f32 import forms_of, plan_winograd
from cnml.kernels.winograd_tiles import Form
from cnml.parameter import aligned_empty
from cnml.ukernels.peak_f32 import CHAINS, LANES
from cnrt import kernel_table

EVICTED = aligned_empty((12 << 20,))


class Candidate(NamedTuple):
    """A way to run a layer: no form is direct."""

    form: Form | None
    runs: list[Callable[[int, int], None]]
    x: np.ndarray
    alive: tuple[object, ...]

    def seconds(self, cores: int) -> float:
        """One run; the instructions of a layer one after another."""
        EVICTED.sum()
        self.x.sum()
        return sum(seconds(run, cores) for run in self.runs)


def call(function: Callable[[int, int, int], None], address: int, task: int, tasks: int) -> None:
    """One task of a kernel."""
    function(address, task, tasks)


def direct(name: str, shape: Conv2dShape, cores: int) -> Candidate:
    """The planned direct kernel."""
    layer = make_layer(name, 1, shape, cores)
    return Candidate(None, [layer.run], layer.alive[0], (layer,))  # type: ignore[arg-type]


def winograd(shape: Conv2dShape, form: Form, cores: int) -> Candidate:
    """The Winograd kernel of a form."""
    rng, plan = np.random.default_rng(0), plan_winograd(shape, form)
    x, y = aligned_empty((shape.batch, shape.height, shape.width, shape.channels)), aligned_empty((shape.batch, *shape.out, shape.outputs))
    x[...] = rng.standard_normal(x.shape, np.float32)
    packed, bias = pack_winograd_f32(plan, rng.standard_normal((shape.outputs, shape.channels // shape.group, *shape.kernel), np.float32))
    scratch = aligned_empty((plan.scratch_bytes * cores,), np.uint8)
    addresses = (x.ctypes.data, packed.ctypes.data, bias.ctypes.data, 0, y.ctypes.data, plan.table.ctypes.data, scratch.ctypes.data)
    blocks = [np.array([*addresses, plan.scratch_bytes, 1, 0, 0, step], np.int64) for step in plan.steps]
    f = KERNEL(kernel_table.address(plan.kernel))
    return Candidate(form, [partial(call, f, block.ctypes.data) for block in blocks], x, (y, packed, bias, scratch, blocks, plan))


def operations(s: Conv2dShape) -> float:
    """Of the direct convolution."""
    return 2 * math.prod((s.batch, *s.out, s.outputs, s.channels // s.group, *s.kernel))


def cell(shape: Conv2dShape, form: Form | None, time: float, direct_time: float, cores: int) -> str:
    """One candidate's time, its share of the direct kernel's, and the estimate of that share."""
    if form is None:
        return f"direct {1e3 * time:8.3f}"
    return f"{form.name} {1e3 * time:8.3f} ({time / direct_time:.2f}, est. {winograd_cost(shape, form, cores) / direct_cost(shape, cores):.2f})"


def name_of(form: Form | None) -> str:
    """For people."""
    return form.name if form else "direct"


def measure(net: str, options: argparse.Namespace) -> None:
    """Time the layers of a net and print them."""
    registers = aligned_empty((CHAINS * LANES,))
    registers[...] = 0.5
    limit, address = KERNEL(kernel_cfunc(peak_kernel)), registers.ctypes.data
    fastest = min(seconds(lambda task, tasks: limit(address, task, tasks), options.cores) for _ in range(9))
    rate = 2 * PEAK_STEPS * CHAINS * LANES * options.cores / fastest
    print(f"\n{net}: limit {rate / 1e9:.1f} GFLOP/s")
    total = dict.fromkeys(("work", "direct", "chosen", "best"), 0.0)
    for name, count, shape in read_shapes(net, options.batch):
        fits = forms_of(shape)
        if not fits and not options.all:
            continue
        tried = [direct(name, shape, options.cores), *(winograd(shape, form, options.cores) for form in fits)]
        times = dict.fromkeys((c.form for c in tried), math.inf)
        for _ in range(options.rounds * (1 if operations(shape) > 1e9 else 3)):
            for c in tried:
                times[c.form] = min(times[c.form], c.seconds(options.cores))
        choice = choose_winograd(shape, options.cores)
        best = min(times, key=times.__getitem__)
        chosen = times[choice.form]
        cells = " ".join(cell(shape, form, t, times[None], options.cores) for form, t in times.items())
        print(f"{name:26}{count:3} *{shape.channels:5} x {shape.height:3} x {shape.width:3} -> {shape.outputs:4} ms: {cells} "
              f"chosen {name_of(choice.form)} {operations(shape) / chosen / rate:5.0%}"
              f"{'' if choice.form == best else f', {name_of(best)} is {chosen / times[best] - 1:.0%} faster'}", flush=True)
        for key, value in (("work", operations(shape)), ("direct", times[None]), ("chosen", chosen), ("best", times[best])):
            total[key] += count * value
    if total["best"]:
        print(f"sum: direct {1e3 * total['direct']:.2f} ms, {total['work'] / total['direct'] / rate:.0%}; chosen {1e3 * total['chosen']:.2f} ms, "
              f"{total['work'] / total['chosen'] / rate:.0%}; best {1e3 * total['best']:.2f} ms")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nets", nargs="*", default=sorted(p.stem for p in SHAPES.glob("*.txt")))
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--all", action="store_true", help="also the layers that only direct kernels run")
    options = parser.parse_args()
    EVICTED[...] = 1
    for net in options.nets:
        measure(net, options)


if __name__ == "__main__":
    main()
