"""Protobuf's wire format, read without copying.

A weight file is a few hundred small fields and some arrays of many megabytes. protobuf's Python API hands each of those floats out as an object; here
the arrays stay where they lie in the file's bytes, and every length is checked against what is there before it is used.
"""
from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pycaffe_acc.errors import BinaryProtoError

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
Field = tuple[int, int, "int | memoryview"]
_RUN = 1 << 16


def varint(data: memoryview, at: int) -> tuple[int, int]:
    """Read a variable-length integer.

    Parameters
    ----------
    data : memoryview of bytes
    at : int
        Where it starts.

    Returns
    -------
    value : int
        0 … 2^64 - 1.
    end : int
        The place behind it.

    Raises
    ------
    BinaryProtoError
        When the bytes end inside it, or it is longer than ten bytes.
    """
    value = shift = 0
    end = len(data)
    while shift < 70:
        if at >= end:
            raise BinaryProtoError("the data ends inside a number; the file is cut off or damaged")
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value & 0xFFFFFFFFFFFFFFFF, at
        shift += 7
    raise BinaryProtoError("a number is longer than ten bytes; this is no protobuf message")


def signed(value: int) -> int:
    """A varint's value as int64."""
    return value - (1 << 64) if value >> 63 else value


def fields(data: memoryview) -> Iterator[Field]:
    """The fields of a message in order.

    Parameters
    ----------
    data : memoryview of bytes
        Exactly one message.

    Yields
    ------
    number, wire type, value
        An int for VARINT, otherwise a memoryview: 4 or 8 bytes, or the contents of a BYTES field. A run of neighbouring FIXED32 (FIXED64) fields with
        one small number (an array that was not packed) comes as one BYTES field with the elements in a row.

    Raises
    ------
    BinaryProtoError
        For bytes that are no message.
    """
    at, end = 0, len(data)
    while at < end:
        start = at
        tag, at = varint(data, at)
        number, kind = tag >> 3, tag & 7
        if number == 0 or number >= 1 << 29:
            raise BinaryProtoError(f"field number {number} is outside 1 … 2^29 - 1; this is no protobuf message")
        if kind == VARINT:
            value, at = varint(data, at)
            yield number, kind, value
        elif kind == BYTES:
            size, at = varint(data, at)
            yield number, kind, _take(data, at, size)
            at += size
        elif kind in (FIXED32, FIXED64):
            size = 4 if kind == FIXED32 else 8
            first = _take(data, at, size)
            at += size
            if at < end and data[at] == data[start] and at - start == size + 1:
                values, at = _run(data, start, size)
                yield number, BYTES, values
            else:
                yield number, kind, first
        else:
            raise BinaryProtoError(f"field {number} has the wire type {kind}, which Caffe's messages never have; "
                                   "the file is damaged or of another kind")


def _take(data: memoryview, at: int, size: int) -> memoryview:
    if size > len(data) - at:
        raise BinaryProtoError(f"a field says it has {size} bytes where only {len(data) - at} are left; the file is cut off or damaged")
    return data[at:at + size]


def _run(data: memoryview, start: int, size: int) -> tuple[memoryview, int]:
    """Neighbouring fixed-size fields with the tag byte at `start`: their values in a row, and the place behind them."""
    step = size + 1
    tag = data[start]
    parts = []
    while True:
        rows = min((len(data) - start) // step, _RUN)
        block = np.frombuffer(data, np.uint8, rows * step, start).reshape(rows, step)
        other = np.flatnonzero(block[:, 0] != tag)
        n = int(other[0]) if other.size else rows
        parts.append(block[:n, 1:].tobytes())
        start += n * step
        if n < _RUN:
            return memoryview(b"".join(parts)), start


def write_varint(value: int) -> bytes:
    """A number from 0 to 2^64 - 1 as varint."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def header(number: int, size: int) -> bytes:
    """Tag and length in front of a BYTES field's contents."""
    return write_varint(number << 3 | BYTES) + write_varint(size)
