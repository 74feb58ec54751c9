"""Deconvolution as convolutions of the stride's phases, against the float64 reference."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.kernels_tests.conv_case import Ending, check_conv

from cnml.kernels.conv_plan_f32 import Conv2dShape, deconv_phases

SHAPES = {
    "4x4 stride 2": Conv2dShape(2, 20, 9, 8, 70, (4, 4), stride=(2, 2), pad=(1, 1)),
    "stride 1": Conv2dShape(1, 20, 5, 6, 30, (3, 3), pad=(1, 1)),
    "stride beyond kernel": Conv2dShape(2, 6, 5, 6, 30, (2, 3), stride=(3, 4)),
    "groups": Conv2dShape(1, 20, 5, 6, 30, (2, 3), stride=(3, 2), pad=(0, 1), group=10),
    "dilation": Conv2dShape(1, 12, 5, 6, 40, (3, 3), stride=(2, 3), pad=(2, 0), dilation=(2, 2), group=4),
    "bilinear": Conv2dShape(1, 21, 5, 6, 21, (16, 16), stride=(8, 8), pad=(4, 4), group=21),
    "one channel": Conv2dShape(2, 1, 5, 6, 1, (4, 4), stride=(2, 2), pad=(1, 1)),
    "pad beyond": Conv2dShape(1, 4, 7, 7, 5, (3, 3), stride=(2, 2), pad=(4, 3)),
    "channel multiplier": Conv2dShape(1, 6, 4, 4, 12, (4, 4), stride=(2, 2), pad=(1, 1), group=6),
    "one output": Conv2dShape(1, 40, 1, 1, 20, (1, 1), stride=(5, 5)),
}


@pytest.mark.parametrize("tasks", [1, 2, 3])
@pytest.mark.parametrize("name", SHAPES)
def test_geometry(name, tasks, rng):
    check_conv(rng, SHAPES[name], deconv=True, tasks=tasks, extra=1 if tasks == 2 else 0, ending=Ending(1) if tasks == 3 else Ending())


@pytest.mark.parametrize("name", SHAPES)
def test_phases_share_out_outputs_and_taps(name):
    s = SHAPES[name]
    out = (17, 19)
    hits = np.zeros(out, int)
    for p in deconv_phases(s, out):
        hits[p.out_first[0]::p.out_step[0], p.out_first[1]::p.out_step[1]] += 1
        assert hits[p.out_first[0]::p.out_step[0], p.out_first[1]::p.out_step[1]].shape == p.grid
    assert (hits == 1).all()
