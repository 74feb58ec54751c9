"""Sparse inner products against float64."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.kernel_run import Guarded, call, words
from cnml_tests.kernels_tests.conv_case import PLAIN, Ending, close

from cnml.cpu import converts_half, isa
from cnml.half_weights import half_name, stored_half
from cnml.kernels.sparse_inner_pack_f32 import pack_sparse_inner_f32, plan_sparse_inner
from cnml.kernels.sparse_tiles import SPARSE_ROWS, sparse_rows_for
from cnml.parameter import aligned_empty
from cnml.reference.half import round_half


def check_inner(rng, m, k, n, *, density=0.3, tasks=1, ending=PLAIN, half=False):
    """One product with pruned weights."""
    x, w, b = (rng.standard_normal(shape).astype(np.float32) for shape in ((m, k), (n, k), (n,)))
    w[rng.random(w.shape) >= density] = 0
    if half:
        w = round_half(w)
    plan, (values, bias, places, starts) = plan_sparse_inner(m, k, n), pack_sparse_inner_f32(w, b)
    assert starts[-1] == len(values) == np.count_nonzero(w)
    y, scratch = Guarded((m, n)), aligned_empty((tasks * plan.scratch_bytes + 256,), np.uint8)
    scratch[tasks * plan.scratch_bytes:] = 0xA5
    stored, kernel = (stored_half(values), half_name(plan.kernel)) if half else (values, plan.kernel)
    call(kernel, words(x, stored, bias, None, y, plan.table, scratch, plan.scratch_bytes, *ending, places, starts), tasks)
    assert (scratch[tasks * plan.scratch_bytes:] == 0xA5).all(), "scratch overrun"
    y.check()
    close(y.array, ending.apply(x.astype(np.float64) @ w.T.astype(np.float64) + b))


@pytest.mark.parametrize("m", [1, 2, 4, 5, 8, 9, 16, 17, 35])
def test_rows(m, rng):
    for k, n in ((1, 1), (37, 5), (130, 70)):
        check_inner(rng, m, k, n, tasks=1 + m % 3, ending=Ending(1))


@pytest.mark.parametrize("density", [0.0, 0.02, 1.0])
def test_density(density, rng):
    for m in (1, 4):
        check_inner(rng, m, 300, 20, density=density)


@pytest.mark.parametrize("ending", [Ending(2, 0.25), Ending(3, -1.0, 1.5)])
def test_endings(ending, rng):
    for m in (1, 8):
        check_inner(rng, m, 50, 20, ending=ending, tasks=3)


def test_the_longest_row(rng):
    check_inner(rng, 1, 1 << 16, 3, density=0.01)


@pytest.mark.skipif(not converts_half(), reason="this instruction set has no conversions of halves")
@pytest.mark.parametrize("m", [1, 3, 8, 16])
def test_half_weights(m, rng):
    check_inner(rng, m, 120, 33, half=True, tasks=2)


def test_blocks_of_rows():
    lanes = isa().lanes
    assert sparse_rows_for(1, lanes) == 1
    assert sparse_rows_for(2, lanes) == 4
    assert sparse_rows_for(1000, lanes) == SPARSE_ROWS[lanes][-1]
