"""The cost model of the direct convolutions against measurements: every tile and order of loops, in turn, for each layer."""
from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from conv_layers import Layer, make_layer, read_shapes, task_seconds

from cnml.kernels.conv_blocking import Blocking, Product, direct_product
from cnml.kernels.conv_cost_f32 import blocking_cost, candidates
from cnml.kernels.conv_plan_f32 import OWN_TILES, plan_conv2d, takes_plain
from cnml.kernels.conv_shape import Conv2dShape

HOPELESS = 1.5  # a plan that the model holds for so much slower than its choice is not tried
SHORT = 0.5e-3   # seconds of a layer that gets one trial a round
CYCLES_SECOND = 3e9


class Tried(NamedTuple):
    """One plan of a layer."""

    cut: Blocking
    cost: float
    layer: Layer


def plans(name: str, count: int, shape: Conv2dShape) -> tuple[Product, list[Tried]]:
    """The plans worth a trial, the model's choice first."""
    product = direct_product(shape, staged=takes_plain(shape))
    costs = sorted(((blocking_cost(product, cut), cut) for cut in candidates(product)), key=lambda row: row[0])
    return product, [Tried(cut, cost, make_layer(name, count, shape, 1, cut.tile, cut.panel_outer))
                     for cost, cut in costs if cost <= HOPELESS * costs[0][0]]


def measure(tried: list[Tried], rounds: int) -> list[float]:
    """Best processor seconds of each, in turn, with its data near the core; short layers get more rounds."""
    best = [np.inf] * len(tried)
    for _ in range(rounds * max(1, round(SHORT / (tried[0].cost / CYCLES_SECOND)))):
        for i, t in enumerate(tried):
            best[i] = min(best[i], *(task_seconds(t.layer.run, 0, 1) for _ in range(2)))
    return best


def check_model(nets: list[str], batch: int, rounds: int, out: Path | None) -> None:
    """Print, for every layer that a direct kernel runs, the model's choice, the fastest plan, and what the choice loses."""
    rows: list[dict[str, Any]] = []
    seen: dict[Conv2dShape, tuple[list[Tried], list[float]]] = {}
    for net in nets:
        chosen_sum = best_sum = worst = 0.0
        print(f"\n{net}: chosen, fastest")
        for name, count, shape in read_shapes(net, batch):
            if plan_conv2d(shape, plain_input=takes_plain(shape)).variant in (*OWN_TILES, "sliding"):
                continue
            if shape not in seen:
                product, tried = plans(name, count, shape)
                seen[shape] = tried, measure(tried, rounds)
                rows += [dict(net=net, name=name, shape=shape, cut=t.cut, staged=product.staged, cost=t.cost, seconds=s)
                         for t, s in zip(*seen[shape], strict=True)]
            tried, times = seen[shape]
            fastest = int(np.argmin(times))
            loss = times[0] / times[fastest] - 1
            chosen_sum, best_sum, worst = chosen_sum + count * times[0], best_sum + count * times[fastest], max(worst, loss)
            words = [f"{t.cut.tile.mr}x{t.cut.tile.nv} {'w' if t.cut.panel_outer else 'p'} {1e3 * times[i]:8.3f} ms"
                     for i, t in ((0, tried[0]), (fastest, tried[fastest]))]
            print(f"{name:30}{count:3} * {words[0]}   {words[1]}   {loss:6.1%}")
        if best_sum:
            print(f"{'sum':36}{1e3 * chosen_sum:9.3f} ms against {1e3 * best_sum:9.3f} ms: {chosen_sum / best_sum - 1:.1%}, worst layer {worst:.1%}")
    if out is not None:
        out.write_text(json.dumps(rows))
