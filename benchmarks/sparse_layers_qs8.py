"""Convolution layers with weights pruned in words of four input channels, by dense and sparse INT8 kernels: what `sparse.py` times in turn."""
from __future__ import annotations

import numpy as np
from conv_qs8 import CodesCase, direct_qs8, winograd_qs8
from sparse_layers import Run, SparseLayer
from winograd_f32 import Candidate

from cnml.kernels.conv_plan_qs8 import WORD, plan_conv2d_qs8
from cnml.kernels.conv_shape import Conv2dShape
from cnml.kernels.sparse_choice_qs8 import choose_sparse_qs8
from cnml.kernels.sparse_cost_qs8 import sparse_cost_qs8
from cnml.kernels.sparse_pack_qs8 import live_words, pack_sparse_ends_qs8, pack_sparse_qs8
from cnml.kernels.sparse_plan_qs8 import plan_sparse_qs8, sparse_tiles
from cnml.kernels.winograd_plan_qs8 import chooses_winograd_qs8, winograd_cost_qs8


def prune_words(weights: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """The weights with exactly that share of the words of four input channels at one kernel position of one output zero, anywhere."""
    outputs, channels, *kernel = weights.shape
    words = np.ones((outputs, -(-channels // WORD), *kernel), bool)
    words.reshape(-1)[rng.permutation(words.size)[:round(share * words.size)]] = False
    return np.where(np.repeat(words, WORD, 1)[:, :channels], weights, np.int8(0))


def make_qs8(name: str, count: int, shape: Conv2dShape, shares: list[float]) -> SparseLayer:
    """A layer in INT8, with random codes. One of fewer than four channels stays dense: pruning leaves first layers alone."""
    macs = shape.batch * shape.out[0] * shape.out[1] * shape.outputs * shape.channels // shape.group * shape.kernel[0] * shape.kernel[1]
    case = CodesCase(shape)
    dense, cost = direct_qs8(case), plan_conv2d_qs8(shape, case.pixels, 0).cost
    best = dense
    if chooses_winograd_qs8(shape, cost):
        best, cost = winograd_qs8(case), min(cost, winograd_cost_qs8(shape))
    sparse, chosen, alive = dict[float, list[Run]](), dict.fromkeys(shares, False), list[object]()
    for share in shares if shape.channels // shape.group >= WORD else []:
        candidate, chosen[share] = _sparse(case, share, cost)
        sparse[share] = candidate.runs
        alive.append(candidate)
    return SparseLayer(name, count, macs, dense.runs, best.runs, sparse, chosen, (dense, best, *alive))


def _sparse(case: CodesCase, share: float, cost: float) -> tuple[Candidate, bool]:
    """The sparse kernel with the tile that is estimated to be fastest, and whether it is chosen."""
    shape, weights = case.shape, prune_words(case.weights, share, np.random.default_rng(0))
    words = live_words(weights)
    tile = min(sparse_tiles(shape, True), key=lambda tile: sparse_cost_qs8(shape, tile, words[0]))
    plan = plan_sparse_qs8(shape, case.pixels, 0, tile)
    ends = pack_sparse_ends_qs8(plan, np.zeros(shape.outputs, np.int32), case.factors, case.biases, 1, shape.group)
    packed = pack_sparse_qs8(plan, weights, shape.group)
    made = case.candidate("sparse_nhwc_qs8", packed, ends, plan.table, plan.scratch_bytes, 1, [(len(ends) // 3,)], (1,))
    return made, choose_sparse_qs8(shape, words, cost).tile is not None
