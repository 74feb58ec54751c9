"""INT8 convolutions: every tile, geometry and ending against NumPy, bit by bit."""
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cnml_tests.kernel_run import call, words
from cnml_tests.kernels_tests.int8_case import (
    ADD_FACTOR,
    ADD_ZERO,
    CLIP,
    KINDS,
    LEAKY,
    NOTHING,
    RELU,
    SIGNED,
    UNSIGNED,
    int8_case,
    random_codes,
    random_weights,
)

from cnml.cpu import isa
from cnml.kernels.conv_pack_qs8 import pack_ends_qs8, pack_weights_qs8
from cnml.kernels.conv_plan_qs8 import Bytes, plan_conv2d_qs8, takes_int8
from cnml.kernels.conv_shape import Conv2dShape
from cnml.kernels.conv_tiles import TILES

LANES = isa().lanes


def conv(channels, outputs, kernel=(3, 3), size=(7, 8), batch=1, **kw):
    """A shape."""
    return Conv2dShape(batch, channels, *size, outputs, kernel, **kw)


GEOMETRIES = {
    "1x1": conv(20, 33, (1, 1)),
    "1x1 strided": conv(20, 33, (1, 1), stride=(2, 3)),
    "3x3": conv(20, 64, pad=(1, 1)),
    "3x3 batch 3": conv(20, 64, batch=3, pad=(1, 1)),
    "stride 2": conv(12, 40, stride=(2, 2), pad=(1, 1)),
    "dilation": conv(12, 17, size=(12, 13), dilation=(2, 3), pad=(2, 3)),
    "pad beyond kernel": conv(12, 17, (2, 2), pad=(4, 5)),
    "pad at the end": conv(12, 17, pad=(0, 1), pad_end=(2, 3)),
    "5x3": conv(16, 48, (5, 3), pad=(2, 1)),
    "group 2": conv(16, 36, group=2, pad=(1, 1)),
    "group 5 batch 2": conv(20, 15, group=5, batch=2, stride=(1, 2)),
    "one pixel": conv(30, 70, size=(3, 3)),
    "few channels": conv(3, 64, (7, 7), size=(20, 17), stride=(2, 2), pad=(3, 3), batch=2),
    "one channel": conv(1, 20, (5, 5), size=(13, 13)),
    "two words": conv(6, 40, size=(9, 9), stride=(2, 2), pad=(1, 1)),
    "deep": conv(515, 100, (1, 1), size=(1, 1), batch=3),
}


def run(rng, s, *, item=1, zero=128, limits=SIGNED, activation=RELU, add="", extra=0, tasks=1, tile=None, large=None):
    """One convolution of random codes; gives its plan. `large` replaces some biases, with factors that no bound holds for."""
    weights = random_weights(rng, s)
    case = int8_case(rng, s, random_codes(rng, s, zero), weights, item=item, zero=zero, limits=limits, activation=activation, add=add, extra=extra,
                     large=large)
    plan = plan_conv2d_qs8(s, case.pixels, zero, tile=tile)
    packed, ends = pack_weights_qs8(plan, weights, s.group), pack_ends_qs8(plan, case.starts, case.factors, case.biases, s.group)
    name = f"conv2d_nhwc_qs8_{'x8' if item == 1 else 'f32'}_{plan.tile.mr}x{plan.nr}"
    case.check(plan.scratch_bytes, tasks, lambda y, scratch: call(name, words(
        case.x.address, packed, ends, case.added, y.address, plan.table, scratch, plan.scratch_bytes, *activation, len(ends) // 3, KINDS[add],
        ADD_FACTOR, ADD_ZERO, *limits), tasks))
    return plan


@pytest.mark.parametrize("item", [1, 4])
@pytest.mark.parametrize("tile", TILES[LANES], ids=str)
@pytest.mark.parametrize("outputs", ["one", "less", "equal", "more"])
def test_tiles(rng, tile, outputs, item):
    nr = tile.nv * LANES
    n = {"one": 1, "less": nr - 1, "equal": nr, "more": nr + 1}[outputs]
    for pixels in (1, 5, 25):
        run(rng, conv(5, n, (1, 1), (1, pixels)), tile=tile, item=item)
        run(rng, conv(5, n, (1, 1), (1, pixels)), tile=tile, item=item, add="codes", extra=4)


@pytest.mark.parametrize("depth", [1, 3, 4, 5, 12, 15, 16, 17, 64, 70])
def test_depths(rng, depth):
    for limits in (SIGNED, UNSIGNED):
        run(rng, conv(depth, LANES + 3, (2, 2), (5, 4)), limits=limits, extra=4)


@pytest.mark.parametrize("tasks", [1, 3])
@pytest.mark.parametrize("item", [1, 4])
@pytest.mark.parametrize("name", GEOMETRIES)
def test_geometry(rng, name, item, tasks):
    run(rng, GEOMETRIES[name], item=item, tasks=tasks)
    run(rng, GEOMETRIES[name], item=item, tasks=tasks, zero=0, limits=UNSIGNED, extra=4)


def test_few_channels_are_staged_in_rows(rng):
    assert "rows" in run(rng, GEOMETRIES["few channels"]).reason
    assert "direct" in run(rng, GEOMETRIES["few channels"], extra=4).reason


@pytest.mark.parametrize("add", KINDS)
@pytest.mark.parametrize("item", [1, 4])
@pytest.mark.parametrize("limits", [SIGNED, UNSIGNED, (-3.5, 17.5, 128)])
@pytest.mark.parametrize("activation", [NOTHING, RELU, LEAKY, CLIP], ids=str)
@pytest.mark.parametrize("outputs", [64, 70])
def test_endings(rng, add, item, limits, activation, outputs):
    run(rng, conv(12, outputs, pad=(1, 1), size=(5, 5)), item=item, limits=limits, activation=activation, add=add, tasks=2, extra=8)


@pytest.mark.parametrize("large", [1e9, -1e9, 3e38, np.inf, -np.inf])
@pytest.mark.parametrize("activation", [NOTHING, RELU, CLIP], ids=str)
def test_results_that_no_integer_holds(rng, large, activation):
    for limits in (SIGNED, UNSIGNED):
        run(rng, conv(12, 70, (1, 1)), limits=limits, activation=activation, large=large)


def test_nan_becomes_the_least_result(rng):
    run(rng, conv(12, 70, (1, 1)), activation=NOTHING, large=np.nan)
    run(rng, conv(12, 70, (1, 1)), activation=RELU, limits=UNSIGNED, large=np.nan)


def test_groups_must_be_whole_words():
    shape = conv(12, 12, group=2)
    assert not takes_int8(shape)
    with pytest.raises(ValueError, match="12 channels in 2 groups: a group must have a multiple of 4 channels"):
        plan_conv2d_qs8(shape, Bytes(12, 12), 128)


PROGRAM = """
import sys
import numpy as np
sys.path.insert(0, {tests!r})
from cnml.cpu import isa
from cnml_tests.kernels_tests.test_conv_qs8 import CLIP, GEOMETRIES, LANES, LEAKY, RELU, TILES, UNSIGNED, conv, run
assert isa().name == {isa!r}, isa()
rng = np.random.default_rng(0)
for item in (1, 4):
    for tile in TILES[LANES]:
        run(rng, GEOMETRIES["3x3"], tile=tile, item=item, add="codes", tasks=2)
    for shape in GEOMETRIES.values():
        run(rng, shape, item=item, zero=0, limits=UNSIGNED, extra=4)
    for activation in (RELU, LEAKY, CLIP):
        run(rng, conv(12, 70, pad=(1, 1)), item=item, activation=activation, add="floats", extra=8)
run(rng, conv(12, 70, (1, 1)), large=np.inf)
run(rng, conv(12, 70, (1, 1)), large=-1e9, limits=UNSIGNED)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("name", "cpu"), [("avx512", "skylake-avx512"), ("avx2", "haswell"), ("generic", "x86-64")])
def test_other_instruction_sets(name, cpu):
    root = Path(__file__).parents[3]
    program = PROGRAM.format(tests=str(root / "tests"), isa=name)
    subprocess.run([sys.executable, "-c", program], env={**os.environ, "NUMBA_CPU_NAME": cpu, "PYTHONPATH": str(root)}, check=True, timeout=300)
