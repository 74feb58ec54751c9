"""Two-dimensional convolution kernels: every tile, variant and boundary class against the float64 reference."""
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cnml_tests.kernel_run import Guarded
from cnml_tests.kernels_tests.conv_case import Ending, check_conv, close, run_plan

from cnml.cpu import isa
from cnml.kernels import conv_blocking
from cnml.kernels.conv_pack_f32 import pack_conv2d_f32
from cnml.kernels.conv_plan_f32 import Conv2dShape, Pixels, plan_conv2d, takes_plain
from cnml.kernels.conv_tiles import TILES, Tile
from cnml.reference.convolution import convolution

LANES = isa().lanes


def conv(channels, outputs, kernel=(3, 3), size=(9, 10), batch=1, **kw):
    """A shape with the usual pad."""
    return Conv2dShape(batch, channels, *size, outputs, kernel, **kw)


@pytest.mark.parametrize("tile", TILES[LANES], ids=str)
@pytest.mark.parametrize("outputs", ["one", "less", "equal", "more", "twice"])
@pytest.mark.parametrize("pixels", [1, 5, 6, 7, 24, 25])
def test_tile_boundaries(tile, outputs, pixels, rng):
    nr = tile.nv * LANES
    n = {"one": 1, "less": nr - 1, "equal": nr, "more": nr + 1, "twice": 2 * nr}[outputs]
    check_conv(rng, conv(5, n, (1, 1), (1, pixels)), tile=tile, variant="direct", ending=Ending(1))


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5, 7, 8, 9, 64])
def test_depth_boundaries(depth, rng):
    check_conv(rng, conv(depth, LANES + 3, (2, 2), (5, 4)), variant="direct")


GEOMETRIES = {
    "1x1": conv(20, 33, (1, 1)),
    "1x1 strided": conv(20, 33, (1, 1), stride=(2, 3)),
    "3x3": conv(20, 64, pad=(1, 1)),
    "3x3 batch 3": conv(20, 64, batch=3, pad=(1, 1)),
    "stride 2": conv(12, 40, stride=(2, 2), pad=(1, 1)),
    "stride beyond kernel": conv(12, 17, (2, 2), stride=(4, 3)),
    "dilation": conv(12, 17, size=(12, 13), dilation=(2, 3), pad=(2, 3)),
    "pad beyond kernel": conv(12, 17, (2, 2), pad=(4, 5)),
    "kernel beyond image": conv(12, 17, (6, 4), size=(3, 2), pad=(1, 1), stride=(4, 4)),
    "pad at the end": conv(12, 17, pad=(0, 1), pad_end=(2, 3)),
    "5x3": conv(16, 48, (5, 3), pad=(2, 1)),
    "group 2": conv(10, 36, group=2, pad=(1, 1)),
    "group 5 batch 2": conv(10, 15, group=5, batch=2, stride=(1, 2)),
    "one pixel": conv(30, 70, size=(3, 3)),
    "few channels": conv(3, 64, (7, 7), size=(20, 17), stride=(2, 2), pad=(3, 3), batch=2),
    "few channels, dilated lines": conv(2, 30, (3, 3), size=(20, 17), dilation=(3, 1), pad=(3, 0)),
    "one channel": conv(1, 20, (5, 5), size=(28, 28)),
}


@pytest.mark.parametrize("tasks", [1, 2, 3])
@pytest.mark.parametrize("name", GEOMETRIES)
def test_geometry(name, tasks, rng):
    check_conv(rng, GEOMETRIES[name], tasks=tasks, extra=3 if tasks == 3 else 0)


@pytest.mark.parametrize("tasks", [1, 3])
@pytest.mark.parametrize("name", [n for n, s in GEOMETRIES.items() if takes_plain(s)])
def test_plain_input(name, tasks, rng):
    assert check_conv(rng, GEOMETRIES[name], plain=True, tasks=tasks).variant == "first"


@pytest.mark.parametrize("channels", range(1, 9))
def test_plain_input_of_every_channel_count(channels, rng):
    check_conv(rng, conv(channels, 21, (3, 3), stride=(2, 2), pad=(1, 1), batch=2), plain=True, ending=Ending(2, 0.25))


ENDINGS = [Ending(0), Ending(1), Ending(2, 0.25), Ending(2, -2.0), Ending(3, -1.0, 6.0)]


@pytest.mark.parametrize("add", ["", "other", "output"])
@pytest.mark.parametrize("ending", ENDINGS, ids=str)
@pytest.mark.parametrize("outputs", [64, 70])
def test_endings(add, ending, outputs, rng):
    check_conv(rng, conv(12, outputs, pad=(1, 1)), add=add, ending=ending, tasks=2)


DEEP = {"taps": conv(60, 68, size=(5, 5)), "depth": conv(1500, 66, (1, 1), (5, 5)), "group": conv(300, 2 * 20, (2, 1), (6, 5), group=2)}


@pytest.mark.parametrize("add", ["", "other", "output"])
@pytest.mark.parametrize("shape", DEEP.values(), ids=DEEP)
def test_sums_revisited(shape, add, rng, monkeypatch):
    monkeypatch.setattr(conv_blocking, "PANEL_BYTES", 4 * 100 * TILES[LANES][0].nv * LANES)
    plan = check_conv(rng, shape, add=add, ending=Ending(1), tasks=2, tile=TILES[LANES][0])
    assert "revisited" in plan.reason


@pytest.mark.parametrize("tasks", [1, 2, 3, 7])
@pytest.mark.parametrize("outer", [False, True])
def test_order_of_loops(outer, tasks, rng):
    for shape in (conv(300, 3 * LANES + 1, (3, 3), (9, 9), batch=2, pad=(1, 1)), conv(1200, 4 * LANES, (1, 1), (11, 11), batch=2)):
        plan = check_conv(rng, shape, tasks=tasks, panel_outer=outer)
        assert ("weights outside" if outer else "pixels outside") in plan.reason


def test_affine_steps_fold_into_the_weights(rng):
    check_conv(rng, conv(12, 40, pad=(1, 1)), affine=True)


def test_input_inside_a_wider_tensor(rng):
    shape = conv(8, 20, pad=(1, 1))
    wide = rng.standard_normal((1, 9, 10, 13)).astype(np.float32)
    w = rng.standard_normal((20, 8, 3, 3)).astype(np.float32)
    plan = plan_conv2d(shape, pixels=Pixels(x=13))
    assert plan.variant == "direct"  # rows cannot be staged from a wider tensor
    y = Guarded((1, 9, 10, 20))
    run_plan(plan, wide, pack_conv2d_f32(plan, w), y)
    close(y.array, convolution(wide[..., :8].transpose(0, 3, 1, 2), w, None, (9, 10), (1, 1), (1, 1), (1, 1)).transpose(0, 2, 3, 1))


def test_nan_passes_through_relu():
    shape = conv(1, 4, (1, 1), (1, 3))
    plan = plan_conv2d(shape)
    y = Guarded((1, 1, 3, 4))
    run_plan(plan, np.array([np.nan, -1, np.inf], np.float32), pack_conv2d_f32(plan, np.ones((4, 1, 1, 1))), y, ending=Ending(1))
    np.testing.assert_array_equal(y.array[0, 0, :, 0], np.array([np.nan, 0, np.inf], np.float32))


def test_padding_hides_nothing_of_the_neighbours(rng):
    """A NaN outside of every window of a pixel must not reach it."""
    x = np.zeros((1, 6, 6, 5), np.float32)
    x[0, 0, 0] = np.nan
    plan = plan_conv2d(conv(5, 7, (3, 3), (6, 6), pad=(1, 1)), variant="direct")
    y = Guarded((1, 6, 6, 7))
    run_plan(plan, x, pack_conv2d_f32(plan, np.ones((7, 5, 3, 3))), y)
    bad = np.isnan(y.array[0, :, :, 0])
    assert bad[:2, :2].all() and bad.sum() == 4


def test_choice_is_by_the_least_work():
    tiles = {plan_conv2d(conv(64, n, (1, 1), (h, h))).nr for n, h in ((LANES, 56), (4 * LANES, 56))}
    assert min(tiles) == LANES
    assert plan_conv2d(conv(64, 64, (1, 1), (1, 1))).kernel.startswith("conv2d_nhwc_f32_1x")


def test_no_variant_for_a_plain_input_of_many_channels():
    with pytest.raises(ValueError, match="64 channels.*plain"):
        plan_conv2d(conv(64, 64), plain_input=True)
    with pytest.raises(ValueError, match="'rows' does not apply"):
        plan_conv2d(conv(64, 64), variant="rows")


def test_given_tile_is_taken():
    assert plan_conv2d(conv(64, 64), tile=Tile(12, 1, 1.0)).kernel == f"conv2d_nhwc_f32_12x{LANES}"


PROGRAM = """
import sys; sys.path.insert(0, {tests!r})
import numpy as np
from cnml.cpu import isa
from cnml.kernels.conv_tiles import TILES
from cnml_tests.kernels_tests.conv_case import Ending, check_conv
from cnml_tests.kernels_tests.test_conv_f32 import GEOMETRIES
assert isa().name == {isa!r}, isa()
rng = np.random.default_rng(1)
for tile in TILES[isa().lanes]:
    check_conv(rng, GEOMETRIES["3x3"], tile=tile, add="other", ending=Ending(1), tasks=2)
for name, shape in GEOMETRIES.items():
    check_conv(rng, shape)
check_conv(rng, GEOMETRIES["few channels"], plain=True)
for outputs in (1, 3):
    assert check_conv(rng, GEOMETRIES["3x3"]._replace(outputs=outputs), add="other").variant == "narrow"
check_conv(rng, GEOMETRIES["group 2"]._replace(group=10, outputs=10), add="output", ending=Ending(3, -1.0, 1.0))
"""


@pytest.mark.slow
@pytest.mark.parametrize(("name", "env"), [("avx2", {"NUMBA_CPU_NAME": "haswell"}), ("generic", {"NUMBA_CPU_NAME": "x86-64"}),
                                           ("generic", {"PYCAFFE_ACC_ISA": "generic"})])
def test_other_instruction_sets(name, env):
    root = Path(__file__).parents[3]
    program = PROGRAM.format(tests=str(root / "tests"), isa=name)
    subprocess.run([sys.executable, "-c", program], env={**os.environ, **env, "PYTHONPATH": str(root)}, check=True, timeout=300)
