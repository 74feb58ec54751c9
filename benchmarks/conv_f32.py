"""Float32 convolution kernels, layer by layer, against the multiply-add limit of one core measured in the same process.

    python benchmarks/conv_f32.py [net ...] [--batch N] [--rounds N] [--cores N] [--balance TASKS | --check-model [--json F]]

Nets are the files of `benchmarks/shapes`; all of them if none is named. The limit and the layers are timed in turn, and the best round counts:
other load on the machine then lowers both.
"""
from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from conv_layers import KERNEL, SHAPES, Layer, make_layer, read_shapes, seconds, task_seconds
from conv_model import check_model

from cnml.jit import kernel_cfunc
from cnml.parameter import aligned_empty
from cnml.ukernels.peak_f32 import CHAINS, LANES, peak

PEAK_STEPS = 200_000


def balance(net: str, layers: list[Layer], tasks: int, rounds: int) -> None:
    """How evenly the tasks share each layer: every task alone on one core, so that other load does not count as imbalance."""
    print(f"\n{net}: time of the whole over {tasks} times that of the slowest of {tasks} tasks, each alone")
    whole_sum = slowest_sum = 0.0
    for layer in layers:
        whole, parts = np.inf, [np.inf] * tasks
        for _ in range(rounds):
            whole = min(whole, seconds(layer.run, 1))
            for i in range(tasks):
                parts[i] = min(parts[i], task_seconds(layer.run, i, tasks))
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
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--check-model", action="store_true", help="time every plan of each layer and show what the model's choice loses")
    parser.add_argument("--json", type=Path, help="where --check-model writes its measurements")
    options = parser.parse_args()
    if options.check_model:
        check_model(options.nets, options.batch, options.rounds, options.json)
        return
    registers = aligned_empty((CHAINS * LANES,))
    registers[...] = 0.5
    limit_function, address = KERNEL(kernel_cfunc(peak_kernel)), registers.ctypes.data
    for net in options.nets:
        layers = [make_layer(*row, max(options.cores, options.balance or 1)) for row in read_shapes(net, options.batch)]
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
