"""Rounding to half precision, bit for bit, on every instruction set."""
from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from cnml_tests.kernel_run import Guarded, call, words

from cnml.reference.half import LARGEST, half_bits, round_half


def _cases(rng):
    """Random bit patterns, values of every exponent, all ties between neighbouring halves, and what is special."""
    patterns = rng.integers(0, 2 ** 32, 20011, dtype=np.uint64).astype(np.uint32).view(np.float32)
    spread = rng.standard_normal(20000) * np.exp2(rng.integers(-30, 20, 20000))
    halves = np.arange(0, 0x7c00, dtype=np.uint16).view(np.float16).astype(np.float64)
    ties = (halves[:-1] + halves[1:]) / 2
    special = [0.0, -0.0, 65504, 65519.9, 65520, 1e9, -1e9, np.inf, -np.inf, np.nan, 2.0 ** -25, 3 * 2.0 ** -25, 1e-45]
    with np.errstate(all="ignore"):
        return np.concatenate([patterns, *(np.asarray(a, np.float32) for a in (spread, halves, ties, -ties, special))])


def _same_bits(a, b):
    return bool(((a.view(np.uint32) == b.view(np.uint32)) | (np.isnan(a) & np.isnan(b))).all())


@pytest.mark.parametrize("tasks", [1, 3])
def test_bits(tasks, rng):
    values = _cases(rng)
    x = Guarded(values.shape, values)
    y = Guarded(values.shape)
    call("round_half_f32", words(x, y, 1, values.size, values.size, values.size), tasks)
    y.check()
    assert _same_bits(y.array, round_half(x.array))


@pytest.mark.parametrize(("columns", "x_pitch", "y_pitch"), [(5, 5, 9), (40, 64, 40), (1, 3, 3)])
def test_rows_with_gaps(columns, x_pitch, y_pitch, rng):
    x = Guarded((7, x_pitch), rng.standard_normal((7, x_pitch)) * 1000)
    y = Guarded((7, y_pitch), np.full((), -7, np.float32))
    call("round_half_f32", words(x, y, 7, columns, x_pitch, y_pitch), 2)
    y.check()
    assert _same_bits(y.array[:, :columns], round_half(x.array[:, :columns]))
    assert (y.array[:, columns:] == -7).all(), "wrote between the rows"


def test_reference_rounds_as_numpy_within_the_range(rng):
    x = _cases(rng)
    x = x[np.abs(x) < LARGEST]
    assert _same_bits(round_half(x), x.astype(np.float16).astype(np.float32))
    assert half_bits(np.array([1e6, -np.inf])).view(np.float16).tolist() == [65504, -65504]


@pytest.mark.parametrize("setting", ["NUMBA_CPU_NAME=haswell", "NUMBA_CPU_NAME=nocona", "PYCAFFE_ACC_ISA=generic"])
def test_other_instruction_sets(setting):
    name, value = setting.split("=")
    run = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__, "-k", "test_bits or gaps"],
                         env={**os.environ, name: value}, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stdout + run.stderr
