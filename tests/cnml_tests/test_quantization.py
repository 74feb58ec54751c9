"""Positions, scales and codes: against the vendor's position function and against arithmetic."""
from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnml.errors import CnmlError
from cnml.quantization import INT8_LIMIT, INT16_LIMIT, QuantParam, dequantize, lrn_position, normalize_position, position_of, quantize, scale_of

RANGES = st.floats(min_value=2.0**-20, max_value=2.0**30, width=32)


def golden_position(row: dict, absmax: float) -> int:
    """Our position for a row of the vendor's table."""
    if row["kind"] == "LRN":
        return lrn_position(absmax, row["alpha"])
    return normalize_position(absmax) if row["kind"] == "normalize" else position_of(absmax)


def test_all_positions_of_the_vendor(data_dir):
    """770 calls of the vendor's function: plain, LRN, normalize, with and without a running maximum."""
    rows = json.loads((data_dir / "vendor_golden/tools/math/int8_position.json").read_text())
    assert len(rows) == 770
    wrong, history = [], 0.0
    for row in rows:
        absmax = float(np.abs(np.asarray(row.get("data", [row.get("absmax")]), np.float32)).max())
        if "history" in row:
            history = absmax if row["history"] == "reset" else max(history, absmax)
            absmax = history
        if golden_position(row, absmax) != row["position"]:
            wrong.append((row, golden_position(row, absmax)))
    assert not wrong


@pytest.mark.parametrize(("absmax", "position"), [(0, 0), (127, 0), (127.01, 1), (254, 2), (253, 1), (1e-30, -32), (1e30, 32), (1, -6),
                                                  (1e-45, -32)])
def test_positions_by_hand(absmax, position):
    """Zero, an exact power of two, both ends."""
    assert position_of(absmax) == position


def test_sixteen_bits():
    """The same rule with the larger limit."""
    assert position_of(1.0, INT16_LIMIT) == -14
    assert position_of(32768.0, INT16_LIMIT) == 1


@pytest.mark.parametrize("absmax", [math.nan, math.inf, -1.0, 1e39])
def test_impossible_ranges_are_refused(absmax):
    """Neither a position nor a scale."""
    with pytest.raises(CnmlError, match="largest magnitude must"):
        position_of(absmax)
    with pytest.raises(CnmlError, match="largest magnitude must"):
        scale_of(absmax, 0)


def test_a_square_beyond_float32_is_refused():
    """LRN and Normalize look at squares."""
    with pytest.raises(CnmlError, match="inf"):
        lrn_position(1e30, 1.0)
    with pytest.raises(CnmlError, match="inf"):
        normalize_position(1e30)


@given(RANGES)
def test_codes_are_used_and_not_exceeded(absmax):
    """The position wastes one bit at most, and clips no more than float32's rounding of the exponent."""
    largest = np.float32(absmax) / np.float32(2.0) ** position_of(absmax)
    assert 63.49 <= largest <= 127 * (1 + 1e-5)


@given(RANGES)
def test_the_scale_reaches_the_largest_code(absmax):
    """absmax becomes 127, its negative -127."""
    position = position_of(absmax)
    param = QuantParam(position, scale_of(absmax, position))
    assert quantize(np.float32([absmax, -absmax, 0]), param).tolist() == [127, -127, 0]


def test_scale_of_zeros():
    """Nothing to stretch."""
    assert scale_of(0, 0) == 1.0


def test_halves_go_away_from_zero():
    """Also the largest float32 below a half, which adding a half would round up."""
    below = np.nextafter(np.float32(0.5), np.float32(0))
    x = np.float32([0.5, -0.5, 1.5, 2.5, -2.5, below, -below, 126.5, 127.4, 1e9, -1e9])
    q = quantize(x, QuantParam(0))
    assert q.dtype == np.int8
    assert q.tolist() == [1, -1, 2, 3, -3, 0, 0, 127, 127, 127, -127]


def test_not_a_number_and_infinity():
    """Codes exist for every float."""
    assert quantize(np.float32([np.nan, np.inf, -np.inf]), QuantParam(0)).tolist() == [0, 127, -127]


def test_position_and_scale():
    """q = x * s / 2**p and back."""
    x = np.float32([[1.0, -2.0], [0.25, 3.0]])
    param = QuantParam(-3, 1.5)
    q = quantize(x, param)
    assert q.tolist() == [[12, -24], [3, 36]]
    np.testing.assert_array_equal(dequantize(q, param), x)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_per_channel(axis):
    """One entry per channel of the axis, in either number or in both."""
    x = np.full((2, 2), 1.0, np.float32)
    q = quantize(x, QuantParam((0, -2), (1.0, 2.0)), axis)
    expected = [[1, 1], [8, 8]] if axis == 0 else [[1, 8], [1, 8]]
    assert q.tolist() == expected
    np.testing.assert_array_equal(dequantize(q, QuantParam((0, -2), (1.0, 2.0)), axis), x)
    assert QuantParam((0, -2)).per_channel
    assert not QuantParam(0).per_channel


def test_sixteen_bit_codes():
    """int16, held at its own limit."""
    q = quantize(np.float32([300, -40000]), QuantParam(0), limit=INT16_LIMIT)
    assert q.dtype == np.int16
    assert q.tolist() == [300, -32767]


@pytest.mark.parametrize("param", [QuantParam((0, 1, 2)), QuantParam(0, (1.0,)), QuantParam(0, 0.0), QuantParam(0, math.nan), QuantParam(0, -1.0)])
def test_parameters_that_do_not_fit(param):
    """A count that is not the axis', a scale that is no scale."""
    with pytest.raises(CnmlError, match="must be"):
        quantize(np.zeros((2, 2), np.float32), param)
    with pytest.raises(CnmlError, match="must be"):
        dequantize(np.zeros((2, 2), np.int8), param)


def test_a_per_channel_scalar_tensor_is_refused():
    """There is no axis to run along."""
    with pytest.raises(CnmlError, match="one per channel"):
        quantize(np.float32(1), QuantParam((0,)))


@given(st.floats(min_value=-1e6, max_value=1e6, width=32), st.integers(-8, 8))
def test_codes_come_back(value, position):
    """Quantizing what a code stands for gives the code."""
    param = QuantParam(position, 1.25)
    q = quantize(np.float32([value]), param)
    np.testing.assert_array_equal(quantize(dequantize(q, param), param), q)
    assert abs(int(q[0])) <= INT8_LIMIT
