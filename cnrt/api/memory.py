"""Memory of host and device, and copies as they are. A device pointer is a `Memory`, a host pointer an array or a bytes-like object."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cnrt.api.session import current_card, require_init
from cnrt.data_desc import DataDesc, host_bytes
from cnrt.enums import MemTransDir, MemType
from cnrt.errors import CnrtError, RetCode
from cnrt.memory import Memory, aligned_size


def device_memory(value: Any) -> Memory:
    """`value` if it is device memory.

    Raises
    ------
    CnrtError
        INVALID_POINTER.
    """
    if not isinstance(value, Memory):
        raise CnrtError(RetCode.ERR_INVALID_POINTER, f"failed to use a {type(value).__name__} as device memory: it must come from one of the "
                        "cnrtMalloc functions")
    return value


def check_parallel(dp: int) -> int:
    """`dp` if the thread's card can run so many slices.

    Raises
    ------
    CnrtError
        INVALID.
    """
    current_card().check_parallelism(dp, 1)
    return dp


def check_desc(desc: Any) -> DataDesc:
    """`desc` if it is a descriptor.

    Raises
    ------
    CnrtError
        INVALID_DATADESC.
    """
    if not isinstance(desc, DataDesc):
        raise CnrtError(RetCode.ERR_INVALID_DATADESC, f"failed to use {desc!r} as a data descriptor: it must come from cnrtGetInputDataDesc or "
                        "cnrtGetOutputDataDesc")
    return desc


def check_descs(descs: Sequence[DataDesc], length: int | None) -> list[DataDesc]:
    """The first `length` descriptors, all if None.

    Raises
    ------
    CnrtError
        INVALID_DATADESC, OUT_RANGE.
    """
    wanted = len(descs) if length is None else length
    if not 0 <= wanted <= len(descs):
        raise CnrtError(RetCode.ERR_OUT_RANGE, f"failed to use {wanted} of {len(descs)} data descriptors")
    return [check_desc(d) for d in descs[:wanted]]


def cnrtMallocHost(nbytes: int, type: int = MemType.LOCKED) -> np.ndarray:
    """A host buffer, (nbytes,) uint8, 64-byte aligned. Pinned and pageable memory are the same here.

    Raises
    ------
    CnrtError
        INVALID_TYPE for device memory, NOMEM.
    """
    require_init()
    if type not in (MemType.DEFAULT, MemType.LOCKED):
        raise CnrtError(RetCode.ERR_INVALID_TYPE, f"failed to allocate host memory of type {type}: it must be {int(MemType.DEFAULT)} or "
                        f"{int(MemType.LOCKED)}")
    return Memory(nbytes).array(np.uint8)


def cnrtFreeHost(ptr: np.ndarray) -> None:
    """Give a host buffer up; its bytes go when the last array over them goes."""
    host_bytes(ptr, False)


def cnrtMalloc(nbytes: int) -> Memory:
    """Device memory on the thread's card and channel; NOMEM if the channel has not that much left."""
    return current_card().malloc(nbytes)


def cnrtMallocBatch(nbytes: int, dp: int) -> Memory:
    """Memory for `dp` slices, each padded to 64 bytes."""
    return current_card().malloc(aligned_size(nbytes) * check_parallel(dp))


def cnrtMallocByDesc(desc: DataDesc) -> Memory:
    """Memory for one slice of what a descriptor describes."""
    return cnrtMallocBatchByDesc(desc, 1)


def cnrtMallocBatchByDesc(desc: DataDesc, dp: int) -> Memory:
    """Memory for `dp` slices of what a descriptor describes."""
    return current_card().malloc(check_desc(desc).device_nbytes(check_parallel(dp)))


def cnrtMallocByDescArray(descs: Sequence[DataDesc], length: int | None = None) -> list[Memory]:
    """Memory for each of the first `length` descriptors."""
    return cnrtMallocBatchByDescArray(descs, length, 1)


def cnrtMallocBatchByDescArray(descs: Sequence[DataDesc], length: int | None = None, dp: int = 1) -> list[Memory]:
    """Memory for `dp` slices of each of the first `length` descriptors."""
    return [cnrtMallocBatchByDesc(d, dp) for d in check_descs(descs, length)]


def cnrtFree(ptr: Memory) -> None:
    """Free device memory; INVALID_POINTER the second time."""
    device_memory(ptr).free()


def cnrtFreeArray(ptrs: Sequence[Memory], length: int | None = None) -> None:
    """Free the first `length` blocks, all if not given."""
    for ptr in ptrs[:len(ptrs) if length is None else length]:
        device_memory(ptr).free()


def direction(dir: int) -> bool:
    """True for host to device, False for device to host.

    Raises
    ------
    CnrtError
        MEMCPY for the directions that the vendor declares and does not support.
    """
    if dir not in (MemTransDir.HOST2DEV, MemTransDir.DEV2HOST):
        name = MemTransDir(dir).name if dir in MemTransDir._value2member_map_ else str(dir)
        raise CnrtError(RetCode.ERR_MEMCPY, f"failed to copy in direction {name}: only HOST2DEV and DEV2HOST are supported")
    return dir == MemTransDir.HOST2DEV


def _host(data: Any, nbytes: int, writable: bool) -> np.ndarray:
    raw = host_bytes(data, writable)
    if nbytes < 0 or raw.size < nbytes:
        raise CnrtError(RetCode.ERR_MEMCPY, f"failed to copy {nbytes} bytes: the host buffer has {raw.size}")
    return raw[:nbytes]


def cnrtMemcpy(dst: Any, src: Any, nbytes: int, dir: int) -> None:
    """Copy bytes as they are, at once: it does not wait for queues.

    Raises
    ------
    CnrtError
        MEMCPY for an unsupported direction or a short host buffer, OUT_RANGE for short device memory, INVALID_POINTER.
    """
    require_init()
    if direction(dir):
        device_memory(dst).copy_in(_host(src, nbytes, False))
    else:
        device_memory(src).copy_out(_host(dst, nbytes, True))


def cnrtMemcpyBatch(dst: Any, src: Any, nbytes: int, dp: int, dir: int) -> None:
    """Copy `dp` slices of `nbytes` each: dense on the host, padded to 64 bytes on the device."""
    require_init()
    stride, forward = aligned_size(nbytes), direction(dir)
    host = _host(src if forward else dst, nbytes * check_parallel(dp), not forward)
    device = device_memory(dst if forward else src)
    for i in range(dp):
        part = host[i * nbytes:(i + 1) * nbytes]
        if forward:
            device.copy_in(part, i * stride)
        else:
            device.copy_out(part, i * stride)


def cnrtMemset(ptr: Memory, c: int, nbytes: int) -> None:
    """Set the first `nbytes` bytes of device memory to `c`."""
    require_init()
    device_memory(ptr).fill(c, nbytes)
