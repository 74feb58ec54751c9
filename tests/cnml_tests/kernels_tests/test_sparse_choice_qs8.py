"""The choice between dense and sparse INT8 convolutions."""
from __future__ import annotations

from math import prod

import pytest

from cnml.errors import CnmlError
from cnml.kernels.conv_plan_qs8 import Bytes, plan_conv2d_qs8
from cnml.kernels.conv_shape import Conv2dShape
from cnml.kernels.sparse_choice_qs8 import choose_sparse_qs8, rows_run_sparse
from cnml.kernels.sparse_cost_qs8 import sparse_cost_qs8
from cnml.kernels.sparse_plan_qs8 import SparseTile, sparse_tiles

SHAPE = Conv2dShape(1, 256, 14, 14, 256, (3, 3), pad=(1, 1))


def chosen(shape, share, **options):
    """The choice with that share of the words empty."""
    every = shape.outputs * -(-shape.channels // shape.group // 4) * prod(shape.kernel)
    cost = plan_conv2d_qs8(shape, Bytes(-(-shape.channels // 4) * 4, shape.outputs), 0).cost
    return choose_sparse_qs8(shape, (round(every * (1 - share)), every), cost, **options)


def test_more_empty_words_turn_the_choice_once():
    ways = [chosen(SHAPE, n / 20).tile is not None for n in range(21)]
    assert ways == sorted(ways)
    assert not ways[0] and not ways[4]
    assert ways[16] and ways[20]


def test_words_that_all_live_leave_nothing_to_choose():
    assert chosen(SHAPE, 0.0, net=True) == (None, "")


def test_sparse_mode_decides_in_doubt_and_is_no_demand():
    unasked, asked = ([chosen(SHAPE, n / 100, net=net).tile is not None for n in range(101)] for net in (False, True))
    assert unasked.index(True) > asked.index(True) > 20


@pytest.mark.parametrize(("value", "share", "sparse"), [("off", 0.99, False), ("on", 0.01, True), ("auto", 0.01, False), ("", 0.99, True)])
def test_the_environment_may_say(monkeypatch, value, share, sparse):
    monkeypatch.setenv("PYCAFFE_ACC_SPARSE", value)
    assert (chosen(SHAPE, share).tile is not None) == sparse


def test_an_unknown_value_is_refused(monkeypatch):
    monkeypatch.setenv("PYCAFFE_ACC_SPARSE", "yes")
    with pytest.raises(CnmlError, match="PYCAFFE_ACC_SPARSE is 'yes'; it must be one of auto, off, on"):
        chosen(SHAPE, 0.5)


def test_few_rows_stay_dense_unless_the_environment_asks(monkeypatch):
    row = Conv2dShape(1, 4096, 1, 1, 4096, (1, 1))
    assert chosen(row, 0.95).tile is None
    assert chosen(row._replace(batch=16), 0.95).tile is None
    assert chosen(row, 0.95, net=True) == (None, "95% empty words, too few pixels for sparse lanes, against sparse_mode")
    assert chosen(row._replace(batch=64), 0.95).tile is not None
    monkeypatch.setenv("PYCAFFE_ACC_SPARSE", "on")
    assert chosen(row, 0.95).tile is not None


def test_few_rows_have_a_kernel_of_their_own(monkeypatch):
    row, every = Conv2dShape(1, 4096, 1, 1, 4096, (1, 1)), 1 << 22
    assert rows_run_sparse(row, (every // 10, every), 1e6).startswith("90% empty words, est. 0.")
    assert not rows_run_sparse(row, (every // 2, every), 1e6)
    assert not rows_run_sparse(row._replace(batch=16), (every // 10, every), 1e6)
    assert not rows_run_sparse(row, (every, every), 1e6)
    assert not rows_run_sparse(SHAPE, (10, 1000), 1e9)
    monkeypatch.setenv("PYCAFFE_ACC_SPARSE", "on")
    assert rows_run_sparse(row, (every // 2, every), 1e6) == "50% empty words, PYCAFFE_ACC_SPARSE asks for it"
    monkeypatch.setenv("PYCAFFE_ACC_SPARSE", "off")
    assert not rows_run_sparse(row, (0, every), 1e6)


@pytest.mark.parametrize("shape", [SHAPE, Conv2dShape(4, 12, 9, 7, 30, (1, 1), stride=(2, 2)), Conv2dShape(2, 64, 13, 30, 40, (3, 5), group=2)])
def test_costs_grow_with_live_words_and_images(shape):
    for tile in sparse_tiles(shape, True):
        costs = [sparse_cost_qs8(shape, tile, live) for live in (0, 100, 1000)]
        assert 0 < costs[0] < costs[1] < costs[2]
        assert sparse_cost_qs8(shape._replace(batch=5 * shape.batch), tile, 100) > costs[1]


def test_tiles_of_lines_need_a_dense_input():
    assert chosen(SHAPE, 0.9, dense_input=False).tile in [SparseTile(v) for v in range(1, 9)]
