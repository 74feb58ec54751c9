"""Depthwise convolution kernels against the float64 reference."""
from __future__ import annotations

import pytest
from cnml_tests.kernels_tests.conv_case import Ending, check_conv

from cnml.cpu import isa
from cnml.kernels.conv_plan_f32 import Conv2dShape
from cnml.kernels.conv_tiles import DEPTHWISE_TILES

LANES = isa().lanes
NR = DEPTHWISE_TILES[LANES][0].nv * LANES


def depthwise(channels, kernel=(3, 3), size=(9, 10), batch=1, multiplier=1, **kw):
    """One group a channel."""
    return Conv2dShape(batch, channels, *size, channels * multiplier, kernel, group=channels, **kw)


@pytest.mark.parametrize("channels", [2, LANES - 1, LANES, LANES + 1, NR - 1, NR, NR + 1, 3 * NR])
@pytest.mark.parametrize("tasks", [1, 2, 3])
def test_channels(channels, tasks, rng):
    plan = check_conv(rng, depthwise(channels, pad=(1, 1)), tasks=tasks, ending=Ending(1), variant="depthwise")
    assert plan.variant == "depthwise"


@pytest.mark.parametrize("shape", [depthwise(20, stride=(2, 2), pad=(1, 1), batch=3), depthwise(20, (5, 2), dilation=(2, 3), pad=(3, 3)),
                                   depthwise(20, (2, 2), stride=(3, 4)), depthwise(7, (1, 1)), depthwise(40, (4, 4), (4, 4)),
                                   depthwise(3, pad=(4, 0), pad_end=(0, 1))])
def test_geometry(shape, rng):
    check_conv(rng, shape, extra=2, variant="depthwise")


@pytest.mark.parametrize("multiplier", [2, 3])
@pytest.mark.parametrize("add", ["", "other", "output"])
def test_multiplier(multiplier, add, rng):
    check_conv(rng, depthwise(NR + 5, multiplier=multiplier, pad=(1, 1)), add=add, tasks=2, ending=Ending(2, 0.5), variant="depthwise")


@pytest.mark.parametrize("add", ["", "other", "output"])
@pytest.mark.parametrize("ending", [Ending(0), Ending(1), Ending(2, 0.1), Ending(3, 0.0, 6.0)], ids=str)
def test_endings(add, ending, rng):
    check_conv(rng, depthwise(NR + 5, pad=(1, 1)), add=add, ending=ending, affine=True, variant="depthwise")
