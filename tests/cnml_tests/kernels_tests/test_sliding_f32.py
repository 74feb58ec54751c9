"""Depthwise convolution kernels along lines against the float64 reference."""
from __future__ import annotations

import os
import subprocess
import sys

import pytest
from cnml_tests.kernels_tests.conv_case import Ending, check_conv

from cnml.cpu import isa
from cnml.kernels import conv_table as ct
from cnml.kernels.conv_plan_f32 import Conv2dShape, plan_conv2d
from cnml.kernels.conv_tiles import SLIDING_TILES

LANES = isa().lanes
WIDE = SLIDING_TILES[LANES][0].mr
NR = SLIDING_TILES[LANES][0].nv * LANES


def depthwise(channels, kernel=(3, 3), size=(9, 10), batch=1, **kw):
    """One group a channel."""
    return Conv2dShape(batch, channels, *size, channels, kernel, group=channels, **kw)


@pytest.mark.parametrize("channels", [2, LANES - 1, LANES, LANES + 1, NR - 1, NR, NR + 1, 3 * NR])
@pytest.mark.parametrize("tasks", [1, 2, 3])
def test_channels(channels, tasks, rng):
    plan = check_conv(rng, depthwise(channels, pad=(1, 1)), tasks=tasks, ending=Ending(1))
    assert plan.variant == "sliding"


@pytest.mark.parametrize("width", [3, WIDE - 1, WIDE, WIDE + 1, 2 * WIDE + 1])
@pytest.mark.parametrize("stride", [1, 2])
def test_widths(width, stride, rng):
    check_conv(rng, depthwise(20, size=(8, width), stride=(stride, stride), pad=(1, 1)), tasks=2, extra=3)


@pytest.mark.parametrize("shape", [depthwise(20, stride=(2, 2), pad=(1, 1), batch=3), depthwise(20, (5, 5), pad=(2, 2), size=(40, 9)),
                                   depthwise(20, (4, 4), pad=(1, 2)), depthwise(20, (4, 4), stride=(2, 2), pad=(3, 3)),
                                   depthwise(7, (1, 3), stride=(3, 2)), depthwise(9, (7, 5), stride=(1, 2), pad=(6, 4)),
                                   depthwise(3, pad=(2, 0), pad_end=(0, 1)), depthwise(3, size=(1, 1), pad=(1, 1)),
                                   depthwise(3, (3, 4), size=(2, 1), pad=(5, 6))])
def test_geometry(shape, rng):
    assert check_conv(rng, shape, tasks=2).variant == "sliding"


@pytest.mark.parametrize("add", ["", "other", "output"])
@pytest.mark.parametrize("ending", [Ending(0), Ending(1), Ending(2, 0.1), Ending(3, 0.0, 6.0)], ids=str)
def test_endings(add, ending, rng):
    check_conv(rng, depthwise(NR + 5, pad=(1, 1)), add=add, ending=ending, affine=True)


@pytest.mark.parametrize("shape", [depthwise(8, (3, 6)), depthwise(8, dilation=(1, 2)), depthwise(8, stride=(1, 3)),
                                   Conv2dShape(1, 8, 9, 9, 16, (3, 3), group=8)])
def test_others_are_left_to_the_general_kernel(shape, rng):
    assert check_conv(rng, shape).variant == "depthwise"


def test_bands_cover_every_line():
    for height in range(1, 60):
        plan = plan_conv2d(depthwise(8, size=(height, 12), pad=(1, 1)))
        lines = int(plan.table[ct.CHUNK]) // 12
        assert 1 <= lines <= 16


def test_avx2(tmp_path):
    if LANES != 16:
        pytest.skip("the host's own vectors are no wider")
    environment = {**os.environ, "NUMBA_CPU_NAME": "haswell"}
    result = subprocess.run([sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", __file__, "-k", "widths or endings"],
                            env=environment, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stdout[-3000:]
