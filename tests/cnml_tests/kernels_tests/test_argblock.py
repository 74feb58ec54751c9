from __future__ import annotations

import ctypes
import platform

import numba
import numpy as np
import pytest
from numba.core import types
from numba.core.errors import NumbaError

from cnml.jit import _options, jit, kernel_cfunc
from cnml.kernels import argblock
from cnml.kernels.argblock import f32_at, f32_nd, real, word

CALL = ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 3)
DTYPES = {"f32": np.float32, "f64": np.float64, "i8": np.int8, "u8": np.uint8, "u16": np.uint16, "i32": np.int32, "i64": np.int64}


def copy(args, task_id, task_dim):
    n = word(args, 2)
    x, y = f32_at(word(args, 0), n), f32_at(word(args, 1), n)
    slope = np.float32(real(args, 3))
    for i in range(n * task_id // task_dim, n * (task_id + 1) // task_dim):
        y[i] = slope * x[i]


def block_of(x, y, slope):
    block = np.array([x.ctypes.data, y.ctypes.data, x.size, 0], np.int64)
    block[3:].view(np.float64)[0] = slope
    return block


@pytest.mark.parametrize("n", [0, 1, 15, 16, 100])
@pytest.mark.parametrize("how", ["compiled", "python"])
def test_words_reals_and_slices(n, how):
    x, y = np.arange(n, dtype=np.float32), np.full(n, -1, np.float32)
    block = block_of(x, y, -0.5)
    run = CALL(kernel_cfunc(copy)) if how == "compiled" else copy
    for task in range(3):
        run(block.ctypes.data, task, 3)
    np.testing.assert_array_equal(y, -0.5 * x)


@pytest.mark.parametrize("name", DTYPES)
def test_both_forms_see_the_same_memory(name):
    vector, grid = getattr(argblock, f"{name}_at"), getattr(argblock, f"{name}_nd")
    x = np.arange(2 * 3 * 4 * 5).astype(DTYPES[name])

    def read(address):
        a, b = vector(address, 120), grid(address, (2, 3, 4, 5))
        b[1, 2, 3, 4] += 1
        return a[7], b[1, 0, 2, 3], a[119], b.shape, grid(address + a.itemsize, (7, 2))[3, 1]

    plain = read(x.ctypes.data)
    x[119] -= 1
    assert jit(read)(x.ctypes.data) == plain
    assert plain == (7, 73, x[119], (2, 3, 4, 5), 8)


def test_wrong_types_do_not_compile():
    for wrong in (lambda a: word(a, 1.5), lambda a: f32_at(a, "n"), lambda a: f32_nd(a, 5), lambda a: f32_nd(a, (2.0, 1))):
        with pytest.raises(NumbaError):
            numba.njit(wrong)(0)


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="looks for x86 registers")
def test_inner_loops_are_vectorised():
    def relu(args, task_id, task_dim):
        h, w = word(args, 2), word(args, 3)
        x, y = f32_nd(word(args, 0), (h, w)), f32_nd(word(args, 1), (h, w))
        for i in range(h * task_id // task_dim, h * (task_id + 1) // task_dim):
            for j in range(w):
                y[i, j] = max(x[i, j], np.float32(0))

    def total(args, task_id, task_dim):
        x, s = f32_at(word(args, 0), word(args, 2)), np.float32(0)
        for v in x:
            s += v
        f32_at(word(args, 1), 1)[0] = s

    for function, sign in ((relu, "vmaxps"), (total, "vaddps")):
        assembly = numba.cfunc(types.void(*[types.int64] * 3), nopython=True, **_options(False))(function)._library.get_asm_str()
        assert any(sign in line and ("ymm" in line or "zmm" in line) for line in assembly.splitlines()), function.__name__
        assert "NRT" not in assembly
