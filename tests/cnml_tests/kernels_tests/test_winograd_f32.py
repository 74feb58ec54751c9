from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cnml_tests.kernel_run import Guarded, call, words
from cnml_tests.kernels_tests.conv_case import PLAIN, Ending

from cnml.kernels.conv_plan_f32 import Pixels
from cnml.kernels.conv_shape import Conv2dShape
from cnml.kernels.winograd_pack_f32 import pack_winograd_f32
from cnml.kernels.winograd_plan_f32 import plan_winograd
from cnml.kernels.winograd_tiles import FORMS
from cnml.parameter import aligned_empty
from cnml.reference.convolution import convolution


def image(batch, channels, height, width, outputs, pad=1, group=1):
    return Conv2dShape(batch, channels, height, width, outputs, (3, 3), (1, 1), (pad, pad), group=group)


CASES = {
    "whole": image(1, 16, 12, 12, 32),
    "borders": image(2, 20, 13, 11, 40),
    "one block of each width": image(1, 48, 9, 14, 144, pad=0),
    "groups": image(1, 64, 13, 13, 96, group=2),
    "wide padding": image(1, 17, 5, 6, 19, pad=3),
    "one tile": image(1, 33, 3, 4, 16),
}


#: by the name of their kernels' ending
FORM = {f.tag: f for f in FORMS}


def run_case(rng, s, form, *, tasks=1, add="", ending=PLAIN, extra=0, before=0, shared=None, run=None):
    """One convolution of random data, of the form's kernel: `extra` channels lie between two pixels of the output, `before` between the input's."""
    s = s._replace(kernel=(form.ry, form.rx))
    x = rng.standard_normal((s.batch, s.height, s.width, s.channels + before)).astype(np.float32)
    w, b = rng.standard_normal((s.outputs, s.channels // s.group, *s.kernel)).astype(np.float32), rng.standard_normal(s.outputs).astype(np.float32)
    pixels = Pixels(s.channels + before, s.outputs + extra, s.outputs + (extra if add == "output" else 0))
    plan = plan_winograd(s, form, pixels=pixels, shared=shared, run=run)
    want = convolution(x[..., :s.channels].transpose(0, 3, 1, 2), w, b, s.out, s.stride, s.pad, s.dilation, s.group).transpose(0, 2, 3, 1)
    y = Guarded((s.batch, *s.out, s.outputs + extra), np.full((), -7, np.float32))
    other = None
    if add:
        values = rng.standard_normal(want.shape).astype(np.float32)
        want = want + values
        other = y if add == "output" else Guarded(values.shape, values)
        other.array[..., :s.outputs] = values
    packed = pack_winograd_f32(plan, w, b)
    scratch = aligned_empty((tasks * plan.scratch_bytes + 256,), np.uint8)
    scratch[...] = 0xFF  # NaN: whatever is not written must not be used
    for step in plan.steps:
        call(plan.kernel, words(x, *packed, other, y, plan.table, scratch, plan.scratch_bytes, *ending, step), tasks)
    assert (scratch[tasks * plan.scratch_bytes:] == 0xFF).all(), "scratch overrun"
    y.check()
    np.testing.assert_allclose(y.array[..., :s.outputs], ending.apply(want), rtol=0, atol=2e-5 * np.abs(want).max())
    assert (y.array[..., s.outputs:] == -7).all(), "wrote between the output's pixels"


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("tag", FORM)
def test_against_the_reference(rng, tag, case):
    s, form = CASES[case], FORM[tag]
    if form.my > 1 and form.mx > 1:
        run_case(rng, s, form)
    else:  # padded along the kernel only; extents as for a square kernel of as much
        s = s._replace(pad=(form.ry // 2, form.rx // 2))
    if s.height >= form.ry and s.width >= form.rx or s.pad[0]:
        run_case(rng, s, form, tasks=3, shared=False, run=8, extra=5, before=3)
        run_case(rng, s, form, tasks=3, shared=True, run=8, extra=5, before=3)


@pytest.mark.parametrize("ending", [Ending(1), Ending(2, 0.25), Ending(3, -0.5, 1.5)])
@pytest.mark.parametrize("add", ["", "other", "output"])
def test_endings(rng, add, ending):
    for shared in (False, True):
        run_case(rng, CASES["borders"], FORM["4x4_3x3"], tasks=2, add=add, ending=ending, extra=4, shared=shared)


def test_more_tasks_than_work(rng):
    for shared in (False, True):
        run_case(rng, CASES["one tile"], FORM["4x4_3x3"], tasks=9, shared=shared)


def test_images_share_runs_of_tiles(rng):
    run_case(rng, image(5, 16, 4, 4, 32), FORM["4x4_3x3"], tasks=2)


@pytest.mark.parametrize("s", [image(1, 8, 9, 9, 32), image(1, 32, 9, 9, 8), image(1, 32, 9, 9, 32)._replace(kernel=(5, 5)),
                               image(1, 32, 9, 9, 32)._replace(stride=(2, 2))])
def test_refused(s):
    with pytest.raises(ValueError, match=r"F\(4x4,3x3\) of .*: it takes kernels of 3x3 with stride and dilation 1 and groups of at least 16"):
        plan_winograd(s, FORM["4x4_3x3"])


PROGRAM = """
import sys
import numpy as np
sys.path.insert(0, {tests!r})
from cnml.cpu import isa
from cnml_tests.kernels_tests.test_winograd_f32 import CASES, FORM, run_case
assert isa().name == {isa!r}, isa()
for form in FORM.values():
    for case in ("borders", "groups", "one block of each width"):
        run_case(np.random.default_rng(0), CASES[case], form, tasks=2, add="other", extra=3)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("name", "cpu"), [("avx2", "haswell"), ("generic", "x86-64")])
def test_other_instruction_sets(name, cpu):
    root = Path(__file__).parents[3]
    program = PROGRAM.format(tests=str(root / "tests"), isa=name)
    subprocess.run([sys.executable, "-c", program], env={**os.environ, "NUMBA_CPU_NAME": cpu, "PYTHONPATH": str(root)}, check=True, timeout=300)
