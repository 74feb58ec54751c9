"""Pooling of codes against NumPy."""
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from cnml_tests.kernel_run import call, words
from cnml_tests.kernels_tests.guarded_bytes import Pixels, pitches

from cnml.ops.pool import pooled_extent
from cnml.reference.codes import encode
from cnml.reference.pool_int8 import pool_ave_units, pool_max_codes

CHANNELS = (1, 3, 15, 16, 17, 64, 70)
SIGNED, UNSIGNED = (-127.0, 127.0, 128), (0.0, 255.0, 0)


class Window(NamedTuple):
    """Geometry of a case; each pair is (height, width)."""

    size: tuple[int, int]
    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    pad: tuple[int, int] = (0, 0)

    @property
    def out(self):
        return tuple(pooled_extent(self.size[a], self.kernel[a], self.stride[a], self.pad[a], any(self.pad), True) for a in (0, 1))


WINDOWS = {
    "3x3s2": Window((9, 12), (3, 3), (2, 2)),
    "3x3s2 padded": Window((9, 12), (3, 3), (2, 2), (1, 1)),
    "3x3s1": Window((5, 6), (3, 3), (1, 1), (1, 1)),
    "2x2s2": Window((7, 8), (2, 2), (2, 2)),
    "2x3": Window((6, 7), (2, 3), (1, 2), (1, 2)),
    "global": Window((7, 7), (7, 7)),
    "large": Window((19, 18), (17, 18)),
    "stride beyond kernel": Window((4, 7), (1, 2), (5, 3)),
}


def run(rng, window, channels, kind, zero, limits, tasks, extra=0, batch=2):
    """One case of random codes; `kind` is max, ave or floats."""
    codes = rng.integers(0, 256, (batch, *window.size, channels)).astype(np.uint8)
    x = Pixels(codes, pitches(channels)[0] + extra)
    geometry = (window.out, window.kernel, window.stride, window.pad)
    ratio = 0.7310585975646973 if kind != "max" else 0.0
    if kind == "max":
        want, name, more = pool_max_codes(codes, *geometry, 1), "pool_max_x8", (1,)
    else:
        want, name, more = pool_ave_units(codes, *geometry, zero, ratio), "pool_ave_x8_f32", (zero, ratio)
        if kind == "ave":
            want, name, more = encode(want, *limits), "pool_ave_x8", (*more, *limits)
    y = Pixels(np.zeros_like(want), pitches(channels, want.itemsize)[0] + 2 * extra)
    call(name, words(x.address, y.address, batch, *window.size, channels, *window.out, *window.kernel, *window.stride, *window.pad, x.pitch, y.pitch,
                     *more), tasks)
    y.check()
    np.testing.assert_array_equal(y.values, want)


@pytest.mark.parametrize("tasks", [1, 3])
@pytest.mark.parametrize("kind", ["max", "ave", "floats"])
@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("name", WINDOWS)
def test_windows(rng, name, channels, kind, tasks):
    run(rng, WINDOWS[name], channels, kind, 128, SIGNED, tasks)
    run(rng, WINDOWS[name], channels, kind, 0, UNSIGNED, tasks, extra=12)


@pytest.mark.parametrize("kind", ["max", "ave", "floats"])
@pytest.mark.parametrize("tasks", [1, 2, 3, 8])
@pytest.mark.parametrize("channels", [64, 130, 200, 1000])
def test_one_row_is_shared_by_blocks_of_channels(rng, channels, tasks, kind):
    run(rng, WINDOWS["global"], channels, kind, 128, UNSIGNED, tasks, batch=1)


@pytest.mark.parametrize("edge", [16, 17])
def test_sums_at_the_limit_of_16_bits(edge):
    codes = np.full((1, edge, edge, 70), 255, np.uint8)
    x, y = Pixels(codes, 72), Pixels(np.zeros((1, 1, 1, 70), np.float32), 280)
    call("pool_ave_x8_f32", words(x.address, y.address, 1, edge, edge, 70, 1, 1, edge, edge, 1, 1, 0, 0, 72, 280, 0, 1.0))
    np.testing.assert_array_equal(y.values, np.full((1, 1, 1, 70), 255, np.float32))


PROGRAM = """
import sys
import numpy as np
sys.path.insert(0, {tests!r})
from cnml.cpu import isa
from cnml_tests.kernels_tests.test_pool_x8 import CHANNELS, SIGNED, UNSIGNED, WINDOWS, run
assert isa().name == {isa!r}, isa()
rng = np.random.default_rng(0)
for channels in CHANNELS:
    for window in WINDOWS.values():
        for kind in ("max", "ave", "floats"):
            run(rng, window, channels, kind, 128, SIGNED, 2)
            run(rng, window, channels, kind, 0, UNSIGNED, 2, extra=12)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("name", "cpu"), [("avx512", "skylake-avx512"), ("avx2", "haswell"), ("generic", "x86-64")])
def test_other_instruction_sets(name, cpu):
    root = Path(__file__).parents[3]
    program = PROGRAM.format(tests=str(root / "tests"), isa=name)
    subprocess.run([sys.executable, "-c", program], env={**os.environ, "NUMBA_CPU_NAME": cpu, "PYTHONPATH": str(root)}, check=True, timeout=300)
