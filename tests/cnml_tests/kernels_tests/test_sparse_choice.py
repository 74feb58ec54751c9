"""Dense or sparse, by estimated cycles, with a word of the net and by the environment."""
from __future__ import annotations

import pytest

from cnml.errors import CnmlError
from cnml.kernels.conv_cost_f32 import direct_cost
from cnml.kernels.conv_shape import Conv2dShape
from cnml.kernels.sparse_choice import choose_sparse, inner_runs_sparse, takes_sparse
from cnml.kernels.sparse_cost_f32 import inner_cost, sparse_cost, sparse_inner_cost
from cnml.kernels.sparse_plan_f32 import cuts, plan_sparse

POINTWISE = Conv2dShape(1, 256, 14, 14, 1024, (1, 1))
SQUARE = Conv2dShape(1, 256, 14, 14, 256, (3, 3), pad=(1, 1))
SIZE = 256 * 1024


@pytest.fixture(autouse=True)
def _unset(monkeypatch):
    monkeypatch.delenv("PYCAFFE_ACC_SPARSE", raising=False)
    monkeypatch.delenv("PYCAFFE_ACC_CONV", raising=False)


def test_few_zeros_run_dense_and_many_sparse():
    assert choose_sparse(POINTWISE, 0, SIZE) == (None, "")
    assert choose_sparse(POINTWISE, SIZE // 4, SIZE).cut is None
    found = choose_sparse(POINTWISE, SIZE * 9 // 10, SIZE)
    assert found.cut in cuts(POINTWISE)
    assert found.reason.startswith("90% zeros, est. 0.")


def test_more_zeros_never_change_back():
    chosen = [choose_sparse(SQUARE, SIZE * i // 50, SIZE).cut is not None for i in range(51)]
    assert chosen == sorted(chosen)
    assert chosen[-1]


def test_against_winograd_more_zeros_are_needed(monkeypatch):
    size = 9 * 256 * 256

    def first():
        return next(i for i in range(101) if choose_sparse(SQUARE, size * i // 100, size).cut is not None)
    fast = first()
    monkeypatch.setenv("PYCAFFE_ACC_CONV", "direct")
    assert first() < fast


def test_sparse_mode_decides_in_doubt_and_is_no_demand():
    sparse = [[choose_sparse(SQUARE, 9 * 256 * 256 * i // 100, 9 * 256 * 256, net=n).cut is not None for i in range(101)] for n in (False, True)]
    assert sparse[0].index(True) > sparse[1].index(True) > 40
    assert choose_sparse(POINTWISE, SIZE // 10, SIZE, net=True).reason.endswith(" of it, against sparse_mode")
    assert choose_sparse(POINTWISE, 0, SIZE, net=True).cut is None
    asked, unasked = ([bool(inner_runs_sparse(1, 4096, 4096, i << 18, net)) for i in range(65)] for net in (True, False))
    assert unasked.index(True) > asked.index(True) > 32


def test_the_environment_is_obeyed(monkeypatch):
    monkeypatch.setenv("PYCAFFE_ACC_SPARSE", "on")
    assert choose_sparse(POINTWISE, 1, SIZE).reason == "0% zeros, PYCAFFE_ACC_SPARSE asks for it"
    assert choose_sparse(POINTWISE, 0, SIZE).cut is None
    assert inner_runs_sparse(1, 100, 100, 1) == "PYCAFFE_ACC_SPARSE asks for it"
    monkeypatch.setenv("PYCAFFE_ACC_SPARSE", "off")
    assert choose_sparse(POINTWISE, SIZE - 1, SIZE, net=True).cut is None
    assert inner_runs_sparse(1, 100, 100, 9999, net=True) == ""


@pytest.mark.parametrize("ask", [lambda: choose_sparse(POINTWISE, 1, SIZE), lambda: inner_runs_sparse(1, 100, 100, 1)])
def test_unknown_override(monkeypatch, ask):
    monkeypatch.setenv("PYCAFFE_ACC_SPARSE", "yes")
    with pytest.raises(CnmlError, match="PYCAFFE_ACC_SPARSE is 'yes'; it must be one of auto, off, on"):
        ask()


def test_what_sparse_kernels_leave_to_others():
    assert not takes_sparse(SQUARE._replace(channels=3))
    assert not takes_sparse(SQUARE._replace(group=256))
    assert choose_sparse(SQUARE._replace(channels=3), 1700, 1728, net=True).cut is None
    assert inner_runs_sparse(1, (1 << 16) + 1, 10, 655360, net=True) == ""


def test_inner_products():
    assert inner_runs_sparse(1, 4096, 4096, 1 << 22) == ""
    assert inner_runs_sparse(1, 4096, 4096, int(0.95 * (1 << 24))).startswith("est. 0.")
    assert inner_runs_sparse(16, 4096, 4096, int(0.9 * (1 << 24))).startswith("est. 0.")


def test_estimates_grow_with_the_work():
    for cut in cuts(SQUARE):
        estimates = [sparse_cost(SQUARE, cut, d) for d in (0.0, 0.05, 0.3, 1.0)]
        assert estimates == sorted(estimates)
        assert sparse_cost(SQUARE._replace(batch=4), cut, 0.1) > 2 * sparse_cost(SQUARE, cut, 0.1)
    assert min(sparse_cost(SQUARE, cut, 1.0) for cut in cuts(SQUARE)) > direct_cost(SQUARE)
    assert sparse_inner_cost(1, 4096, 4096, 0.1) < sparse_inner_cost(1, 4096, 4096, 0.2) < sparse_inner_cost(8, 4096, 4096, 0.2)
    assert inner_cost(1, 4096, 4096, 2) < inner_cost(1, 4096, 4096)


def test_a_layer_of_few_pixels_is_cut_by_outputs():
    few = Conv2dShape(1, 512, 7, 7, 2048, (1, 1))
    assert plan_sparse(few, cuts(few)[0]).part <= 256
    assert "a block" in plan_sparse(few, cuts(few)[0]).reason
