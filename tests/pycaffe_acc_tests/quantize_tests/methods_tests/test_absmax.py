"""The method absmax: everything that was seen fits, and uses the whole range."""
from __future__ import annotations

import numpy as np
import pytest

from cnml.quantization import dequantize, quantize
from pycaffe_acc.quantize.dtype_fields import DT_INT8, DT_INT16, DT_UINT8, LIMITS
from pycaffe_acc.quantize.methods.absmax import LargestMagnitude


@pytest.mark.parametrize("dtype", [DT_INT8, DT_INT16])
def test_the_largest_value_becomes_the_largest_code(rng, dtype):
    """Over several batches, of either sign."""
    observer, seen, limit = LargestMagnitude(), [rng.normal(size=(2, 3)).astype(np.float32) for _ in range(4)], LIMITS[dtype]
    seen[2][1, 1] = -7.5
    for values in seen:
        observer.see(values)
    found = observer.found(dtype)
    assert found == (7.5, dtype)
    assert quantize(np.float32([-7.5, 7.5]), found.param, limit=limit).tolist() == [-limit, limit]
    for values in seen:
        step = 7.5 / limit
        np.testing.assert_allclose(dequantize(quantize(values, found.param, limit=limit), found.param), values, atol=0.5001 * step)


def test_never_negative():
    """Bytes without a sign, twice as fine."""
    observer = LargestMagnitude()
    observer.see(np.float32([0, 2]))
    assert observer.found(DT_INT8) == (2, DT_UINT8) and observer.found(DT_INT16) == (2, DT_INT16)
    observer.see(np.float32([-1]))
    assert observer.found(DT_INT8) == (2, DT_INT8)


def test_ranges_that_are_none():
    """Never seen, seen empty, zeros."""
    observer = LargestMagnitude()
    observer.see(np.empty((0, 3), np.float32))
    with pytest.raises(ValueError, match="no calibration image"):
        observer.found(DT_INT8)
    observer.see(np.zeros(3, np.float32))
    with pytest.raises(ValueError, match="all values were 0"):
        observer.found(DT_INT8)
