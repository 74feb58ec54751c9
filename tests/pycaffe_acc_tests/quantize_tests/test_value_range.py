"""Ranges and the codes that follow."""
from __future__ import annotations

import math

import pytest

from cnml.quantization import INT8_LIMIT, QuantParam, position_of, quantize
from pycaffe_acc.quantize.dtype_fields import DT_INT8, DT_INT16, DT_UINT8
from pycaffe_acc.quantize.value_range import ValueRange, checked_range, param_of, range_of, reach


@pytest.mark.parametrize(("dtype", "limit"), [(DT_INT8, 127), (DT_INT16, 32767), (DT_UINT8, 255)])
def test_the_largest_value_becomes_the_largest_code(dtype, limit):
    """Of every type."""
    param = ValueRange(5.3, dtype).param
    assert param == param_of(5.3, limit) and quantize([5.3], param, limit=limit)[0] == limit
    assert reach(param, limit) == pytest.approx(5.3, rel=1e-6)


def test_bytes_without_a_sign():
    """Only of 8 bits, and only where nothing was negative."""
    assert range_of(1, DT_INT8, False).dtype == DT_UINT8
    assert range_of(1, DT_INT8, True).dtype == DT_INT8
    assert range_of(1, DT_INT16, False).dtype == DT_INT16


def test_reach_of_channels():
    """One a channel; a single number of either kind is for all."""
    assert reach(QuantParam((0, 1), (1.0, 2.0)), 127).tolist() == [127, 127]
    assert reach(QuantParam((0, 1)), INT8_LIMIT).tolist() == [127, 254]
    assert param_of(0, 127) == QuantParam(0, 1.0) and param_of(254, 127).position == position_of(254)


@pytest.mark.parametrize(("largest", "reason"), [(-1.0, "no calibration image"), (0.0, "all values were 0"), (math.inf, "must be finite"),
                                                 (math.nan, "must be finite")])
def test_useless_ranges(largest, reason):
    """Each with its reason."""
    with pytest.raises(ValueError, match=reason):
        checked_range(largest)
    assert checked_range(2.5) == 2.5
