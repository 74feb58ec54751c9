"""The cost model of the direct convolutions."""
from __future__ import annotations

from math import prod

import pytest

from cnml.cpu import isa
from cnml.kernels.conv_blocking import direct_product
from cnml.kernels.conv_cost_f32 import blocking_cost, candidates, direct_cost
from cnml.kernels.conv_plan_f32 import plan_conv2d
from cnml.kernels.conv_shape import Conv2dShape

LANES = isa().lanes
SHAPES = [Conv2dShape(1, 64, 56, 56, 64, (3, 3), (1, 1), (1, 1)), Conv2dShape(8, 512, 7, 7, 2048, (1, 1)), Conv2dShape(1, 16, 28, 28, 24, (1, 1)),
          Conv2dShape(1, 96, 27, 27, 256, (5, 5), (1, 1), (2, 2), group=2), Conv2dShape(1, 1024, 1, 1, 1000, (1, 1))]


def limit(s):
    """Cycles of one multiply-add a cycle without any waste."""
    return s.batch * prod(s.out) * s.outputs * s.channels // s.group * prod(s.kernel) / LANES


@pytest.mark.parametrize("shape", SHAPES)
def test_never_below_the_limit(shape):
    assert limit(shape) < direct_cost(shape) < 100 * limit(shape)
    assert limit(shape) / 2 < direct_cost(shape, 2) <= direct_cost(shape)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_plan_is_the_cheapest(shape):
    product = direct_product(shape)
    cheapest = min(candidates(product), key=lambda cut: blocking_cost(product, cut))
    plan = plan_conv2d(shape)
    assert plan.kernel.endswith(f"{cheapest.tile.mr}x{cheapest.tile.nv * LANES}")
    assert blocking_cost(product, cheapest) == direct_cost(shape)


def test_unused_sums_cost():
    full, less = (direct_cost(Conv2dShape(1, 256, 28, 28, n, (3, 3), (1, 1), (1, 1))) for n in (8 * LANES, 7 * LANES + 1))
    assert less > 0.85 * full


def test_more_of_everything_costs_more():
    base = Conv2dShape(1, 64, 20, 20, 64, (3, 3), (1, 1), (1, 1))
    for bigger in (base._replace(batch=2), base._replace(channels=128), base._replace(outputs=128), base._replace(kernel=(5, 5), pad=(2, 2))):
        assert direct_cost(bigger) > 1.5 * direct_cost(base)
