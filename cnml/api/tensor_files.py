"""Tensors as text, one number a line in the order of memory, for looking at them and comparing."""
from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import numpy as np

from cnml.api.enums import TensorType, member
from cnml.api.forms import decode, encode, numpy_of, order_axes
from cnml.api.session import vendor_call
from cnml.api.tensors import CpuTensor, DeviceTensor, cpu_tensor, device_tensor
from cnml.errors import CnmlError, Status
from cnrt.data_desc import host_bytes
from cnrt.whole_file import whole_file

log = logging.getLogger(__name__)


def _stored(tensor: CpuTensor, data: Any, writable: bool) -> np.ndarray:
    """A host buffer's numbers as they lie, flat."""
    raw, dtype = host_bytes(data, writable), numpy_of(tensor.dtype)
    needed = int(np.prod(tensor.shape, dtype=np.int64)) * dtype.itemsize
    if raw.size != needed:
        raise CnmlError(f"failed to use a host buffer of {raw.size} bytes for {tensor!r}: it must have {needed}", Status.LENGTHERR)
    return raw.view(dtype)


def _write(path: str | os.PathLike[str], values: np.ndarray, before: str = "") -> None:
    text = before + "".join(f"{float(v):.9g}\n" for v in values)
    try:
        with whole_file(path) as part:
            part.write_text(text, encoding="ascii")
    except OSError as e:
        raise CnmlError(f"failed to write the tensor file {os.fspath(path)}: {e}", Status.INVALIDARG) from e


@vendor_call
def cnmlDumpTensor2File(filename: str | os.PathLike[str], tensor: CpuTensor, type: int, output_addr: Any, app: bool) -> None:
    """Write the real values of a host tensor; with `app` behind what the file has.

    Raises
    ------
    CnmlError
        LENGTHERR for a buffer of another size, INVALIDARG for a file that cannot be written.
    """
    member(TensorType, type)
    stored = _stored(cpu_tensor(tensor), output_addr, False)
    before = Path(filename).read_text(encoding="ascii") if app and Path(filename).is_file() else ""
    _write(filename, decode(stored, tensor.dtype, tensor.quant), before)


@vendor_call
def cnmlLoadTensorFromFile(filename: str | os.PathLike[str], tensor: CpuTensor, output_addr: Any) -> None:
    """Read what `cnmlDumpTensor2File` wrote into a host buffer.

    Raises
    ------
    CnmlError
        INVALIDARG for a file that is missing or holds something else than numbers, LENGTHERR for another number of them.
    """
    target = _stored(cpu_tensor(tensor), output_addr, True)
    try:
        words = Path(filename).read_text(encoding="ascii").split()
        values = np.array([float(w) for w in words], np.float64)
    except (OSError, ValueError) as e:
        raise CnmlError(f"failed to read the tensor file {os.fspath(filename)}: {e}", Status.INVALIDARG) from e
    if values.size != target.size:
        raise CnmlError(f"failed to read the tensor file {os.fspath(filename)}: it has {values.size} numbers and {tensor!r} takes {target.size}",
                        Status.LENGTHERR)
    target[...] = encode(values, tensor.dtype, tensor.quant)


@vendor_call
def cnmlDumpTensorFromDevice(tensor: DeviceTensor, filename: str | os.PathLike[str], opt_level: int = 0) -> None:
    """Write the constant data of a device tensor in the order N, H, W, C.

    Raises
    ------
    CnmlError
        INVALIDARG for a tensor without data.
    """
    source = device_tensor(tensor)
    if source.constant is None:
        raise CnmlError(f"failed to write {source!r}: it has no data; copy its memory with cnmlMemcpyTensorToHost and use cnmlDumpTensor2File",
                        Status.INVALIDARG)
    _write(filename, source.constant.transpose(0, 2, 3, 1).reshape(-1))


@vendor_call
def cnmlPrintTensor(tensor: DeviceTensor, type: int) -> None:
    """Log what a device tensor is, at INFO."""
    member(TensorType, type)
    source = device_tensor(tensor)
    log.info("%r, position %s, scale %s", source, source.position, source.scale)


@vendor_call
def cnmlPrintCpuTensor(tensor: CpuTensor, type: int) -> None:
    """Log what a host tensor is, at INFO."""
    member(TensorType, type)
    log.info("%r, axes %s", cpu_tensor(tensor), order_axes(tensor.order))
