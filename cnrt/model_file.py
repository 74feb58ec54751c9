"""The offline model file (`.cambricon`): one container, versioned, every bit of it under a digest.

Layout, all integers little-endian:

====== ===== ==========================================================================================
offset bytes meaning
====== ===== ==========================================================================================
0      8     magic: 89 43 4E 52 54 0D 0A 1A
8      4     version, now 2
12     4     flags, now 0
16     8     length of the file
24     8     length of the index, a multiple of 64
32     32    SHA-256 of the index
64     32    zeros
96     32    SHA-256 of bytes 0 to 95
128          the index: JSON in UTF-8, filled up with spaces
…            sections, one behind the other, each filled up with zeros to a multiple of 64 bytes
====== ===== ==========================================================================================

The index has `model_parallelism`, `stack_mb`, `core_version`, `sections`, `functions` and `attachments`. A section is a row `nbytes`, `sha256` (of
its bytes and of what fills them up), `dtype` and `shape`. A function is a row `name`, `language`, `program` (number of the section with its body,
JSON), `constants` (numbers of sections), `inputs` and `outputs` (`name`, `shape`, `dtype`, `order`). Attachments are section numbers by name.

The digests find damage, not malice; who lowers a program checks it again. The vendor's own files have another, unpublished layout and are refused by
their first bytes.
"""
from __future__ import annotations

import hashlib
import json
import os
import struct
from pathlib import Path
from typing import Any

import numpy as np

from cnrt.data_desc import TensorSpec
from cnrt.enums import CoreVersion, DataType, DimOrder
from cnrt.errors import CnrtError, RetCode
from cnrt.memory import aligned_size
from cnrt.model import Model
from cnrt.program import Program
from cnrt.whole_file import whole_file

MAGIC = b"\x89CNRT\r\n\x1a"
VERSION = 2
_HEADER = struct.Struct("<8sIIQQ32s32x")
HEADER_BYTES = _HEADER.size + 32
_DTYPES = ("float32", "float16", "float64", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")


class _Sections:
    """Arrays and texts in the order of the file; the same array stands once."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.parts: list[bytes] = []
        self._numbers: dict[int, int] = {}

    def array(self, array: np.ndarray) -> int:
        """The number of an array's section."""
        if id(array) not in self._numbers:
            if array.dtype.name not in _DTYPES:
                raise CnrtError(RetCode.ERR_INVALID_TYPE, f"failed to write a constant of type {array.dtype}: it must be one of {', '.join(_DTYPES)}")
            self._numbers[id(array)] = self._add(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes(), array.dtype.name, array.shape)
        return self._numbers[id(array)]

    def text(self, data: bytes) -> int:
        """The number of a section of bytes."""
        return self._add(data, "uint8", (len(data),))

    def _add(self, raw: bytes, dtype: str, shape: tuple[int, ...]) -> int:
        part = raw.ljust(aligned_size(len(raw)), b"\0")
        self.rows.append({"nbytes": len(raw), "sha256": hashlib.sha256(part).hexdigest(), "dtype": dtype, "shape": list(shape)})
        self.parts.append(part)
        return len(self.rows) - 1


def to_bytes(model: Model) -> bytes:
    """The file's bytes.

    Parameters
    ----------
    model : Model
    """
    return b"".join(_parts(model))


def _parts(model: Model) -> list[bytes]:
    sections = _Sections()
    functions = [{"name": p.name, "language": p.language, "program": sections.text(_compact(p.body)),
                  "constants": [sections.array(a) for a in p.constants], "inputs": [_tensor_row(t) for t in p.inputs],
                  "outputs": [_tensor_row(t) for t in p.outputs]} for p in model.programs.values()]
    attachments = {name: sections.text(data) for name, data in model.attachments.items()}
    index = _compact({"model_parallelism": model.model_parallelism, "stack_mb": model.stack_mb, "core_version": int(model.core_version),
                      "sections": sections.rows, "functions": functions, "attachments": attachments})
    index = index.ljust(aligned_size(len(index)))
    total = HEADER_BYTES + len(index) + sum(map(len, sections.parts))
    head = _HEADER.pack(MAGIC, VERSION, 0, total, len(index), hashlib.sha256(index).digest())
    return [head, hashlib.sha256(head).digest(), index, *sections.parts]


def _compact(table: dict[str, Any]) -> bytes:
    return json.dumps(table, separators=(",", ":"), allow_nan=False).encode()


def save(model: Model, path: str | os.PathLike[str]) -> None:
    """Write the file; it takes its name only when it is complete.

    Raises
    ------
    CnrtError
        IO.
    """
    parts = _parts(model)
    try:
        with whole_file(path) as target, target.open("wb") as stream:
            stream.writelines(parts)
    except OSError as e:
        raise CnrtError(RetCode.ERR_IO, f"failed to write the model {os.fspath(path)}: {e}") from e


def load(path: str | os.PathLike[str]) -> Model:
    """Read a file.

    Raises
    ------
    CnrtError
        NO_EXIST without such a file, IO if it cannot be read or is damaged, UNSUPPORTED for another version, INVALID if it contradicts itself.
    """
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError as e:
        raise CnrtError(RetCode.ERR_NO_EXIST, f"failed to load the model {path}: there is no such file") from e
    except OSError as e:
        raise CnrtError(RetCode.ERR_IO, f"failed to load the model {path}: {e}") from e
    return from_bytes(data, str(path))


def from_bytes(data: bytes, name: str = "in memory") -> Model:
    """Read a file's bytes.

    Raises
    ------
    CnrtError
        IO if they are damaged, UNSUPPORTED for another version, INVALID if they contradict themselves.
    """
    index, start = _read_index(data, name)
    try:
        arrays = _read_sections(data, start, index["sections"], name)
        programs = [_read_program(row, arrays) for row in index["functions"]]
        attachments = {str(key): arrays[_whole(i)].tobytes() for key, i in index["attachments"].items()}
        parallelism, stack = _positive(index["model_parallelism"]), _positive(index["stack_mb"])
        return Model.of(programs, parallelism, stack, CoreVersion(index["core_version"]), attachments)
    except (KeyError, TypeError, ValueError, IndexError, OverflowError, AttributeError, RecursionError) as e:
        raise CnrtError(RetCode.ERR_INVALID, f"failed to load the model {name}: its index is not as version {VERSION} has it ({type(e).__name__}: "
                        f"{e})") from e


def _read_index(data: bytes, name: str) -> tuple[dict[str, Any], int]:
    if len(data) < HEADER_BYTES or data[:8] != MAGIC:
        raise CnrtError(RetCode.ERR_IO, f"failed to load the model {name}: it does not begin like a model of this runtime")
    _, version, flags, total, length, digest = _HEADER.unpack_from(data)
    if version != VERSION or flags:
        raise CnrtError(RetCode.ERR_UNSUPPORTED, f"failed to load the model {name}: it has version {version}, flags {flags}; this runtime reads "
                        f"version {VERSION}. Make it again with this version, or install the one it was made with")
    if hashlib.sha256(data[:_HEADER.size]).digest() != data[_HEADER.size:HEADER_BYTES]:
        raise CnrtError(RetCode.ERR_IO, f"failed to load the model {name}: its header is damaged")
    if total != len(data):
        raise CnrtError(RetCode.ERR_IO, f"failed to load the model {name}: it has {len(data)} bytes and was written with {total}")
    start = HEADER_BYTES + length
    text = data[HEADER_BYTES:start]
    if len(text) != length or hashlib.sha256(text).digest() != digest:
        raise CnrtError(RetCode.ERR_IO, f"failed to load the model {name}: its index is damaged")
    return _json_table(text, f"the index of the model {name}"), start


def _json_table(text: bytes, what: str) -> dict[str, Any]:
    try:
        table = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as e:
        raise CnrtError(RetCode.ERR_INVALID, f"failed to load {what}: it is no JSON ({e})") from e
    if not isinstance(table, dict):
        raise CnrtError(RetCode.ERR_INVALID, f"failed to load {what}: it is a {type(table).__name__} and must be a table")
    return table


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number of JSON")


def _read_sections(data: bytes, start: int, rows: list[dict[str, Any]], name: str) -> list[np.ndarray]:
    arrays = []
    for i, row in enumerate(rows):
        where, nbytes, shape = f"section {i} of the model {name}", _whole(row["nbytes"]), [_whole(d) for d in row["shape"]]
        if row["dtype"] not in _DTYPES:
            raise CnrtError(RetCode.ERR_INVALID_TYPE, f"failed to load {where}: its type is {row['dtype']!r}; it must be one of {', '.join(_DTYPES)}")
        dtype = np.dtype(row["dtype"])
        size = dtype.itemsize
        for d in shape:
            size *= d
        if size != nbytes or len(shape) > 32:
            raise CnrtError(RetCode.ERR_INVALID, f"failed to load {where}: {shape} of {dtype} are {size} bytes, and it says {nbytes}")
        part = memoryview(data)[start:start + aligned_size(nbytes)]
        if len(part) != aligned_size(nbytes) or hashlib.sha256(part).hexdigest() != row["sha256"]:
            raise CnrtError(RetCode.ERR_IO, f"failed to load {where}: its bytes are damaged")
        arrays.append(np.frombuffer(part[:nbytes], dtype.newbyteorder("<")).astype(dtype, copy=False).reshape(shape))
        start += len(part)
    if start != len(data):
        raise CnrtError(RetCode.ERR_INVALID, f"failed to load the model {name}: it has {len(data) - start} bytes behind its sections")
    return arrays


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{value!r} where a natural number should stand")
    return value


def _positive(value: Any) -> int:
    if _whole(value) == 0:
        raise ValueError("0 where a positive number should stand")
    return int(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} where a text should stand")
    return value


def _read_program(row: dict[str, Any], arrays: list[np.ndarray]) -> Program:
    name = _text(row["name"])
    body = _json_table(arrays[_whole(row["program"])].tobytes(), f"the program of function '{name}'")
    return Program(name, _text(row["language"]), body, tuple(arrays[_whole(i)] for i in row["constants"]),
                   tuple(_read_tensor(t) for t in row["inputs"]), tuple(_read_tensor(t) for t in row["outputs"]))


def _tensor_row(t: TensorSpec) -> dict[str, Any]:
    return {"name": t.name, "shape": list(t.shape), "dtype": t.dtype.name, "order": t.order.name}


def _read_tensor(row: dict[str, Any]) -> TensorSpec:
    n, c, h, w = (_whole(d) for d in row["shape"])
    return TensorSpec(_text(row["name"]), (n, c, h, w), DataType[row["dtype"]], DimOrder[row["order"]])
