"""glibc's rand_r."""
from __future__ import annotations

import ctypes
import sys

import numpy as np
import pytest

from pycaffe_acc import rand_r
from pycaffe_acc.rand_r import RAND_MAX, RandR


def one_by_one(seed: int, n: int) -> list[int]:
    """The same algorithm, a number at a time."""
    numbers = []
    for _ in range(n):
        value = 0
        for shift, mask in ((0, 2047), (10, 1023), (10, 1023)):
            seed = (seed * 1103515245 + 12345) % 2**32
            value = value << shift | seed >> 16 & mask
        numbers.append(value)
    return numbers


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1])
def test_numbers(seed):
    np.testing.assert_array_equal(RandR(seed).draw(1000), one_by_one(seed, 1000))


def test_pieces_continue_each_other(monkeypatch):
    monkeypatch.setattr(rand_r, "_BLOCK", 64)
    generator = RandR(1)
    parts = [generator.draw(n) for n in (1, 0, 7, 64, 65, 300)]
    np.testing.assert_array_equal(np.concatenate(parts), one_by_one(1, 437))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other systems have other C libraries")
def test_the_c_library_agrees():
    library = ctypes.CDLL(None)
    if not hasattr(library, "gnu_get_libc_version"):
        pytest.skip("the C library is not glibc")
    state = ctypes.c_uint(1)
    expected = [library.rand_r(ctypes.byref(state)) for _ in range(5000)]
    np.testing.assert_array_equal(RandR(1).draw(5000), expected)
    assert max(expected) <= RAND_MAX
