from __future__ import annotations

import ctypes
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numba.core import config
from numba.core.errors import NumbaError

from cnml.errors import CnmlError, Status
from cnml.jit import jit, kernel_cfunc
from cnml.kernels.argblock import f32_at, word

ROOT = Path(__file__).resolve().parents[2]


def test_helpers_compile_with_and_without_arguments():
    @jit
    def add(a, b):
        return a + b

    @jit(exact=True)
    def divide(a, b):
        return a / b

    assert add(1, 2) == 3
    assert divide(1.0, 0.0) == np.inf  # NumPy's error model
    assert np.isnan(add(np.nan, 1.0)) and np.isnan(divide(0.0, 0.0))


def test_nan_and_infinity_survive_fast_math():
    @jit
    def count(x):
        n = 0
        for v in x:
            n += np.isnan(v) + 2 * np.isinf(v)
        return n

    assert count(np.array([1, np.nan, np.inf, -np.inf], np.float32)) == 5


def test_kernels_are_native_code():
    def twice(args, task_id, task_dim):
        x = f32_at(word(args, 0), word(args, 1))
        for i in range(len(x)):
            x[i] *= 2

    x = np.arange(5, dtype=np.float32)
    block = np.array([x.ctypes.data, 5], np.int64)
    ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 3)(kernel_cfunc(twice))(block.ctypes.data, 0, 1)
    assert x.tolist() == [0, 2, 4, 6, 8]


def test_what_does_not_compile_says_so():
    def wrong(args, task_id, task_dim):
        return word("text", 0)

    with pytest.raises(NumbaError):
        kernel_cfunc(wrong)


def test_without_a_compiler_only_the_references_run(monkeypatch):
    monkeypatch.setattr(config, "DISABLE_JIT", 1)
    with pytest.raises(CnmlError, match="'some_kernel'.*NUMBA_DISABLE_JIT") as e:
        def some_kernel(args, task_id, task_dim):
            pass
        kernel_cfunc(some_kernel)
    assert e.value.status == Status.UNSUPPORT


def test_registering_kernels_imports_no_numba():
    program = "import sys; import cnml.kernels, cnrt; cnrt.Queue(); assert 'numba' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT, timeout=60)
