"""The method absmax: everything that was seen fits, and uses the whole range."""
from __future__ import annotations

import numpy as np
import pytest

from cnml.quantization import INT8_LIMIT, INT16_LIMIT, QuantParam, dequantize, quantize
from pycaffe_acc.quantize.methods.absmax import LargestMagnitude, weight_param


@pytest.mark.parametrize("limit", [INT8_LIMIT, INT16_LIMIT])
def test_the_largest_value_becomes_the_largest_code(rng, limit):
    """Over several batches, of either sign."""
    observer, seen = LargestMagnitude(), [rng.normal(size=(2, 3)).astype(np.float32) for _ in range(4)]
    seen[2][1, 1] = -7.5
    for values in seen:
        observer.see(values)
    param = observer.param(limit)
    assert quantize(np.float32([-7.5, 7.5]), param, limit=limit).tolist() == [-limit, limit]
    for values in seen:
        step = 7.5 / limit
        np.testing.assert_allclose(dequantize(quantize(values, param, limit=limit), param), values, atol=0.5001 * step)


def test_ranges_that_are_none():
    """Never seen, seen empty, zeros."""
    observer = LargestMagnitude()
    observer.see(np.empty((0, 3), np.float32))
    with pytest.raises(ValueError, match="no calibration image"):
        observer.param(127)
    observer.see(np.zeros(3, np.float32))
    with pytest.raises(ValueError, match="all values were 0"):
        observer.param(127)


@pytest.mark.parametrize("axis", [0, 1])
def test_weights_per_channel(rng, axis):
    """Each channel has its own largest code; a channel of zeros stays zero."""
    weights = (rng.normal(size=(4, 4, 3, 3)) * 10.0 ** np.arange(-2, 2).reshape((4, 1, 1, 1) if axis == 0 else (1, 4, 1, 1))).astype(np.float32)
    weights[(slice(None),) * axis + (2,)] = 0
    param = weight_param(weights, axis, 127)
    codes = np.abs(quantize(weights, param, axis)).max(axis=tuple(a for a in range(4) if a != axis))
    assert codes.tolist() == [127, 127, 0, 127]
    assert param.position[2] == 0 and param.scale[2] == 1.0


def test_weights_as_a_whole(rng):
    """Without an axis there is one pair of numbers."""
    weights = rng.normal(size=(4, 2)).astype(np.float32)
    param = weight_param(weights, None, 127)
    assert not param.per_channel and np.abs(quantize(weights, param)).max() == 127
    with pytest.raises(ValueError, match="all values are 0"):
        weight_param(np.zeros((2, 2), np.float32), 0, 127)
    assert isinstance(param, QuantParam)
