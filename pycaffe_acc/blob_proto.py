"""BlobProto ↔ NumPy: every way in which Caffes have written an array."""
from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pycaffe_acc import wire
from pycaffe_acc.errors import BinaryProtoError
from pycaffe_acc.proto import caffe_pb2

#: most axes a blob may have
MAX_AXES = 32
#: NVCaffe's raw_data_type → element
_RAW = {caffe_pb2.DOUBLE: "<f8", caffe_pb2.FLOAT: "<f4", caffe_pb2.FLOAT16: "<f2", caffe_pb2.INT: "<i4", caffe_pb2.UINT: "<u4"}
_LEGACY = ("num", "channels", "height", "width")
_DATA, _SHAPE, _DOUBLE_DATA, _RAW_TYPE, _RAW_DATA = 5, 7, 8, 10, 12
_SIZES = {_DATA: (4, "<f4"), _DOUBLE_DATA: (8, "<f8")}


@dataclass
class StoredBlob:
    """A blob as it lies in a file: shape and bytes, not yet an array.

    Attributes
    ----------
    dims : list of int or None
        `shape`, or None when the blob has only the four legacy extents.
    legacy : list of int
        num, channels, height, width.
    """

    dims: list[int] | None = None
    legacy: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    has_legacy: bool = False
    raw_type: int = 0
    floats: list[memoryview] = field(default_factory=list)
    doubles: list[memoryview] = field(default_factory=list)
    raw: memoryview | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape; four axes for a legacy blob. As stored: `array` checks it."""
        return tuple(self.legacy if self.is_legacy else self.dims or ())

    @property
    def is_legacy(self) -> bool:
        """Whether the blob has the four legacy extents. Caffe prefers them to `shape` when both are there."""
        return self.has_legacy

    @property
    def is_raw(self) -> bool:
        """Whether NVCaffe's raw bytes hold the values."""
        return self.raw is not None and not self.floats and not self.doubles

    @property
    def count(self) -> int:
        """Number of stored elements.

        Raises
        ------
        BinaryProtoError
            For bytes that are no whole number of elements.
        """
        parts, dtype = self._values()
        size = np.dtype(dtype).itemsize
        total = sum(len(p) for p in parts)
        if total % size:
            raise BinaryProtoError(f"a blob holds {total} bytes of {size}-byte elements; the file is damaged")
        return total // size

    def array(self) -> np.ndarray:
        """The values.

        Returns
        -------
        float32 ndarray of `shape`
            May be a read-only view of the file's bytes.

        Raises
        ------
        BinaryProtoError
            When the shape is no shape, or its product is not the number of elements.
        """
        shape = self.checked_shape()
        parts, dtype = self._values()
        data = parts[0] if len(parts) == 1 else b"".join(parts)
        with np.errstate(all="ignore"):  # a double may be too large for float32
            return np.frombuffer(data, dtype).astype(np.float32, copy=False).reshape(shape)

    def checked_shape(self) -> tuple[int, ...]:
        """The shape, after checking it against the number of elements (in Python's integers, before anything is allocated)."""
        shape = self.shape
        if len(shape) > MAX_AXES:
            raise BinaryProtoError(f"a blob has {len(shape)} axes; Caffe allows {MAX_AXES}")
        if any(d < 0 for d in shape):
            raise BinaryProtoError(f"a blob has the shape {shape}; extents must not be negative")
        if math.prod(shape) != self.count:
            raise BinaryProtoError(f"a blob has the shape {shape}, which is {math.prod(shape)} elements, but {self.count} are stored; "
                                   "the file is damaged")
        return shape

    def _values(self) -> tuple[list[memoryview], str]:
        if self.doubles:
            return self.doubles, "<f8"
        if self.floats or self.raw is None:
            return self.floats, "<f4"
        if self.raw_type not in _RAW:
            raise BinaryProtoError(f"a blob's raw_data_type is {self.raw_type}; known are 0 (double), 1 (float), 2 (half), 3 (int), 4 (unsigned)")
        return [self.raw], _RAW[self.raw_type]


def decode_blob(data: memoryview) -> StoredBlob:
    """The bytes of a BlobProto → StoredBlob that refers to them.

    Raises
    ------
    BinaryProtoError
        For bytes that are no message.
    """
    blob = StoredBlob()
    for number, kind, value in wire.fields(data):
        if isinstance(value, int):
            if 1 <= number <= 4:
                blob.legacy[number - 1] = _int32(value)
                blob.has_legacy = True
            elif number == _RAW_TYPE:
                blob.raw_type = value
        elif number in _SIZES:
            _add_values(blob, number, kind, value)
        elif kind == wire.BYTES and number == _SHAPE:
            blob.dims = (blob.dims or []) + _dims(value)
        elif kind == wire.BYTES and number == _RAW_DATA:
            blob.raw = value
    return blob


def _int32(value: int) -> int:
    low = value & 0xFFFFFFFF
    return low - (1 << 32) if low >> 31 else low


def _add_values(blob: StoredBlob, number: int, kind: int, value: memoryview) -> None:
    size, _ = _SIZES[number]
    fixed = wire.FIXED32 if size == 4 else wire.FIXED64
    if kind not in (wire.BYTES, fixed):
        return
    if len(value) % size:
        raise BinaryProtoError(f"a blob's packed array has {len(value)} bytes, no whole number of {size}-byte elements; the file is damaged")
    if len(value):
        (blob.floats if number == _DATA else blob.doubles).append(value)


def _dims(data: memoryview) -> list[int]:
    dims = []
    for number, kind, value in wire.fields(data):
        if number != 1:
            continue
        if isinstance(value, int):
            dims.append(wire.signed(value))
        elif kind == wire.BYTES:
            at = 0
            while at < len(value):
                dim, at = wire.varint(value, at)
                dims.append(wire.signed(dim))
        if len(dims) > 4 * MAX_AXES:
            raise BinaryProtoError(f"a blob's shape has more than {4 * MAX_AXES} axes; Caffe allows {MAX_AXES}")
    return dims


def blob_to_array(blob: Any) -> np.ndarray:
    """The values of a BlobProto.

    Parameters
    ----------
    blob : BlobProto
        This package's or another Caffe's.

    Returns
    -------
    float32 ndarray
        Of the blob's shape (N, C, H, W for a legacy blob); its own memory.

    Raises
    ------
    BinaryProtoError
        When shape and number of elements do not agree.
    """
    return decode_blob(memoryview(blob.SerializeToString())).array().copy()


def array_to_blob(array: np.ndarray, diff: np.ndarray | None = None) -> Any:
    """A BlobProto with the values of an array.

    Parameters
    ----------
    array : ndarray, any shape
        Stored as float32.
    diff : ndarray, optional
        Gradients of the same shape.

    Returns
    -------
    BlobProto
    """
    return caffe_pb2.BlobProto.FromString(b"".join(encode_blob(array, diff)))


def encode_blob(array: np.ndarray, diff: np.ndarray | None = None) -> list[Any]:
    """The bytes of a BlobProto, in pieces that need not be joined in memory.

    Parameters
    ----------
    array : ndarray
    diff : ndarray, optional

    Returns
    -------
    list of bytes-like
    """
    dims = b"".join(wire.write_varint(d) for d in array.shape)
    shape = wire.header(1, len(dims)) + dims if dims else b""
    pieces: list[Any] = [*_packed(5, array), *(_packed(6, diff) if diff is not None else ())]
    return [*pieces, wire.header(_SHAPE, len(shape)), shape]


def _packed(number: int, array: np.ndarray) -> list[Any]:
    flat = np.ascontiguousarray(array, "<f4").reshape(-1)
    return [wire.header(number, flat.nbytes), flat.data.cast("B")] if flat.size else []
