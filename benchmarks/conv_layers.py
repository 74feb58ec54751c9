"""Convolution layers of the networks, planned and with data, for the benchmarks."""
from __future__ import annotations

import ctypes
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

import cnml.kernels  # noqa: F401  registers the kernels
from cnml.kernels.conv_pack_f32 import pack_conv2d_f32
from cnml.kernels.conv_plan_f32 import ConvPlan, plan_conv2d, takes_plain
from cnml.kernels.conv_shape import Conv2dShape
from cnml.kernels.conv_tiles import Tile
from cnml.parameter import aligned_empty
from cnrt import kernel_table

SHAPES = Path(__file__).parent / "shapes"
KERNEL = ctypes.CFUNCTYPE(None, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64)


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


def read_shapes(net: str, batch: int = 1) -> list[tuple[str, int, Conv2dShape]]:
    """Distinct layers of a file: the first one's name, how many there are, and the shape. See `write_shapes.py` for the columns."""
    layers: dict[Conv2dShape, list[str]] = {}
    for line in (SHAPES / f"{net}.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            name, *numbers, stride, pad, group = line.split()
            c, h, w, o, kh, kw = map(int, numbers)
            layers.setdefault(Conv2dShape(batch, c, h, w, o, (kh, kw), both(stride), both(pad), group=int(group)), []).append(name)
    return [(names[0], len(names), shape) for shape, names in layers.items()]


def make_layer(name: str, count: int, shape: Conv2dShape, cores: int, tile: Tile | None = None, panel_outer: bool | None = None) -> Layer:
    """Random data and weights for a layer, planned by the model or with a given tile and order."""
    rng = np.random.default_rng(0)
    plan = plan_conv2d(shape, plain_input=takes_plain(shape), tile=tile, panel_outer=panel_outer)
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
    """Time of one call with every task on a thread of its own; of the processor alone when there is one, so that other load counts less."""
    if cores == 1:
        return task_seconds(run, 0, 1)
    others = [threading.Thread(target=run, args=(task, cores)) for task in range(1, cores)]
    start = time.perf_counter()
    for t in others:
        t.start()
    run(0, cores)
    for t in others:
        t.join()
    return time.perf_counter() - start


def task_seconds(run: Callable[[int, int], None], task: int, tasks: int) -> float:
    """Processor time of one task."""
    start = time.thread_time_ns()
    run(task, tasks)
    return (time.thread_time_ns() - start) / 1e9
