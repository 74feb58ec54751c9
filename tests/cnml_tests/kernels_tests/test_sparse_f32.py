"""Sparse convolution kernels: every cut, boundary class and ending against the float64 reference."""
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cnml_tests.kernel_run import Guarded
from cnml_tests.kernels_tests.conv_case import PLAIN, Ending, close, run_plan

from cnml.kernels import sparse_plan_f32
from cnml.kernels.conv_plan_f32 import Pixels
from cnml.kernels.conv_shape import Conv2dShape
from cnml.kernels.sparse_pack_f32 import pack_sparse_f32, places
from cnml.kernels.sparse_plan_f32 import cuts, plan_sparse
from cnml.reference.convolution import convolution
from cnml.reference.sparse_nhwc import sparse_nhwc


def conv(channels, outputs, kernel=(3, 3), size=(9, 10), batch=1, **kw):
    """A shape."""
    return Conv2dShape(batch, channels, *size, outputs, kernel, **kw)


def pruned(rng, s, density):
    """Weights of which about that share is not zero."""
    w = rng.standard_normal((s.outputs, s.channels // s.group, *s.kernel)).astype(np.float32)
    w[rng.random(w.shape) >= density] = 0
    return w


def check(rng, s, cut, density=0.2, *, tasks=1, add=False, ending=PLAIN, extra=0):
    """One convolution with pruned weights."""
    x, w = rng.standard_normal((s.batch, s.channels, s.height, s.width)).astype(np.float32), pruned(rng, s, density)
    b = rng.standard_normal(s.outputs).astype(np.float32)
    want = convolution(x, w, b, s.out, s.stride, s.pad, s.dilation, s.group).transpose(0, 2, 3, 1)
    wide = Guarded((s.batch, s.height, s.width, s.channels + extra), np.full((), np.nan, np.float32))  # what lies between is not read
    wide.array[..., :s.channels] = x.transpose(0, 2, 3, 1)
    y, other = Guarded((s.batch, *s.out, s.outputs + extra), np.full((), -7, np.float32)), None
    if add:
        other = Guarded(want.shape, rng.standard_normal(want.shape).astype(np.float32))
        want = want + other.array
    plan = plan_sparse(s, cut, pixels=Pixels(s.channels + extra, s.outputs + extra))
    run_plan(plan, wide.array, pack_sparse_f32(plan, s, w, b), y, other, ending, tasks)
    close(y.array[..., :s.outputs], ending.apply(want))
    assert (y.array[..., s.outputs:] == -7).all(), "wrote between the output's pixels"


CASES = {
    "1x1": conv(20, 33, (1, 1)),
    "1x1 strided, batch 3": conv(20, 70, (1, 1), stride=(2, 3), batch=3),
    "1x1 padded": conv(20, 16, (1, 1), size=(5, 6), pad=(1, 2)),
    "3x3": conv(20, 64, size=(17, 35), pad=(1, 1)),
    "3x3 batch 3": conv(16, 33, batch=3, pad=(1, 1)),
    "stride 2": conv(24, 40, size=(19, 20), stride=(2, 2), pad=(1, 1)),
    "stride beyond kernel": conv(12, 17, (2, 2), size=(13, 14), stride=(4, 3)),
    "dilation": conv(12, 17, size=(12, 13), dilation=(2, 3), pad=(2, 3)),
    "pad beyond kernel": conv(12, 17, (2, 2), pad=(4, 5)),
    "kernel beyond image": conv(12, 17, (6, 4), size=(3, 2), pad=(2, 1), stride=(4, 4)),
    "pad at the end": conv(12, 17, pad=(0, 1), pad_end=(2, 3)),
    "5x3": conv(16, 48, (5, 3), pad=(2, 1)),
    "groups": conv(40, 36, group=2, pad=(1, 1), batch=2),
    "1x1 groups": conv(36, 60, (1, 1), group=3),
    "one pixel": conv(30, 70, size=(3, 3)),
    "few channels": conv(3, 20, (7, 7), size=(20, 17), stride=(2, 2), pad=(3, 3)),
}


@pytest.mark.parametrize("name", CASES)
def test_every_cut(name, rng):
    for i, cut in enumerate(cuts(CASES[name])):
        check(rng, CASES[name], cut, tasks=1 + i % 3, add=i % 2 == 0, ending=Ending(1), extra=3 * (i % 2))


@pytest.mark.parametrize("density", [0.0, 0.01, 0.5, 1.0])
@pytest.mark.parametrize("name", ["1x1", "3x3 batch 3", "groups"])
def test_density(name, density, rng):
    for cut in cuts(CASES[name]):
        check(rng, CASES[name], cut, density)


@pytest.mark.parametrize("ending", [PLAIN, Ending(1), Ending(2, 0.25), Ending(3, -1.0, 1.5)])
def test_endings(ending, rng):
    for add in (False, True):
        check(rng, CASES["3x3"], cuts(CASES["3x3"])[0], ending=ending, add=add)


@pytest.mark.parametrize("tasks", [1, 2, 3, 5, 40])
def test_tasks_give_the_same_bits(tasks, rng):
    s = conv(40, 200, size=(8, 9), pad=(1, 1), batch=2)
    x, w = rng.standard_normal((2, 8, 9, 40)).astype(np.float32), pruned(rng, s, 0.3)
    for cut in cuts(s):
        plan, results = plan_sparse(s, cut), []
        for n in (1, tasks):
            results.append(Guarded((2, *s.out, 200)))
            run_plan(plan, x, pack_sparse_f32(plan, s, w), results[-1], tasks=n)
        np.testing.assert_array_equal(results[0].array, results[1].array)


def test_deep_layers_are_cut_into_blocks_of_channels_and_parts_of_outputs(monkeypatch, rng):
    monkeypatch.setattr(sparse_plan_f32, "PANEL_NEAR", 4096)
    monkeypatch.setattr(sparse_plan_f32, "PART", 32)
    for s in (conv(100, 90, pad=(1, 1)), conv(130, 75, (1, 1))):
        for cut in cuts(s):
            plan = plan_sparse(s, cut)
            assert plan.depth_block < s.channels
            assert plan.part < s.outputs
            check(rng, s, cut, tasks=2)


@pytest.mark.parametrize("name", CASES)
def test_packing_keeps_every_weight(name, rng):
    s = CASES[name]._replace(group=1)
    w = pruned(rng, s, 0.3)
    y, x = np.mgrid[:s.kernel[0], :s.kernel[1]]
    for cut in cuts(s):
        plan = plan_sparse(s, cut)
        words, bias = pack_sparse_f32(plan, s, w)
        at = np.broadcast_to(places(plan, s, np.zeros_like(y), y, x), s.kernel)
        channel_bytes = int(places(plan, s, *(np.array([n]) for n in (1, 0, 0)))[0])
        np.testing.assert_array_equal(sparse_nhwc(words, s.outputs, s.channels, at, plan.part, plan.depth_block, channel_bytes), w)
        assert not bias.any()


def test_the_definition_refuses_odd_places():
    words = np.array([1, 1, 1, 1, 0, 8, 0], np.int32)
    with pytest.raises(ValueError, match="are no kernel position"):
        sparse_nhwc(words, 1, 1, np.zeros((1, 1), np.int64), 1, 1, 64)


def test_infinities_meet_only_weights_that_are_not_zero(rng):
    """A dense kernel multiplies an infinity with a zero, which is NaN; this one does not look at it."""
    s = conv(16, 16, (1, 1), size=(1, 3))
    x, w = rng.standard_normal((1, 1, 3, 16)).astype(np.float32), np.zeros((16, 16, 1, 1), np.float32)
    w[0, 3], w[1, 5] = 2.0, -1.0
    x[0, 0, 1, 3], x[0, 0, 2, 5] = np.inf, np.nan
    plan = plan_sparse(s, cuts(s)[0])
    y = Guarded((1, 1, 3, 16))
    run_plan(plan, x, pack_sparse_f32(plan, s, w), y)
    assert y.array[0, 0, 1, 0] == np.inf
    assert np.isnan(y.array[0, 0, 2, 1])
    rest = np.isfinite(y.array)
    rest[0, 0, 1, 0] = rest[0, 0, 2, 1] = True
    assert rest.all()


def test_a_nan_weight_is_kept(rng):
    s = conv(16, 16, (1, 1), size=(1, 3))
    w = np.zeros((16, 16, 1, 1), np.float32)
    w[2, 2] = np.nan
    plan = plan_sparse(s, cuts(s)[0])
    y = Guarded((1, 1, 3, 16))
    run_plan(plan, np.ones((1, 1, 3, 16), np.float32), pack_sparse_f32(plan, s, w), y)
    assert np.isnan(y.array[..., 2]).all()
    assert np.isfinite(np.delete(y.array, 2, -1)).all()


PROGRAM = """
import sys
import numpy as np
sys.path.insert(0, {tests!r})
from cnml.cpu import isa
from cnml_tests.kernels_tests.conv_case import Ending
from cnml_tests.kernels_tests.test_sparse_f32 import CASES, check, cuts
from cnml_tests.kernels_tests.test_sparse_inner_f32 import check_inner
assert isa().name == {isa!r}, isa()
rng = np.random.default_rng(0)
for name in ("1x1 strided, batch 3", "3x3", "stride 2", "groups"):
    for cut in cuts(CASES[name]):
        check(rng, CASES[name], cut, tasks=2, add=True, ending=Ending(2, 0.25), extra=3)
for m in (1, 3, 9):
    check_inner(rng, m, 70, 33, tasks=2)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("name", "cpu"), [("avx2", "haswell"), ("generic", "x86-64")])
def test_other_instruction_sets(name, cpu):
    root = Path(__file__).parents[3]
    program = PROGRAM.format(tests=str(root / "tests"), isa=name)
    subprocess.run([sys.executable, "-c", program], env={**os.environ, "NUMBA_CPU_NAME": cpu, "PYTHONPATH": str(root)}, check=True, timeout=300)
