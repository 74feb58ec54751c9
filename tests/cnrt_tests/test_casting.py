"""Casts and reordering on the host."""
from __future__ import annotations

import itertools

import numpy as np
import pytest

from cnrt.api import (
    cnrtAddDataStride,
    cnrtCastDataType,
    cnrtConvertDoubleToHalf,
    cnrtConvertFloatToHalf,
    cnrtConvertHalfToDouble,
    cnrtConvertHalfToFloat,
    cnrtCreateQuantizedParam,
    cnrtCreateQuantizedParamByChannel,
    cnrtDataTypeSize,
    cnrtDestroyQuantizedParam,
    cnrtReshapeNCHWToNHWC,
    cnrtReshapeNHWCToNCHW,
    cnrtTransDataOrder,
    cnrtTransOrderAndCast,
)
from cnrt.dtypes import NUMPY
from cnrt.enums import DataType as D
from cnrt.errors import CnrtError, RetCode

PLAIN = {(D.FLOAT32, D.FLOAT16), (D.FLOAT32, D.UINT8), (D.INT64, D.FLOAT16), (D.FLOAT16, D.FLOAT32), (D.FLOAT16, D.UINT8), (D.UINT8, D.FLOAT32),
         (D.UINT8, D.FLOAT16), (D.FLOAT32, D.FLOAT32)}
QUANTIZED = {(D.FLOAT32, D.FLOAT16), (D.FLOAT32, D.INT16), (D.FLOAT32, D.INT8), (D.FLOAT32, D.INT32), (D.INT32, D.FLOAT32), (D.FLOAT16, D.INT16),
             (D.INT16, D.FLOAT32), (D.INT8, D.FLOAT32), (D.FLOAT32, D.FLOAT32)}


def fails(code, words, call, *args):
    with pytest.raises(CnrtError, match=words) as e:
        call(*args)
    assert e.value.code == code, e.value


def cast(x, source, target, param=None):
    """The converted values."""
    out = np.zeros(x.size, NUMPY[target])
    cnrtCastDataType(np.ascontiguousarray(x, NUMPY[source]), source, out, target, x.size, param)
    return out


@pytest.mark.parametrize("given", [None, (-3, 1.5, 0)])
def test_exactly_the_vendors_casts_work(given):
    """Every pair of types that have a host form."""
    param = None if given is None else cnrtCreateQuantizedParam(*given)
    legal = PLAIN if given is None else QUANTIZED
    for source, target in itertools.product(NUMPY, NUMPY):
        if (source, target) in legal:
            cast(np.arange(3), source, target, param)
        else:
            fails(RetCode.ERR_INVALID_TYPE, f"failed to cast {source.name} to {target.name} with", cast, np.arange(3), source, target, param)


def test_plain_casts():
    x = np.array([0.5, 1.5, 2.49, -3, 300, 70000, np.nan], np.float32)
    np.testing.assert_array_equal(cast(x, D.FLOAT32, D.UINT8), [1, 2, 2, 0, 255, 255, 0])
    np.testing.assert_array_equal(cast(x[:6], D.FLOAT32, D.FLOAT16), np.float16([0.5, 1.5, 2.49, -3, 300, 65504]))
    np.testing.assert_array_equal(cast(np.array([7, -70000]), D.INT64, D.FLOAT16), [7, -65504])
    np.testing.assert_array_equal(cast(np.array([0, 255]), D.UINT8, D.FLOAT32), [0, 255])


def test_quantized_casts():
    """The rule of the library's own quantization, number for number."""
    from cnml.quantization import QuantParam, dequantize, quantize
    x = np.random.default_rng(1).normal(0, 12, 5000).astype(np.float32)
    x[:4] = [0.125 / 3, -0.125 / 3, 1e9, -1e9]
    for position, scale, target, limit in ((-3, 1.5, D.INT8, 127), (1, 1.0, D.INT8, 127), (-9, 1.75, D.INT16, 32767)):
        param = cnrtCreateQuantizedParam(position, scale, 0)
        want = quantize(x, QuantParam(position, scale), limit=limit)
        got = cast(x, D.FLOAT32, target, param)
        np.testing.assert_array_equal(got, want)
        np.testing.assert_array_equal(cast(got, target, D.FLOAT32, param), dequantize(want, QuantParam(position, scale)))


def test_offsets():
    param = cnrtCreateQuantizedParam(0, 1.0, 10)
    q = cast(np.array([-500.0, -3.5, 0, 500]), D.FLOAT32, D.INT8, param)
    np.testing.assert_array_equal(q, [-128, 6, 10, 127])
    np.testing.assert_array_equal(cast(q, D.INT8, D.FLOAT32, param), [-138, -4, 0, 117])


def test_int32_and_floats():
    param = cnrtCreateQuantizedParam(-16, 1.0, 0)
    x = np.array([1.5, -2.25, 1e12], np.float32)
    np.testing.assert_array_equal(cast(x, D.FLOAT32, D.INT32, param), [98304, -147456, 2 ** 31 - 1])
    np.testing.assert_array_equal(cast(np.array([98304]), D.INT32, D.FLOAT32, param), [1.5])
    np.testing.assert_array_equal(cast(x[:2], D.FLOAT16, D.INT16, cnrtCreateQuantizedParam(-2, 1.0, 0)), [6, -9])
    np.testing.assert_array_equal(cast(x[:2], D.FLOAT32, D.FLOAT32, param), x[:2])
    np.testing.assert_array_equal(cast(x[:2], D.FLOAT32, D.FLOAT16, param), x[:2])


def test_channels():
    """Channels on the second axis of (2, 3, 2)."""
    x = np.arange(12, dtype=np.float32).reshape(2, 3, 2)
    param = cnrtCreateQuantizedParamByChannel([0, 1, -1], [1.0, 1.0, 2.0], [0, 0, 5], 3, [2, 3, 2], 1)
    want = np.stack([x[:, 0], np.floor(x[:, 1] / 2 + 0.5), np.minimum(x[:, 2] * 4 + 5, 127)], axis=1).astype(np.int8)
    got = cast(x, D.FLOAT32, D.INT8, param)
    np.testing.assert_array_equal(got, want.reshape(-1))
    back = cast(got, D.INT8, D.FLOAT32, param).reshape(2, 3, 2)
    np.testing.assert_array_equal(back[:, 2], x[:, 2])
    fails(RetCode.ERR_INVALID, "parameter object is for", cast, x.reshape(-1)[:6], D.FLOAT32, D.INT8, param)
    cnrtDestroyQuantizedParam(param)


def test_bad_parameter_objects():
    fails(RetCode.ERR_INVALID, "positive", cnrtCreateQuantizedParam, 0, 0.0, 0)
    fails(RetCode.ERR_INVALID, "-128..127", cnrtCreateQuantizedParam, 1000, 1.0, 0)
    fails(RetCode.ERR_INVALID, "axis 1 has 3 channels", cnrtCreateQuantizedParamByChannel, [0, 0], [1.0, 1.0], [0, 0], 2, [2, 3], 1)
    fails(RetCode.ERR_INVALID, "2 axes", cnrtCreateQuantizedParamByChannel, [0], [1.0], [0], 2, [2, 3], 2)
    fails(RetCode.ERR_INVALID, "must come from cnrtCreateQuantizedParam", cast, np.arange(3), D.FLOAT32, D.INT8, "param")
    fails(RetCode.ERR_INVALID, "must come from", cnrtDestroyQuantizedParam, None)


def test_order():
    x = np.arange(120, dtype=np.float32).reshape(2, 3, 4, 5)
    out = np.zeros((2, 4, 5, 3), np.float32)
    cnrtTransDataOrder(x, D.FLOAT32, out, 4, [2, 3, 4, 5], [0, 2, 3, 1])
    np.testing.assert_array_equal(out, x.transpose(0, 2, 3, 1))
    again = np.zeros_like(x)
    cnrtReshapeNHWCToNCHW(again, out, 2, 4, 5, 3, D.FLOAT32)
    np.testing.assert_array_equal(again, x)
    cnrtReshapeNCHWToNHWC(out, x, 2, 4, 5, 3, D.FLOAT32)
    np.testing.assert_array_equal(out, x.transpose(0, 2, 3, 1))
    fails(RetCode.ERR_INVALID, "must stand there once", cnrtTransDataOrder, x, D.FLOAT32, out, 4, [2, 3, 4, 5], [0, 2, 2, 1])
    fails(RetCode.ERR_INVALID, "as 4 axes", cnrtTransDataOrder, x, D.FLOAT32, out, 4, [2, 3, 4], [0, 2, 3, 1])
    fails(RetCode.ERR_OUT_RANGE, "has 480 bytes", cnrtTransDataOrder, x, D.FLOAT32, out, 4, [2, 3, 4, 6], [0, 2, 3, 1])


def test_order_and_cast():
    x = np.arange(24, dtype=np.float32).reshape(2, 3, 4) / 8
    out = np.zeros((4, 2, 3), np.int8)
    param = cnrtCreateQuantizedParamByChannel([-3, -2, -1], [1.0] * 3, [0] * 3, 3, [2, 3, 4], 1)
    cnrtTransOrderAndCast(x, D.FLOAT32, out, D.INT8, param, 3, [2, 3, 4], [2, 0, 1])
    units = x * np.float32([8, 4, 2]).reshape(1, 3, 1)
    np.testing.assert_array_equal(out, np.floor(units + 0.5).transpose(2, 0, 1))


def test_stride():
    x = np.arange(1, 13, dtype=np.uint8).reshape(1, 2, 2, 3)
    out = np.full((1, 2, 2, 4), 9, np.uint8)
    cnrtAddDataStride(x, D.UINT8, out, 4, [1, 2, 2, 3], [0, 0, 0, 1])
    np.testing.assert_array_equal(out, np.pad(x, ((0, 0), (0, 0), (0, 0), (0, 1))))


def test_halves():
    assert cnrtConvertFloatToHalf(1.0) == 0x3C00 and cnrtConvertDoubleToHalf(-2.0) == 0xC000
    assert cnrtConvertHalfToFloat(0x3C00) == 1.0 and cnrtConvertHalfToDouble(0x7BFF) == 65504.0
    assert cnrtConvertFloatToHalf(1e6) == 0x7BFF and cnrtConvertFloatToHalf(float("inf")) == 0x7C00


def test_sizes_and_buffers():
    assert [cnrtDataTypeSize(d) for d in (D.FLOAT16, D.FLOAT32, D.INT8, D.INT64)] == [2, 4, 1, 8]
    fails(RetCode.ERR_INVALID_TYPE, "half a byte|0.5 bytes", cnrtDataTypeSize, D.INT4)
    fails(RetCode.ERR_INVALID_TYPE, "as DataType", cnrtDataTypeSize, 0x77)
    out = np.zeros(3, np.float16)
    fails(RetCode.ERR_OUT_RANGE, "has 6 bytes", cnrtCastDataType, np.zeros(4, np.float32), D.FLOAT32, out, D.FLOAT16, 4)
    fails(RetCode.ERR_INVALID_POINTER, "read-only", cnrtCastDataType, np.zeros(3, np.float32), D.FLOAT32, bytes(6), D.FLOAT16, 3)
