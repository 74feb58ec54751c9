"""Casts and reordering on the host, which the MLU270 generation leaves to the user. Sources and targets are arrays or bytes-like objects."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cnrt.data_desc import host_bytes
from cnrt.dtypes import HALF_MAX, numpy_of, size_of
from cnrt.enums import DataType
from cnrt.errors import CnrtError, RetCode
from cnrt.quantized_param import QuantizedParam, cast_values


def _dtype(value: int) -> DataType:
    if value not in DataType._value2member_map_:
        raise CnrtError(RetCode.ERR_INVALID_TYPE, f"failed to read {value!r} as DataType: the values are "
                        f"{', '.join(f'{d.name} {d.value:#x}' for d in DataType)}")
    return DataType(value)


def _param(value: Any) -> QuantizedParam:
    if not isinstance(value, QuantizedParam):
        raise CnrtError(RetCode.ERR_INVALID, f"failed to use {value!r} as a quantized parameter: it must come from cnrtCreateQuantizedParam or "
                        "cnrtCreateQuantizedParamByChannel")
    return value


def _values(data: Any, dtype: DataType, count: int, writable: bool) -> np.ndarray:
    """The first `count` values of a host buffer."""
    raw, needed = host_bytes(data, writable), count * numpy_of(dtype).itemsize
    if count < 0 or raw.size < needed:
        raise CnrtError(RetCode.ERR_OUT_RANGE, f"failed to use {count} values of {dtype.name}: the host buffer has {raw.size} bytes and they take "
                        f"{needed}")
    return raw[:needed].view(numpy_of(dtype))


def _extents(number: int, values: Sequence[int]) -> tuple[int, ...]:
    extents = tuple(int(v) for v in values[:number])
    if number < 1 or len(extents) != number or min(extents) < 0:
        raise CnrtError(RetCode.ERR_INVALID, f"failed to use the extents {tuple(values)} as {number} axes: there must be so many, none negative")
    return extents


def _order(number: int, order: Sequence[int]) -> tuple[int, ...]:
    axes = tuple(int(a) for a in order[:number])
    if sorted(axes) != list(range(number)):
        raise CnrtError(RetCode.ERR_INVALID, f"failed to reorder {number} axes by {tuple(order)}: each of 0..{number - 1} must stand there once")
    return axes


def cnrtDataTypeSize(type: int) -> int:
    """Bytes of an element; INVALID_TYPE for INVALID and for types of half a byte."""
    size = size_of(_dtype(type))
    if size < 1:
        raise CnrtError(RetCode.ERR_INVALID_TYPE, f"failed to size one element of {_dtype(type).name}: it has {size} bytes")
    return int(size)


def cnrtCreateQuantizedParam(pos: int, scale: float, offset: int) -> QuantizedParam:
    """Position, scale and offset of all values.

    Raises
    ------
    CnrtError
        INVALID for a scale that is not positive.
    """
    return QuantizedParam((int(pos),), (float(scale),), (float(offset),))


def cnrtCreateQuantizedParamByChannel(poses: Sequence[int], scales: Sequence[float], offsets: Sequence[float], dimNum: int,
                                      dimValues: Sequence[int], channelDim: int) -> QuantizedParam:
    """Positions, scales and offsets of the channels along one axis of data of a shape.

    Raises
    ------
    CnrtError
        INVALID unless there is one of each for each channel, or for a scale that is not positive.
    """
    shape = _extents(dimNum, dimValues)
    channels = shape[channelDim] if 0 <= channelDim < dimNum else len(poses)
    return QuantizedParam(tuple(int(p) for p in poses[:channels]), tuple(float(s) for s in scales[:channels]),
                          tuple(float(o) for o in offsets[:channels]), shape, int(channelDim))


def cnrtDestroyQuantizedParam(param: QuantizedParam) -> None:
    """Give a parameter object up."""
    _param(param)


def cnrtCastDataType(src: Any, src_type: int, dst: Any, dst_type: int, data_num: int, param: QuantizedParam | None = None) -> None:
    """Convert `data_num` values. Floats become whole numbers by rounding halves away from zero and stop at the type's limits.

    Parameters
    ----------
    src, dst : ndarray or bytes-like
    src_type, dst_type : DataType
        Without `param`: FLOAT32 to FLOAT16, UINT8 or FLOAT32, INT64 to FLOAT16, FLOAT16 to FLOAT32 or UINT8, UINT8 to FLOAT32 or FLOAT16. With it:
        FLOAT32 to FLOAT16, INT16, INT8, INT32 or FLOAT32, FLOAT16 to INT16, INT32, INT16 or INT8 to FLOAT32.
    data_num : int
    param : QuantizedParam, optional

    Raises
    ------
    CnrtError
        INVALID_TYPE for other types, OUT_RANGE for a short buffer, INVALID_POINTER for what is no buffer.
    """
    source, target = _dtype(src_type), _dtype(dst_type)
    made = cast_values(_values(src, source, data_num, False), source, target, None if param is None else _param(param))
    _values(dst, target, data_num, True)[...] = made


def cnrtTransDataOrder(src: Any, type: int, dst: Any, dimNum: int, dimValues: Sequence[int], dimOrder: Sequence[int]) -> None:
    """Reorder axes: axis i of the target is axis dimOrder[i] of the source, whose extents are `dimValues`.

    Raises
    ------
    CnrtError
        INVALID for an order that does not name each axis once, OUT_RANGE for a short buffer, INVALID_TYPE, INVALID_POINTER.
    """
    dtype, shape, order = _dtype(type), _extents(dimNum, dimValues), _order(dimNum, dimOrder)
    count = int(np.prod(shape, dtype=np.int64))
    moved = _values(src, dtype, count, False).reshape(shape).transpose(order)
    _values(dst, dtype, count, True)[...] = np.ascontiguousarray(moved).reshape(-1)


def cnrtTransOrderAndCast(src: Any, src_type: int, dst: Any, dst_type: int, param: QuantizedParam | None, dimNum: int, dimValues: Sequence[int],
                          dimOrder: Sequence[int]) -> None:
    """`cnrtCastDataType`, then `cnrtTransDataOrder`; a parameter object by channel is for the source's shape."""
    source, target, shape, order = _dtype(src_type), _dtype(dst_type), _extents(dimNum, dimValues), _order(dimNum, dimOrder)
    count = int(np.prod(shape, dtype=np.int64))
    made = cast_values(_values(src, source, count, False), source, target, None if param is None else _param(param))
    _values(dst, target, count, True)[...] = np.ascontiguousarray(made.reshape(shape).transpose(order)).reshape(-1)


def cnrtAddDataStride(src: Any, type: int, dst: Any, dimNum: int, dimValues: Sequence[int], dimStride: Sequence[int]) -> None:
    """Put zeros behind each axis: the target's extents are dimValues + dimStride.

    Raises
    ------
    CnrtError
        INVALID, INVALID_TYPE, OUT_RANGE, INVALID_POINTER.
    """
    dtype, shape, more = _dtype(type), _extents(dimNum, dimValues), _extents(dimNum, dimStride)
    wide = tuple(a + b for a, b in zip(shape, more, strict=True))
    values = _values(src, dtype, int(np.prod(shape, dtype=np.int64)), False).reshape(shape)
    made = np.zeros(wide, values.dtype)
    made[tuple(slice(0, d) for d in shape)] = values
    _values(dst, dtype, made.size, True)[...] = made.reshape(-1)


def cnrtReshapeNCHWToNHWC(dst: Any, src: Any, n: int, h: int, w: int, c: int, type: int) -> None:
    """Images from Caffe's order to the device's."""
    cnrtTransDataOrder(src, type, dst, 4, (n, c, h, w), (0, 2, 3, 1))


def cnrtReshapeNHWCToNCHW(dst: Any, src: Any, n: int, h: int, w: int, c: int, type: int) -> None:
    """Images from the device's order to Caffe's."""
    cnrtTransDataOrder(src, type, dst, 4, (n, h, w, c), (0, 3, 1, 2))


def cnrtConvertFloatToHalf(f: float) -> int:
    """The bits of the nearest half; finite values stop at ±65504."""
    return cnrtConvertDoubleToHalf(float(np.float32(f)))


def cnrtConvertHalfToFloat(bits: int) -> float:
    """The value of a half's bits."""
    return float(np.array([bits], np.uint16).view(np.float16)[0])


def cnrtConvertDoubleToHalf(d: float) -> int:
    """The bits of the nearest half; finite values stop at ±65504."""
    held = d if np.isinf(d) else np.clip(d, -HALF_MAX, HALF_MAX)
    return int(np.array([held], np.float16).view(np.uint16)[0])


def cnrtConvertHalfToDouble(bits: int) -> float:
    """The value of a half's bits."""
    return cnrtConvertHalfToFloat(bits)
