"""Convolution layers with pruned weights, by dense and sparse float32 kernels, with data: what `sparse.py` times in turn."""
from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from conv_layers import KERNEL
from winograd_f32 import Candidate, direct, winograd

from cnml.kernels.conv_plan_f32 import takes_plain
from cnml.kernels.conv_shape import Conv2dShape
from cnml.kernels.sparse_choice import choose_sparse, takes_sparse
from cnml.kernels.sparse_cost_f32 import sparse_cost
from cnml.kernels.sparse_pack_f32 import pack_sparse_f32
from cnml.kernels.sparse_plan_f32 import cuts, plan_sparse
from cnml.kernels.winograd_choice import choose_winograd
from cnml.parameter import aligned_empty
from cnrt import kernel_table

Run = Callable[[int, int], None]


class SparseLayer(NamedTuple):
    """One layer.

    Attributes
    ----------
    name : str
    count : int
        How many of the net's layers have its shape.
    macs : int
        Of the dense layer.
    direct : list of callable
        The dense kernel without a shortcut: what runs, one after another, with (task, tasks).
    best : list of callable
        The dense kernel that is chosen without zeros; the same object where that is the direct one.
    sparse : dict of float to list of callable
        By the share of zeros; without those that no sparse kernel runs.
    chosen : dict of float to bool
        Whether the sparse one is chosen.
    alive : tuple
        Memory.
    """

    name: str
    count: int
    macs: int
    direct: list[Run]
    best: list[Run]
    sparse: dict[float, list[Run]]
    chosen: dict[float, bool]
    alive: tuple[object, ...]


def prune(weights: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """The weights with exactly that share of zeros, anywhere."""
    flat = weights.reshape(-1).copy()
    flat[rng.permutation(flat.size)[:round(share * flat.size)]] = 0
    return flat.reshape(weights.shape)


def make_f32(name: str, count: int, shape: Conv2dShape, shares: list[float]) -> SparseLayer:
    """A layer in float32, with random data."""
    macs = shape.batch * shape.out[0] * shape.out[1] * shape.outputs * shape.channels // shape.group * shape.kernel[0] * shape.kernel[1]
    dense, form = direct(name, shape, 1), choose_winograd(shape).form
    best = winograd(shape, form, 1) if form else dense
    sparse, chosen, alive = dict[float, list[Run]](), dict[float, bool](), list[object]()
    for share in shares:
        zeros = round(share * shape.outputs * shape.channels // shape.group * shape.kernel[0] * shape.kernel[1])
        chosen[share] = False
        if takes_sparse(shape) and not takes_plain(shape):  # such layers read their input as it comes
            candidate = _sparse(shape, share, dense.x)
            sparse[share] = candidate.runs
            chosen[share] = choose_sparse(shape, zeros, macs // (shape.batch * shape.out[0] * shape.out[1])).cut is not None
            alive.append(candidate)
    return SparseLayer(name, count, macs, dense.runs, best.runs, sparse, chosen, (dense, best, *alive))


def _sparse(shape: Conv2dShape, share: float, x: np.ndarray) -> Candidate:
    """The sparse kernel in the cut that is estimated to be fastest."""
    rng = np.random.default_rng(0)
    plan = plan_sparse(shape, min(cuts(shape), key=lambda cut: sparse_cost(shape, cut, 1.0 - share)))
    weights = rng.standard_normal((shape.outputs, shape.channels // shape.group, *shape.kernel), np.float32)
    packed, bias = pack_sparse_f32(plan, shape, prune(weights, share, rng))
    y, scratch = aligned_empty((shape.batch, *shape.out, shape.outputs)), aligned_empty((plan.scratch_bytes,), np.uint8)
    addresses = (x.ctypes.data, packed.ctypes.data, bias.ctypes.data, 0, y.ctypes.data, plan.table.ctypes.data, scratch.ctypes.data)
    block = np.array([*addresses, plan.scratch_bytes, 1, 0, 0], np.int64)
    function, address = KERNEL(kernel_table.address(plan.kernel)), block.ctypes.data
    return Candidate(None, [lambda task, tasks: function(address, task, tasks)], x, (packed, bias, y, scratch, block, plan))
