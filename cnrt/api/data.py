"""Data descriptors, and copies that convert between the host's and the device's form."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cnrt.api.memory import check_desc, check_descs, check_parallel, device_memory, direction
from cnrt.api.session import require_init
from cnrt.data_desc import DataDesc
from cnrt.errors import CnrtError, RetCode
from cnrt.launch import LaunchFunction


def cnrtGetInputDataDesc(function: LaunchFunction) -> tuple[list[DataDesc], int]:
    """Descriptors of a function's inputs, and how many. Their N is the batch of one core."""
    require_init()
    descs = function.inputs()
    return descs, len(descs)


def cnrtGetOutputDataDesc(function: LaunchFunction) -> tuple[list[DataDesc], int]:
    """Descriptors of a function's outputs, and how many."""
    require_init()
    descs = function.outputs()
    return descs, len(descs)


def cnrtSetHostDataLayout(desc: DataDesc, dtype: int, order: int) -> None:
    """Say how the host's arrays lie; float32 NCHW until then.

    Raises
    ------
    CnrtError
        INVALID_TYPE, INVALID_DATADESC.
    """
    check_desc(desc).set_host_layout(dtype, order)  # type: ignore[arg-type]


def cnrtGetDataShape(desc: DataDesc) -> tuple[int, int, int, int]:
    """n, c, h, w."""
    return check_desc(desc).device.shape


def cnrtGetHostDataCount(desc: DataDesc) -> int:
    """n * c * h * w."""
    return check_desc(desc).host.count


def cnrtMemcpyByDesc(dst: Any, src: Any, desc: DataDesc, dir: int) -> None:
    """Copy one slice and convert.

    Raises
    ------
    CnrtError
        RESHAPE if the host buffer has not the size the descriptor gives it, MEMCPY, INVALID_POINTER, INVALID_DATADESC.
    """
    cnrtMemcpyBatchByDesc(dst, src, desc, 1, dir)


def cnrtMemcpyBatchByDesc(dst: Any, src: Any, desc: DataDesc, dp: int, dir: int) -> None:
    """Copy `dp` slices and convert: dense on the host, padded on the device."""
    require_init()
    check_desc(desc)
    check_parallel(dp)
    if direction(dir):
        desc.to_device(src, device_memory(dst), dp)
    else:
        desc.to_host(device_memory(src), dst, dp)


def cnrtMemcpyByDescArray(dst: Sequence[Any], src: Sequence[Any], descs: Sequence[DataDesc], length: int | None, dir: int) -> None:
    """`cnrtMemcpyByDesc` for the first `length` descriptors."""
    cnrtMemcpyBatchByDescArray(dst, src, descs, length, 1, dir)


def cnrtMemcpyBatchByDescArray(dst: Sequence[Any], src: Sequence[Any], descs: Sequence[DataDesc], length: int | None, dp: int, dir: int) -> None:
    """`cnrtMemcpyBatchByDesc` for the first `length` descriptors."""
    wanted = check_descs(descs, length)
    if len(dst) < len(wanted) or len(src) < len(wanted):
        raise CnrtError(RetCode.ERR_MEMCPY, f"failed to copy {len(wanted)} tensors: there are {len(dst)} targets and {len(src)} sources")
    for d, s, desc in zip(dst, src, wanted, strict=False):
        cnrtMemcpyBatchByDesc(d, s, desc, dp, dir)
