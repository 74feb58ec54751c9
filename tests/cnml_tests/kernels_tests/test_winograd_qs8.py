"""Exact Winograd convolutions of codes against NumPy, bit by bit."""
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

from cnml.kernels.conv_plan_qs8 import Bytes
from cnml.kernels.conv_shape import Conv2dShape
from cnml.kernels.winograd_pack_qs8 import pack_winograd_ends_qs8, pack_winograd_qs8
from cnml.kernels.winograd_plan_qs8 import MOST_CHANNELS, plan_winograd_qs8, takes_winograd_qs8
from cnml.ukernels.winograd_integers import (
    INPUT_TRANSFORM,
    INVERSE,
    MOST_SUM,
    OUTPUT_TRANSFORM,
    SHIFT,
    TILE,
    WEIGHT_TRANSFORM,
    WINDOW,
)


def conv(channels, outputs, size=(8, 12), batch=1, **kw):
    """A shape."""
    return Conv2dShape(batch, channels, *size, outputs, (3, 3), **{"pad": (1, 1), **kw})


GEOMETRIES = {
    "whole tiles": conv(32, 64),
    "parts of tiles": conv(36, 48, size=(7, 9)),
    "no padding": conv(64, 64, size=(10, 11), pad=(0, 0)),
    "more padding": conv(32, 33, size=(3, 5), pad=(2, 3)),
    "pad at the end": conv(40, 16, pad=(0, 1), pad_end=(2, 3)),
    "batch 3": conv(35, 70, size=(6, 6), batch=3),
    "group 2": conv(64, 36, group=2),
    "many tiles": conv(32, 130, size=(29, 26)),
    "deep": conv(260, 20, size=(4, 4)),
    "one pixel": conv(32, 32, size=(1, 1)),
}


def run(rng, s, *, item=1, zero=128, limits=SIGNED, activation=RELU, add="", extra=0, tasks=1, large=None, extreme=False, **layout):
    """One convolution of random codes, or of the greatest ones."""
    codes, weights = random_codes(rng, s, zero), random_weights(rng, s)
    if extreme:
        codes[...], weights[...] = 255, np.where(np.arange(s.outputs) % 2, 127, -127).reshape(-1, 1, 1, 1)
    case = int8_case(rng, s, codes, weights, item=item, zero=zero, limits=limits, activation=activation, add=add, extra=extra, large=large)
    plan = plan_winograd_qs8(s, case.pixels, zero, **layout)
    packed, ends = pack_winograd_qs8(plan, weights), pack_winograd_ends_qs8(plan, case.factors, case.biases)

    def invoke(y, scratch):
        for step in plan.steps:
            call(f"{plan.kernel}_{'x8' if item == 1 else 'f32'}",
                 words(case.x.address, packed, ends, case.added, y.address, plan.table, scratch, plan.scratch_bytes, *activation, step, KINDS[add],
                       ADD_FACTOR, ADD_ZERO, *limits, len(ends) // 2), tasks)
    case.check(plan.scratch_bytes, tasks, invoke)


def test_the_transforms_are_a_convolution(rng):
    d, w = rng.integers(-99, 99, WINDOW), rng.integers(-99, 99, 3)
    y = OUTPUT_TRANSFORM @ ((WEIGHT_TRANSFORM @ w) * (INPUT_TRANSFORM @ d))
    np.testing.assert_array_equal(y, [30 * (d[k:k + 3] @ w) for k in range(TILE)])
    assert 900 == 225 << SHIFT
    assert 225 * INVERSE % (1 << 32) == 1


def test_transformed_operands_fit_into_sixteen_bits():
    inputs, weights = np.kron(INPUT_TRANSFORM, INPUT_TRANSFORM), np.kron(WEIGHT_TRANSFORM, WEIGHT_TRANSFORM)
    assert np.maximum(inputs, 0).sum(1).max() * 255 < 1 << 15
    assert np.maximum(-inputs, 0).sum(1).max() * 255 < 1 << 15
    assert np.abs(inputs).sum(1).max() * 128 < 1 << 15
    assert np.abs(weights).sum(1).max() * 127 < 1 << 15
    assert 255 * 127 * 9 * MOST_CHANNELS <= MOST_SUM


@pytest.mark.parametrize("tasks", [1, 3])
@pytest.mark.parametrize("item", [1, 4])
@pytest.mark.parametrize("name", GEOMETRIES)
def test_geometry(rng, name, item, tasks):
    run(rng, GEOMETRIES[name], item=item, tasks=tasks)
    run(rng, GEOMETRIES[name], item=item, tasks=tasks, zero=0, limits=UNSIGNED, extra=4)


@pytest.mark.parametrize("shared", [False, True])
def test_runs_of_tiles(rng, shared):
    for n in (1, 2, 5, 7, 16):
        run(rng, conv(48, 70, size=(13, 18)), shared=shared, run=n, tasks=2)


@pytest.mark.parametrize("add", KINDS)
@pytest.mark.parametrize("item", [1, 4])
@pytest.mark.parametrize("limits", [SIGNED, UNSIGNED, (-3.5, 17.5, 128)])
@pytest.mark.parametrize("activation", [NOTHING, RELU, LEAKY, CLIP], ids=str)
@pytest.mark.parametrize("outputs", [64, 70])
def test_endings(rng, add, item, limits, activation, outputs):
    run(rng, conv(32, outputs, size=(5, 8)), item=item, limits=limits, activation=activation, add=add, tasks=2, extra=8)


@pytest.mark.parametrize("large", [1e9, -1e9, 3e38, np.inf, -np.inf])
@pytest.mark.parametrize("activation", [NOTHING, RELU, CLIP], ids=str)
def test_results_that_no_integer_holds(rng, large, activation):
    for limits in (SIGNED, UNSIGNED):
        run(rng, conv(32, 70, size=(4, 4)), limits=limits, activation=activation, large=large)


@pytest.mark.parametrize("zero", [0, 128])
def test_the_greatest_sums_survive_the_modulus(rng, zero):
    run(rng, conv(MOST_CHANNELS, 32, size=(4, 4)), item=4, zero=zero, activation=NOTHING, extreme=True)


def test_shapes_that_do_not_fit():
    for s in (conv(28, 64), conv(64, 12), conv(1844, 64), conv(64, 64, stride=(2, 2)), conv(64, 64, dilation=(2, 2), pad=(2, 2))):
        assert not takes_winograd_qs8(s)
        with pytest.raises(ValueError, match="failed to plan an exact Winograd convolution"):
            plan_winograd_qs8(s, Bytes(64, 64), 0)


PROGRAM = """
import sys
import numpy as np
sys.path[:0] = sys.argv[1:]
from cnml_tests.kernels_tests import test_winograd_qs8 as t
for name in t.GEOMETRIES:
    for item in (1, 4):
        t.run(np.random.default_rng(5), t.GEOMETRIES[name], item=item, tasks=2, add="codes")
t.run(np.random.default_rng(6), t.conv(t.MOST_CHANNELS, 32, size=(4, 4)), item=4, activation=t.NOTHING, extreme=True)
"""


@pytest.mark.parametrize("variables", [{"NUMBA_CPU_NAME": "skylake-avx512"}, {"NUMBA_CPU_NAME": "haswell"}, {"PYCAFFE_ACC_ISA": "generic"}], ids=str)
def test_instruction_sets_agree(variables):
    tests = str(Path(__file__).parents[2])
    done = subprocess.run([sys.executable, "-c", PROGRAM, tests], env={**os.environ, **variables}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
