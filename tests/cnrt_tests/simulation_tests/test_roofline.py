"""A core's part of an instruction."""
from __future__ import annotations

import pytest
from cnrt_tests.simulation_tests.small_card import CARD, HEAVY, WIDE

from cnrt.cost import Cost, Launch
from cnrt.errors import CnrtError, RetCode
from cnrt.simulation.roofline import arithmetic_seconds, share, spread


def test_arithmetic_fills_the_array_or_not():
    assert arithmetic_seconds(HEAVY, CARD) == 8.0
    assert arithmetic_seconds(HEAVY._replace(dtype="int8"), CARD) == 4.0
    assert arithmetic_seconds(HEAVY._replace(inner=5), CARD) == pytest.approx(8.0 * 8 / 5)  # 5 terms take two passes of 4
    assert arithmetic_seconds(HEAVY._replace(outer=2), CARD) == pytest.approx(16.0)
    assert arithmetic_seconds(HEAVY._replace(ops=30), CARD) == pytest.approx(11.0)


def test_small_products_go_through_the_vector_unit():
    tiny = Cost("depthwise", "float16", macs=800, inner=1, outer=1)
    assert arithmetic_seconds(tiny, CARD.with_constants(vector_ops_per_second=1e3)) == pytest.approx(1.6)
    assert arithmetic_seconds(tiny, CARD) == pytest.approx(128.0)


def test_sparse_kernels_leave_products_out_down_to_a_floor():
    assert [arithmetic_seconds(HEAVY._replace(density=d), CARD) for d in (1.0, 0.75, 0.25, 0.05)] == pytest.approx([8.0, 6.0, 2.0, 2.0])
    half = CARD.with_constants(sparse_efficiency=0.5)
    assert arithmetic_seconds(HEAVY._replace(density=0.5), half) == pytest.approx(6.0)
    assert share(HEAVY._replace(weight_bytes=100, density=0.5), CARD, Launch()).weight_bytes == 50.0


def test_a_slice_is_what_a_core_gets():
    cost = Cost("c", "float16", 800, 8, 8, 0, 40, 200, 100, images=4)
    assert share(cost, CARD, Launch(2)) == (8.0, 40.0, 300.0)                     # an offline function: costs of one slice
    assert share(cost, CARD, Launch(2, 1, whole=True)) == (4.0, 40.0, 150.0)      # a net: costs of the batch
    assert share(cost, CARD, Launch(1, 2)) == (4.0, 20.0, 250.0)                  # the whole input, half of weights and output


def test_a_batch_that_is_too_small_shares_images():
    assert spread(Cost("c", "int8", images=4), Launch(4, 1, whole=True)) == (4, 1)
    assert spread(Cost("c", "int8", images=2), Launch(4, 1, whole=True)) == (2, 2)
    assert spread(Cost("c", "int8", images=1), Launch(2, 2)) == (2, 2)


def test_what_fits_beside_the_core_is_not_moved():
    card = CARD.with_constants(onchip_bytes=1000.0)
    assert share(WIDE, card, Launch()).value_bytes == 4000.0
    assert share(WIDE._replace(images=2), card, Launch()).value_bytes == 0.0  # an image at a time
    assert share(WIDE, card, Launch(1, 2)).value_bytes == 2000.0              # half of the output fits, the whole input does not


def test_other_types_are_refused():
    with pytest.raises(CnrtError, match="float32 arithmetic on small: its spec has rates for float16, int8") as e:
        share(HEAVY._replace(dtype="float32"), CARD, Launch())
    assert e.value.code == RetCode.ERR_UNSUPPORTED
