"""Inner products through the convolution tiles, against float64."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.kernel_run import Guarded
from cnml_tests.kernels_tests.conv_case import Ending, close, run_plan

from cnml.kernels.inner_product_f32 import pack_inner_product_f32, plan_inner_product


@pytest.mark.parametrize("tasks", [1, 2, 3])
@pytest.mark.parametrize("transpose", [False, True])
@pytest.mark.parametrize(("m", "k", "n"), [(1, 1, 1), (1, 40, 10), (1, 1030, 130), (2, 64, 64), (5, 33, 1000), (7, 2100, 65), (13, 10, 16)])
def test_product(m, k, n, transpose, tasks, rng):
    x, w, b = (rng.standard_normal(shape).astype(np.float32) for shape in ((m, k), (n, k), (n,)))
    plan = plan_inner_product(m, k, n)
    y = Guarded((m, n))
    run_plan(plan, x, pack_inner_product_f32(plan, w.T.copy() if transpose else w, b, transpose), y, ending=Ending(1), tasks=tasks)
    close(y.array, np.maximum(x.astype(np.float64) @ w.T.astype(np.float64) + b, 0))


def test_affine_steps_and_no_bias(rng):
    x, w, a, c = rng.standard_normal((3, 20)), rng.standard_normal((9, 20)), rng.standard_normal(9), rng.standard_normal(9)
    plan = plan_inner_product(3, 20, 9)
    y = Guarded((3, 9))
    run_plan(plan, x.astype(np.float32), pack_inner_product_f32(plan, w, None, False, a, c), y)
    close(y.array, x @ w.T * a + c)


def test_batch_of_one_takes_a_single_row():
    assert "_1x" in plan_inner_product(1, 4096, 4096).kernel


def test_rows_of_a_wider_output(rng):
    x, w = rng.standard_normal((4, 12)).astype(np.float32), rng.standard_normal((6, 12)).astype(np.float32)
    plan = plan_inner_product(4, 12, 6, y_pixel=10)
    y = Guarded((4, 10), np.full((), 3, np.float32))
    run_plan(plan, x, pack_inner_product_f32(plan, w), y)
    close(y.array[:, :6], x @ w.T)
    assert (y.array[:, 6:] == 3).all()


@pytest.mark.parametrize("m", range(1, 10))
def test_few_rows(m, rng):
    """Every number of rows up to the convolution's, the last block of outputs ragged by less and by more than a vector."""
    for n in (3, 47, 48, 49, 70, 97):
        x, w, b = (rng.standard_normal(shape).astype(np.float32) for shape in ((m, 37), (n, 37), (n,)))
        plan = plan_inner_product(m, 37, n)
        y = Guarded((m, n))
        run_plan(plan, x, pack_inner_product_f32(plan, w, b), y, ending=Ending(2, 0.1), tasks=2)
        close(y.array, (lambda t: np.where(t < 0, 0.1 * t, t))(x.astype(np.float64) @ w.T.astype(np.float64) + b))
