"""INT8 depthwise convolutions against NumPy."""
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cnml_tests.kernel_run import call, words
from cnml_tests.kernels_tests.guarded_bytes import Pixels, pitches

from cnml.kernels.conv_plan_qs8 import Bytes
from cnml.kernels.conv_shape import Conv2dShape
from cnml.kernels.depthwise_plan_qs8 import MOST_TAPS, channel_blocks, pack_depthwise_ends_qs8, pack_depthwise_qs8, plan_depthwise_qs8
from cnml.parameter import aligned_empty
from cnml.reference.codes import encode
from cnml.reference.depthwise_int8 import depthwise_units
from cnml.reference.quantized import activated

CHANNELS = (1, 3, 15, 16, 17, 64, 70)
SIGNED, UNSIGNED = (-127.0, 127.0, 128), (0.0, 255.0, 0)


def depthwise(channels, kernel=(3, 3), size=(7, 9), batch=1, **kw):
    """One group a channel."""
    return Conv2dShape(batch, channels, *size, channels, kernel, group=channels, **kw)


GEOMETRIES = {
    "3x3": depthwise(40, pad=(1, 1), batch=2),
    "3x3 without pad": depthwise(40, size=(6, 6)),
    "3x3s2": depthwise(40, stride=(2, 2), pad=(1, 1), size=(9, 12)),
    "3x3 stride 2 down": depthwise(40, stride=(2, 1), pad=(1, 1)),
    "5x5": depthwise(40, (5, 5), pad=(2, 2), size=(8, 11)),
    "5x5s2": depthwise(40, (5, 5), stride=(2, 2), pad=(2, 2), size=(8, 11)),
    "pad at the end": depthwise(40, stride=(2, 2), pad=(0, 0), pad_end=(1, 1), size=(8, 8)),
    "larger than the image": depthwise(40, size=(1, 2), pad=(1, 1)),
    "many lines": depthwise(8, pad=(1, 1), size=(50, 5)),
    "7x7": depthwise(40, (7, 7), pad=(3, 3)),
    "1x1": depthwise(40, (1, 1)),
    "2x4": depthwise(40, (2, 4), pad=(1, 2)),
    "dilation": depthwise(40, dilation=(2, 3), pad=(2, 3), size=(9, 10)),
    "stride 3": depthwise(40, stride=(3, 3), size=(11, 12)),
}


def run(rng, shape, *, item=1, zero=128, limits=SIGNED, activation=(1, 0.0, 0.0), tasks=1, extra=0, general=False):
    """One case of random codes; gives its plan."""
    c = shape.channels
    codes = rng.integers(1 if zero else 0, 256, (shape.batch, shape.height, shape.width, c)).astype(np.uint8)
    weights = rng.integers(-127, 128, (c, 1, *shape.kernel)).astype(np.int8)
    factors = (rng.random(c) / (40 * np.sqrt(shape.kernel[0] * shape.kernel[1]))).astype(np.float32)
    biases = (rng.standard_normal(c) * 20).astype(np.float32)
    want = activated(depthwise_units(codes, weights, zero, factors, biases, shape.out, shape.stride, shape.pad, shape.dilation), *activation)
    if item == 1:
        want = encode(want, *limits)
    x, y = Pixels(codes, pitches(c)[0] + extra), Pixels(np.zeros_like(want), pitches(c, item)[0] + 2 * extra)
    plan = plan_depthwise_qs8(shape, Bytes(x.pitch, y.pitch), zero, item, general=general)
    starts = -zero * weights.astype(np.int64).sum((1, 2, 3))
    packed, ends = pack_depthwise_qs8(plan, weights), pack_depthwise_ends_qs8(plan, starts, factors, biases)
    scratch = aligned_empty((tasks * plan.scratch_bytes + 64,), np.uint8)
    scratch[...] = 0xA5
    call(plan.kernel, words(x.address, packed, ends, y.address, plan.table, scratch, plan.scratch_bytes, *activation, *limits), tasks)
    assert (scratch[tasks * plan.scratch_bytes:] == 0xA5).all(), "scratch overrun"
    y.check()
    np.testing.assert_array_equal(y.values, want)
    return plan


@pytest.mark.parametrize("tasks", [1, 3])
@pytest.mark.parametrize("item", [1, 4])
@pytest.mark.parametrize("name", GEOMETRIES)
def test_geometry(rng, name, item, tasks):
    run(rng, GEOMETRIES[name], item=item, tasks=tasks)
    run(rng, GEOMETRIES[name], item=item, tasks=tasks, zero=0, limits=UNSIGNED, extra=8)


@pytest.mark.parametrize("general", [False, True])
@pytest.mark.parametrize("item", [1, 4])
@pytest.mark.parametrize("channels", [*CHANNELS, 31, 33, 48, 96, 144])
def test_channels(rng, channels, item, general):
    run(rng, depthwise(channels, pad=(1, 1)), item=item, general=general, extra=4)
    run(rng, depthwise(channels, pad=(1, 1), stride=(2, 2)), item=item, general=general, tasks=2)


@pytest.mark.parametrize("width", range(1, 10))
def test_widths(rng, width):
    for stride in (1, 2):
        assert run(rng, depthwise(20, size=(5, width), pad=(1, 1), stride=(stride, stride))).lined


@pytest.mark.parametrize("activation", [(0, 0.0, 0.0), (1, 0.0, 0.0), (2, 0.25, 0.0), (3, -1.5, 60.0)])
@pytest.mark.parametrize("item", [1, 4])
def test_endings(rng, item, activation):
    run(rng, depthwise(70, pad=(1, 1)), item=item, activation=activation)
    run(rng, depthwise(70, pad=(1, 1)), activation=activation, limits=UNSIGNED, item=item)


def test_largest_sums():
    """All products as large as they can be: the sum must not wrap or saturate."""
    shape = depthwise(16, (15, 15), size=(15, 15))
    codes, weights = np.full((1, 15, 15, 16), 255, np.uint8), np.full((16, 1, 15, 15), 127, np.int8)
    weights[1::2] *= -1
    x, y = Pixels(codes, 16), Pixels(np.zeros((1, 1, 1, 16), np.float32), 64)
    plan = plan_depthwise_qs8(shape, Bytes(16, 64), 0, 4)
    ends = pack_depthwise_ends_qs8(plan, np.zeros(16), np.ones(16), np.zeros(16))
    packed, scratch = pack_depthwise_qs8(plan, weights), aligned_empty((plan.scratch_bytes,), np.uint8)
    call(plan.kernel, words(x.address, packed, ends, y.address, plan.table, scratch, plan.scratch_bytes, 0, 0.0, 0.0, 0.0, 255.0, 0))
    np.testing.assert_array_equal(y.values.reshape(-1), np.resize([1.0, -1.0], 16) * 225 * 255 * 127)


@pytest.mark.parametrize("channels", range(1, 300))
def test_blocks_cover_all_channels(channels):
    covered = np.zeros(channels, int)
    for first, width, columns in channel_blocks(channels):
        assert columns == width or (columns == channels and first == 0 and width < 2 * max(columns, 16))
        covered[first:first + columns] += 1
    assert covered.min() >= 1 and covered.max() <= 2 and len(covered) == channels


def test_refused():
    with pytest.raises(ValueError, match="8 channels in 8 groups with 16 outputs: all three must be equal"):
        plan_depthwise_qs8(Conv2dShape(1, 8, 9, 9, 16, (3, 3), group=8), Bytes(8, 16), 128)
    with pytest.raises(ValueError, match=f"kernel of 300x300: sums of more than {MOST_TAPS} products"):
        plan_depthwise_qs8(depthwise(8, (300, 300), size=(300, 300)), Bytes(8, 8), 128)


PROGRAM = """
import sys
import numpy as np
sys.path.insert(0, {tests!r})
from cnml.cpu import isa
from cnml_tests.kernels_tests.test_depthwise_qs8 import CHANNELS, GEOMETRIES, UNSIGNED, depthwise, run
assert isa().name == {isa!r}, isa()
rng = np.random.default_rng(0)
for item in (1, 4):
    for shape in GEOMETRIES.values():
        run(rng, shape, item=item, tasks=2)
    for channels in CHANNELS:
        run(rng, depthwise(channels, pad=(1, 1)), item=item, zero=0, limits=UNSIGNED, extra=8)
        run(rng, depthwise(channels, pad=(1, 1)), item=item, general=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("name", "cpu"), [("avx512", "skylake-avx512"), ("avx2", "haswell"), ("generic", "x86-64")])
def test_other_instruction_sets(name, cpu):
    root = Path(__file__).parents[3]
    program = PROGRAM.format(tests=str(root / "tests"), isa=name)
    subprocess.run([sys.executable, "-c", program], env={**os.environ, "NUMBA_CPU_NAME": cpu, "PYTHONPATH": str(root)}, check=True, timeout=300)
