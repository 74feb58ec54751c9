"""Data types of the runtime as NumPy sees them, and conversion between them."""
from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from cnrt.enums import DataType
from cnrt.errors import CnrtError, RetCode

NUMPY: Mapping[DataType, np.dtype] = MappingProxyType({
    DataType.FLOAT16: np.dtype(np.float16), DataType.FLOAT32: np.dtype(np.float32), DataType.FLOAT64: np.dtype(np.float64),
    DataType.INT8: np.dtype(np.int8), DataType.INT16: np.dtype(np.int16), DataType.INT32: np.dtype(np.int32), DataType.INT64: np.dtype(np.int64),
    DataType.UINT8: np.dtype(np.uint8), DataType.UINT16: np.dtype(np.uint16), DataType.UINT32: np.dtype(np.uint32), DataType.BOOL: np.dtype(np.bool_),
})
HALF_MAX = 65504.0


def size_of(dtype: DataType) -> float:
    """Bytes of one element: 2^(low nibble - 1), so 0.5 for INT4.

    Raises
    ------
    CnrtError
        INVALID_TYPE for INVALID.
    """
    if dtype == DataType.INVALID:
        raise CnrtError(RetCode.ERR_INVALID_TYPE, "failed to size data of type INVALID: choose a type")
    return 2.0 ** ((int(dtype) & 0xF) - 1)


def numpy_of(dtype: DataType) -> np.dtype:
    """NumPy's type.

    Raises
    ------
    CnrtError
        INVALID_TYPE for types that need more than the bytes to be read (FIX8, QUANT8, INT4, AUTO).
    """
    if dtype not in NUMPY:
        known = ", ".join(d.name for d in NUMPY)
        name = DataType(dtype).name if dtype in DataType._value2member_map_ else repr(dtype)
        raise CnrtError(RetCode.ERR_INVALID_TYPE, f"failed to read data of type {name}: only {known} have a plain host form")
    return NUMPY[DataType(dtype)]


def cast(values: np.ndarray, dtype: DataType) -> np.ndarray:
    """Convert with saturation; floats become integers by rounding half away from zero, and NaN becomes 0.

    The vendor does not say how it rounds; this is the rule of this project's quantization.

    Parameters
    ----------
    values : ndarray
    dtype : DataType

    Returns
    -------
    ndarray of the same shape; `values` itself if nothing is to be done.

    Raises
    ------
    CnrtError
        INVALID_TYPE.
    """
    target = numpy_of(dtype)
    if values.dtype == target:
        return values
    if target.kind == "b":
        return values != 0
    if target == np.float16:
        # infinities stay; finite values stop at the largest half
        wide = values.astype(np.float32) if values.dtype.kind != "f" else values
        return np.where(np.isinf(wide), wide, np.clip(wide, -HALF_MAX, HALF_MAX)).astype(np.float16)
    if target.kind == "f":
        return values.astype(target)
    limits = np.iinfo(target)
    if values.dtype.kind == "f":
        exact = np.nan_to_num(values.astype(np.float64), nan=0.0, posinf=np.inf, neginf=-np.inf)
        rounded = np.trunc(exact + np.copysign(0.5, exact))
        top = np.nextafter(np.float64(limits.max) + 1, 0) if limits.max > 1 << 53 else limits.max
        return np.clip(rounded, limits.min, top).astype(target)
    return np.clip(values.astype(object) if values.dtype == np.uint64 else values.astype(np.int64), limits.min, limits.max).astype(target)
