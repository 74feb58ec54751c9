"""Between float32 and codes, and sums of codes, against NumPy."""
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cnml_tests.kernel_run import call, words
from cnml_tests.kernels_tests.guarded_bytes import Pixels, pitches

from cnml.reference.codes import encode
from cnml.reference.quantized import dequantize, quantize, quantize_planes, requantize, sum_codes

CHANNELS = (1, 3, 15, 16, 17, 64, 70)
SIGNED, UNSIGNED = (-127.0, 127.0, 128), (0.0, 255.0, 0)
HALVES = np.array([0.5, 1.5, 2.5, 126.5, 127.5, 0.49999997, 254.5, 255.4, 1e30, 3e9, np.inf, np.nan, 0.0], np.float32)


def special(rng, shape, factor):
    """Values between and beyond the limits, also on, below and above the halves."""
    x = rng.standard_normal(shape).astype(np.float32) * np.float32(90 / factor)
    flat = x.reshape(-1)
    edges = np.concatenate([HALVES, -HALVES, np.nextafter(HALVES, np.float32(0)), np.nextafter(-HALVES, np.float32(-1e38))]) / np.float32(factor)
    flat[rng.permutation(flat.size)[:len(edges)]] = edges[:flat.size]
    return x


def check_quantize(rng, channels, limits, tasks):
    for pitch in pitches(channels, 4):
        for y_pitch in pitches(channels):
            x = special(rng, (13, channels), 4)
            source, y = Pixels(x, pitch), Pixels(np.zeros((13, channels), np.uint8), y_pitch)
            call("quantize_x8", words(source.address, y.address, 13, channels, pitch, y_pitch, 4.0, *limits), tasks)
            y.check()
            np.testing.assert_array_equal(y.values, quantize(x, 4.0, *limits))


def check_dequantize(rng, channels, zero, tasks):
    for pitch in pitches(channels):
        for y_pitch in pitches(channels, 4):
            codes = rng.integers(0, 256, (13, channels)).astype(np.uint8)
            x, y = Pixels(codes, pitch), Pixels(np.zeros((13, channels), np.float32), y_pitch)
            call("dequantize_x8", words(x.address, y.address, 13, channels, pitch, y_pitch, 0.3, zero), tasks)
            y.check()
            np.testing.assert_array_equal(y.values, dequantize(codes, 0.3, zero))


def check_requantize(rng, channels, zero, limits, tasks, inside=False):
    for pitch in pitches(channels):
        codes = rng.integers(0, 256, (13, channels)).astype(np.uint8)
        x = Pixels(codes, pitch)
        y = x if inside else Pixels(np.zeros((13, channels), np.uint8), pitch + 4)
        call("requantize_x8", words(x.address, y.address, 13, channels, pitch, y.pitch, 1.37, zero, *limits), tasks)
        y.check()
        np.testing.assert_array_equal(y.values, requantize(codes, 1.37, zero, *limits))


def check_sum(rng, channels, zeros, activation, limits, tasks, inside=False):
    for pitch in pitches(channels):
        a, b = (rng.integers(0, 256, (13, channels)).astype(np.uint8) for _ in range(2))
        left, right = Pixels(a, pitch), Pixels(b, pitch + 8)
        y = left if inside else Pixels(np.zeros((13, channels), np.uint8), pitch)
        call("sum_x8", words(left.address, right.address, y.address, 13, channels, pitch, pitch + 8, y.pitch, 0.731, zeros[0], 0.5, zeros[1],
                             *activation, *limits), tasks)
        y.check()
        np.testing.assert_array_equal(y.values, sum_codes(a, b, (0.731, 0.5), zeros, activation, limits))


@pytest.mark.parametrize("tasks", [1, 3])
@pytest.mark.parametrize("limits", [SIGNED, UNSIGNED, (-3.5, 17.5, 128)])
@pytest.mark.parametrize("channels", CHANNELS)
def test_quantize(rng, channels, limits, tasks):
    check_quantize(rng, channels, limits, tasks)


@pytest.mark.parametrize("tasks", [1, 3])
@pytest.mark.parametrize("zero", [0, 128])
@pytest.mark.parametrize("channels", CHANNELS)
def test_dequantize(rng, channels, zero, tasks):
    check_dequantize(rng, channels, zero, tasks)


@pytest.mark.parametrize("tasks", [1, 3])
@pytest.mark.parametrize(("zero", "limits"), [(128, SIGNED), (0, UNSIGNED), (128, UNSIGNED), (0, SIGNED)])
@pytest.mark.parametrize("channels", CHANNELS)
def test_requantize(rng, channels, zero, limits, tasks):
    check_requantize(rng, channels, zero, limits, tasks)
    check_requantize(rng, channels, zero, limits, tasks, inside=True)


@pytest.mark.parametrize("activation", [(0, 0.0, 0.0), (1, 0.0, 0.0), (2, 0.25, 0.0), (3, -1.5, 60.0)])
@pytest.mark.parametrize(("zeros", "limits"), [((128, 128), SIGNED), ((0, 128), UNSIGNED)])
@pytest.mark.parametrize("channels", CHANNELS)
def test_sum(rng, channels, zeros, limits, activation):
    check_sum(rng, channels, zeros, activation, limits, 1)
    check_sum(rng, channels, zeros, activation, limits, 3, inside=True)


@pytest.mark.parametrize("tasks", [1, 3])
@pytest.mark.parametrize("limits", [SIGNED, UNSIGNED])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("plane", [1, 15, 16, 17, 64, 200])
def test_planes(rng, plane, channels, limits, tasks):
    x = special(rng, (2, channels, plane), 4)
    y = Pixels(np.zeros((2, plane, 4), np.uint8), 4)
    call("quantize_planes_x8", words(x, y.address, 2, channels, plane, 4.0, *limits), tasks)
    y.check()
    np.testing.assert_array_equal(y.values, quantize_planes(x, 4.0, *limits))


def test_dense_elements_are_shared_whole(rng):
    for tasks in (1, 2, 5):
        x = special(rng, (1, 9, 1000, 8), 1)
        y = Pixels(np.zeros(x.shape, np.uint8), 8)
        call("quantize_x8", words(x, y.address, 9000, 8, 32, 8, 1.0, *SIGNED), tasks)
        y.check()
        np.testing.assert_array_equal(y.values, encode(x, *SIGNED))


def test_halves_go_away_from_zero():
    x = np.array([0.5, -0.5, 1.5, -1.5, 2.5, 126.5, 127.49, -126.5, 0.49999997, np.nan], np.float32)
    y = Pixels(np.zeros((1, len(x)), np.uint8), 12)
    call("quantize_x8", words(x, y.address, 1, len(x), 4 * len(x), 12, 1.0, *SIGNED))
    np.testing.assert_array_equal(y.values[0].astype(int) - 128, [1, -1, 2, -2, 3, 127, 127, -127, 0, -127])


PROGRAM = """
import sys
import numpy as np
sys.path.insert(0, {tests!r})
from cnml.cpu import isa
from cnml_tests.kernels_tests.test_quantize_x8 import *
assert isa().name == {isa!r}, isa()
rng = np.random.default_rng(0)
for channels in CHANNELS:
    for limits in (SIGNED, UNSIGNED):
        check_quantize(rng, channels, limits, 2)
        check_requantize(rng, channels, 128, limits, 2)
        check_sum(rng, channels, (128, 0), (2, 0.25, 0.0), limits, 2)
    check_dequantize(rng, channels, 128, 2)
    if channels <= 4:
        test_planes(rng, 70, channels, SIGNED, 2)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("name", "cpu"), [("avx512", "skylake-avx512"), ("avx2", "haswell"), ("generic", "x86-64")])
def test_other_instruction_sets(name, cpu):
    root = Path(__file__).parents[3]
    program = PROGRAM.format(tests=str(root / "tests"), isa=name)
    subprocess.run([sys.executable, "-c", program], env={**os.environ, "NUMBA_CPU_NAME": cpu, "PYTHONPATH": str(root)}, check=True, timeout=300)
