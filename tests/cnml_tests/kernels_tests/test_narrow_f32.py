"""Convolutions with few outputs against the float64 reference."""
from __future__ import annotations

import pytest
from cnml_tests.kernels_tests.conv_case import Ending, check_conv

from cnml.cpu import isa
from cnml.kernels.conv_plan_f32 import Conv2dShape
from cnml.kernels.conv_tiles import NARROW_TILES

LANES = isa().lanes


@pytest.mark.parametrize("channels", [8, LANES - 1 if LANES > 8 else 9, LANES, LANES + 1, 3 * LANES, 3 * LANES + 5])
@pytest.mark.parametrize("outputs", [1, 2, 3, 4])
def test_channels(channels, outputs, rng):
    channels = max(channels, 8)
    plan = check_conv(rng, Conv2dShape(2, channels, 6, 7, outputs, (3, 3), pad=(1, 1)), tasks=2, ending=Ending(1))
    assert plan.variant == "narrow"


SHAPES = {
    "strided": Conv2dShape(1, 20, 9, 11, 3, (3, 2), stride=(2, 3), pad=(2, 1)),
    "dilated": Conv2dShape(1, 20, 9, 11, 1, (3, 2), dilation=(2, 3), pad=(2, 1)),
    "groups": Conv2dShape(2, 30, 5, 5, 6, (3, 3), pad=(1, 1), group=3),
    "1x1": Conv2dShape(1, 40, 5, 5, 4, (1, 1)),
    "one pixel": Conv2dShape(1, 40, 3, 3, 2, (3, 3)),
}


@pytest.mark.parametrize("tile", NARROW_TILES[LANES], ids=str)
@pytest.mark.parametrize("name", SHAPES)
def test_geometry(name, tile, rng):
    check_conv(rng, SHAPES[name], tile=tile, tasks=3, extra=2)


@pytest.mark.parametrize("add", ["", "other", "output"])
@pytest.mark.parametrize("ending", [Ending(0), Ending(1), Ending(2, 0.1), Ending(3, 0.0, 6.0)], ids=str)
def test_endings(add, ending, rng):
    check_conv(rng, Conv2dShape(1, 20, 5, 5, 3, (3, 3), pad=(1, 1)), add=add, ending=ending, affine=True)


def test_deconvolution_of_few_outputs(rng):
    plan = check_conv(rng, Conv2dShape(1, 20, 6, 5, 1, (9, 9), stride=(3, 3), pad=(4, 4)), deconv=True, tasks=2)
    assert plan.variant == "narrow"
