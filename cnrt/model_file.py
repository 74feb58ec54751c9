"""The offline model file (`.cambricon`): one container, versioned, checked by digests.

Layout, all integers little-endian:

====== ===== ==========================================================================================
offset bytes meaning
====== ===== ==========================================================================================
0      8     magic: 89 43 4E 52 54 0D 0A 1A
8      4     version, now 1
12     4     flags, now 0
16     8     length of the index
24     32    SHA-256 of the index
56           the index: JSON, UTF-8
…            sections, each at a multiple of 64 bytes from the start of the file: the constants' bytes in C order
====== ===== ==========================================================================================

The index has `model_parallelism`, `stack_mb`, `core_version`, `sections` (`offset`, `nbytes`, `sha256`, `dtype`, `shape` of each) and `functions`
(`name`, `activation_bytes`, `scratch_bytes`, `inputs`, `outputs`, `constants`: section numbers, `calls`). Offsets of sections count from the first
one. A call is `[kernel, [argument, …]]`; an argument is `["i", integer]`, `["f", hexadecimal float]`, `["c", constant, offset]`, `["l", offset]`
(activations), `["s", bytes]` (scratch) or `["p", parameter, offset]`.

The digests find damage, not malice: a model is a program for native kernels, so run only models whose maker you trust. The vendor's own files
have another, unpublished layout and are refused by their first bytes.
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
from cnrt.function import Param, Scratch
from cnrt.memory import aligned_size
from cnrt.model import Const, Local, Model, ModelFunction, Symbol, SymbolicCall
from cnrt.whole_file import whole_file

MAGIC = b"\x89CNRT\r\n\x1a"
VERSION = 1
_HEADER = struct.Struct("<8sIIQ32s")
_DTYPES = ("float32", "float16", "float64", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")


def to_bytes(model: Model) -> bytes:
    """The file's bytes.

    Parameters
    ----------
    model : Model
    """
    arrays: list[np.ndarray] = []
    numbers: dict[int, int] = {}
    for f in model.functions.values():
        for array in f.constants:
            if id(array) not in numbers:
                numbers[id(array)] = len(arrays)
                arrays.append(array)
    raws = [array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes() for array in arrays]
    sections: list[dict[str, Any]] = []
    end = 0
    for array, raw in zip(arrays, raws, strict=True):
        sections.append({"offset": end, "nbytes": len(raw), "sha256": hashlib.sha256(raw).hexdigest(), "dtype": array.dtype.name,
                         "shape": list(array.shape)})
        end += aligned_size(len(raw))
    index = {"model_parallelism": model.model_parallelism, "stack_mb": model.stack_mb, "core_version": int(model.core_version), "sections": sections,
             "functions": [_function_row(f, [numbers[id(a)] for a in f.constants]) for f in model.functions.values()]}
    # offsets are from the first section, so that the index does not depend on its own length
    text = json.dumps(index, separators=(",", ":")).encode()
    head = _HEADER.pack(MAGIC, VERSION, 0, len(text), hashlib.sha256(text).digest()) + text
    out = bytearray(head.ljust(aligned_size(len(head)), b"\0"))
    for raw in raws:
        out += raw.ljust(aligned_size(len(raw)), b"\0")
    return bytes(out)


def save(model: Model, path: str | os.PathLike[str]) -> None:
    """Write the file; it takes its name only when it is complete.

    Raises
    ------
    CnrtError
        IO.
    """
    data = to_bytes(model)
    try:
        with whole_file(path) as part:
            part.write_bytes(data)
    except OSError as e:
        raise CnrtError(RetCode.ERR_IO, f"failed to write the model {os.fspath(path)}: {e}") from e


def load(path: str | os.PathLike[str]) -> Model:
    """Read a file.

    Raises
    ------
    CnrtError
        NO_EXIST without such a file, IO if it cannot be read or is damaged, INVALID if it contradicts itself.
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
        IO if they are damaged, INVALID if they contradict themselves.
    """
    index, start = _read_index(data, name)
    try:
        arrays = [_read_section(data, start, row, f"section {i} of the model {name}") for i, row in enumerate(index["sections"])]
        functions = [_read_function(row, arrays) for row in index["functions"]]
        return Model.of(functions, int(index["model_parallelism"]), int(index["stack_mb"]), CoreVersion(index["core_version"]))
    except (KeyError, TypeError, ValueError, IndexError, OverflowError) as e:
        raise CnrtError(RetCode.ERR_INVALID, f"failed to load the model {name}: its index is not as version {VERSION} has it ({type(e).__name__}: "
                        f"{e})") from e


def _read_index(data: bytes, name: str) -> tuple[dict[str, Any], int]:
    if len(data) < _HEADER.size or data[:8] != MAGIC:
        raise CnrtError(RetCode.ERR_IO, f"failed to load the model {name}: it does not begin like a model of this runtime")
    _, version, flags, length, digest = _HEADER.unpack_from(data)
    if version != VERSION or flags:
        raise CnrtError(RetCode.ERR_UNSUPPORTED, f"failed to load the model {name}: it has version {version}, flags {flags}; this runtime reads "
                        f"version {VERSION}")
    text = data[_HEADER.size:_HEADER.size + length]
    if len(text) != length or hashlib.sha256(text).digest() != digest:
        raise CnrtError(RetCode.ERR_IO, f"failed to load the model {name}: its index is damaged or cut off")
    try:
        index = json.loads(text)
    except (ValueError, RecursionError) as e:
        raise CnrtError(RetCode.ERR_INVALID, f"failed to load the model {name}: its index is no JSON ({e})") from e
    if not isinstance(index, dict):
        raise CnrtError(RetCode.ERR_INVALID, f"failed to load the model {name}: its index is a {type(index).__name__}")
    return index, aligned_size(_HEADER.size + length)


def _read_section(data: bytes, start: int, row: dict[str, Any], where: str) -> np.ndarray:
    offset, nbytes, shape = _whole(row["offset"]), _whole(row["nbytes"]), [_whole(d) for d in row["shape"]]
    if row["dtype"] not in _DTYPES:
        raise CnrtError(RetCode.ERR_INVALID_TYPE, f"failed to load {where}: its type is {row['dtype']!r}; it must be one of {', '.join(_DTYPES)}")
    dtype = np.dtype(row["dtype"])
    size = dtype.itemsize
    for d in shape:
        size *= d
    if size != nbytes or offset % 64:
        raise CnrtError(RetCode.ERR_INVALID, f"failed to load {where}: {shape} of {dtype} are {size} bytes, and it says {nbytes} at {offset}")
    raw = data[start + offset:start + offset + nbytes]
    if len(raw) != nbytes or hashlib.sha256(raw).hexdigest() != row["sha256"]:
        raise CnrtError(RetCode.ERR_IO, f"failed to load {where}: its bytes are damaged or cut off")
    return np.frombuffer(raw, dtype.newbyteorder("<")).astype(dtype, copy=False).reshape(shape)


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{value!r} where a natural number should stand")
    return value


def _function_row(f: ModelFunction, constants: list[int]) -> dict[str, Any]:
    return {"name": f.name, "activation_bytes": f.activation_bytes, "scratch_bytes": f.scratch_bytes, "constants": constants,
            "inputs": [_tensor_row(t) for t in f.inputs], "outputs": [_tensor_row(t) for t in f.outputs],
            "calls": [[c.kernel, [_argument_row(a) for a in c.args]] for c in f.calls]}


def _read_function(row: dict[str, Any], arrays: list[np.ndarray]) -> ModelFunction:
    calls = tuple(SymbolicCall(str(kernel), tuple(_read_argument(a) for a in args)) for kernel, args in row["calls"])
    return ModelFunction(str(row["name"]), calls, tuple(arrays[_whole(i)] for i in row["constants"]), _whole(row["activation_bytes"]),
                         tuple(_read_tensor(t) for t in row["inputs"]), tuple(_read_tensor(t) for t in row["outputs"]), _whole(row["scratch_bytes"]))


def _tensor_row(t: TensorSpec) -> dict[str, Any]:
    return {"name": t.name, "shape": list(t.shape), "dtype": t.dtype.name, "order": t.order.name}


def _read_tensor(row: dict[str, Any]) -> TensorSpec:
    n, c, h, w = (_whole(d) for d in row["shape"])
    return TensorSpec(str(row["name"]), (n, c, h, w), DataType[row["dtype"]], DimOrder[row["order"]])


def _argument_row(a: Symbol) -> list[Any]:
    if isinstance(a, Const):
        return ["c", a.section, a.offset]
    if isinstance(a, Local):
        return ["l", a.offset]
    if isinstance(a, Param):
        return ["p", a.index, a.offset]
    if isinstance(a, Scratch):
        return ["s", a.nbytes]
    return ["f", float(a).hex()] if isinstance(a, float) else ["i", int(a)]


def _read_argument(row: list[Any]) -> Symbol:
    tag, *values = row
    if tag == "i" and isinstance(values[0], int):
        return int(values[0])
    if tag == "f":
        return float.fromhex(values[0])
    if tag == "c":
        return Const(_whole(values[0]), _whole(values[1]))
    if tag == "l":
        return Local(_whole(values[0]))
    if tag == "s":
        return Scratch(_whole(values[0]))
    if tag == "p":
        return Param(_whole(values[0]), _whole(values[1]))
    raise ValueError(f"argument {row!r}")
