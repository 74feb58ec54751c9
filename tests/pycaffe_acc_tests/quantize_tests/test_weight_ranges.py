"""Parameters of weights."""
from __future__ import annotations

import numpy as np
import pytest

from cnml.quantization import dequantize, quantize
from pycaffe_acc.quantize.calibration_options import WEIGHT_RANGES
from pycaffe_acc.quantize.weight_ranges import WEIGHT_RULES, absmax_weights, mse_weights


@pytest.mark.parametrize("axis", [0, 1])
def test_weights_per_channel(rng, axis):
    """Each channel has its own largest code; a channel of zeros stays zero."""
    weights = (rng.normal(size=(4, 4, 3, 3)) * 10.0 ** np.arange(-2, 2).reshape((4, 1, 1, 1) if axis == 0 else (1, 4, 1, 1))).astype(np.float32)
    weights[(slice(None),) * axis + (2,)] = 0
    param = absmax_weights(weights, axis, 127)
    codes = np.abs(quantize(weights, param, axis)).max(axis=tuple(a for a in range(4) if a != axis))
    assert codes.tolist() == [127, 127, 0, 127]
    assert param.position[2] == 0 and param.scale[2] == 1.0
    assert mse_weights(weights, axis, 127).position[2] == 0


@pytest.mark.parametrize("rule", WEIGHT_RULES.values(), ids=WEIGHT_RULES)
def test_weights_as_a_whole(rng, rule):
    """Without an axis there is one pair of numbers."""
    weights = rng.normal(size=(4, 2)).astype(np.float32)
    param = rule(weights, None, 127)
    assert not param.per_channel and np.abs(quantize(weights, param)).max() == 127
    with pytest.raises(ValueError, match="all values are 0"):
        rule(np.zeros((2, 2), np.float32), 0, 127)
    assert tuple(WEIGHT_RULES) == WEIGHT_RANGES


def test_the_smallest_error(rng):
    """An outlier among many values is clipped, in its channel alone, and the error is smaller for it."""
    weights = rng.normal(size=(2, 50000)).astype(np.float32)
    weights[1, 0] = 6.0

    def errors(param):
        return np.square(dequantize(quantize(weights, param), param) - weights).sum(1)
    exact, best = absmax_weights(weights, 0, 127), mse_weights(weights, 0, 127)
    assert np.all(errors(best) <= errors(exact)) and errors(best)[1] < 0.9 * errors(exact)[1]
    assert best.scale[1] * 2.0**-best.position[1] > 1.2 * exact.scale[1] * 2.0**-exact.position[1]
