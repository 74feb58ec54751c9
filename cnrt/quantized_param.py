"""What one unit of a quantized number is worth, and casts by it (MLU270 generation).

A whole number q stands for (q - offset) * 2**position / scale. Floats become whole numbers by rounding halves away from zero, in float32; they stop
at the largest and smallest number of their type (8 and 16 bits without an offset: at ±127 and ±32767, so that both signs reach as far).
"""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cnrt.dtypes import cast, numpy_of
from cnrt.enums import DataType
from cnrt.errors import CnrtError, RetCode

_F32, _F16, _U8 = DataType.FLOAT32, DataType.FLOAT16, DataType.UINT8
#: what the vendor casts without a parameter object
PLAIN = frozenset({(_F32, _F16), (_F32, _U8), (DataType.INT64, _F16), (_F16, _F32), (_F16, _U8), (_U8, _F32), (_U8, _F16), (_F32, _F32)})
#: what the vendor casts with one
QUANTIZED = frozenset({(_F32, _F16), (_F32, DataType.INT16), (_F32, DataType.INT8), (_F32, DataType.INT32), (DataType.INT32, _F32),
                       (_F16, DataType.INT16), (DataType.INT16, _F32), (DataType.INT8, _F32), (_F32, _F32)})
_SYMMETRIC = {DataType.INT8: 127, DataType.INT16: 32767}


@dataclass(frozen=True)
class QuantizedParam:
    """`cnrtQuantizedParam_t`: one entry for all values, or one for each channel.

    Attributes
    ----------
    positions : tuple of int
    scales, offsets : tuple of float
    shape : tuple of int or None
        Of the data, where there is an entry for each channel.
    axis : int
        Where the channels lie in `shape`.
    """

    positions: tuple[int, ...]
    scales: tuple[float, ...]
    offsets: tuple[float, ...]
    shape: tuple[int, ...] | None = None
    axis: int = 0

    def __post_init__(self) -> None:
        if not all(0 < s < float("inf") for s in self.scales):
            raise CnrtError(RetCode.ERR_INVALID, f"failed to describe quantized data with the scales {self.scales}: they must be positive and finite")
        if not all(-128 <= p <= 127 for p in self.positions):
            raise CnrtError(RetCode.ERR_INVALID, f"failed to describe quantized data with the positions {self.positions}: they must lie in -128..127")
        if self.shape is None:
            return
        if not 0 <= self.axis < len(self.shape):
            raise CnrtError(RetCode.ERR_INVALID, f"failed to describe quantized data of shape {self.shape} with channels on axis {self.axis}: "
                            f"it has {len(self.shape)} axes")
        counts = {len(self.positions), len(self.scales), len(self.offsets)}
        if counts != {self.shape[self.axis]}:
            raise CnrtError(RetCode.ERR_INVALID, f"failed to describe quantized data of shape {self.shape} with {len(self.positions)} positions, "
                            f"{len(self.scales)} scales and {len(self.offsets)} offsets: axis {self.axis} has {self.shape[self.axis]} channels")

    def _spread(self, values: Sequence[float], count: int) -> np.ndarray:
        """An entry for each of `count` values."""
        entries = np.asarray(values, np.float64)
        if self.shape is None:
            return entries
        size = int(np.prod(self.shape, dtype=np.int64))
        if size != count:
            raise CnrtError(RetCode.ERR_INVALID, f"failed to cast {count} values by channel: the parameter object is for {self.shape}, {size} values")
        extents = [-1 if a == self.axis else 1 for a in range(len(self.shape))]
        return np.broadcast_to(entries.reshape(extents), self.shape).reshape(-1)

    def encode(self, values: np.ndarray, dtype: DataType) -> np.ndarray:
        """Whole numbers for real values.

        Parameters
        ----------
        values : (count,) ndarray of float
        dtype : DataType
            INT8, INT16 or INT32.

        Returns
        -------
        (count,) ndarray of the type
        """
        per_unit = np.ldexp(self._spread(self.scales, values.size).astype(np.float32), -self._spread(self.positions, values.size).astype(np.int64))
        offsets = self._spread(self.offsets, values.size)
        with np.errstate(all="ignore"):
            units = (values.astype(np.float32) * per_unit.astype(np.float32)).astype(np.float64)
        units = np.nan_to_num(units, nan=0.0, posinf=np.inf, neginf=-np.inf)
        limits = np.iinfo(numpy_of(dtype))
        low, high = np.full(offsets.shape, float(limits.min)), float(limits.max)
        if dtype in _SYMMETRIC:
            low = np.where(offsets == 0, -_SYMMETRIC[dtype], low)
        whole = np.trunc(units + np.copysign(0.5, units)) + np.round(offsets)
        return np.clip(whole, low, high).astype(numpy_of(dtype))

    def decode(self, codes: np.ndarray) -> np.ndarray:
        """Real values of whole numbers, (count,) float32."""
        unit = np.ldexp(1 / self._spread(self.scales, codes.size).astype(np.float32).astype(np.float64),
                        self._spread(self.positions, codes.size).astype(np.int64))
        centred = codes.astype(np.float64) - np.round(self._spread(self.offsets, codes.size))
        return centred.astype(np.float32) * unit.astype(np.float32)


def cast_values(values: np.ndarray, source: DataType, target: DataType, param: QuantizedParam | None) -> np.ndarray:
    """Convert between the types for which the vendor has a conversion.

    Parameters
    ----------
    values : (count,) ndarray of the type `source`
    source, target : DataType
    param : QuantizedParam or None
        Between floats it has nothing to say.

    Returns
    -------
    (count,) ndarray of the type `target`

    Raises
    ------
    CnrtError
        INVALID_TYPE for any other pair of types, listing those there are.
    """
    known = PLAIN if param is None else QUANTIZED
    if (source, target) not in known:
        pairs = ", ".join(sorted(f"{a.name} to {b.name}" for a, b in known))
        raise CnrtError(RetCode.ERR_INVALID_TYPE, f"failed to cast {_name(source)} to {_name(target)} {'without' if param is None else 'with'} a "
                        f"parameter object: the vendor casts {pairs}")
    if param is None or target == _F16 or (source, target) == (_F32, _F32):
        return cast(values, target)
    if numpy_of(target).kind == "i":
        return param.encode(values, target)
    return param.decode(values)


def _name(dtype: int) -> str:
    return DataType(dtype).name if dtype in DataType._value2member_map_ else str(dtype)
