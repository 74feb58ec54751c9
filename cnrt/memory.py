"""Device memory: aligned blocks with bounds, accounts and a life."""
from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from cnrt.errors import CnrtError, RetCode

ALIGNMENT = 64

_lock = threading.RLock()  # re-entrant: a collected block may be released while this thread is reserving
_frees = 0  # how many blocks were freed so far; lets a function see cheaply that its blocks are still alive


def aligned_size(nbytes: int) -> int:
    """`nbytes` rounded up to the alignment."""
    return -(-nbytes // ALIGNMENT) * ALIGNMENT


def free_count() -> int:
    """Number of blocks freed in this process so far."""
    return _frees


class Account:
    """Bytes in use per channel of one device.

    Parameters
    ----------
    owner : str
        The device's name, for messages.
    limits : sequence of int or None
        Bytes each channel has; None: as much as the machine gives.
    """

    def __init__(self, owner: str, limits: Sequence[int | None]):
        self.owner = owner
        self.limits = tuple(limits)
        self.used = [0] * len(self.limits)
        self.peak = [0] * len(self.limits)

    def reserve(self, nbytes: int, channel: int) -> None:
        """Book `nbytes` on a channel.

        Raises
        ------
        CnrtError
            NOMEM if the channel has not that much left; nothing is booked then.
        """
        with _lock:
            limit = self.limits[channel]
            if limit is not None and self.used[channel] + nbytes > limit:
                raise CnrtError(RetCode.ERR_NOMEM, f"failed to allocate {nbytes} bytes on channel {channel} of {self.owner}: "
                                f"{self.used[channel]} of its {limit} bytes are in use; free some, or use another channel")
            self.used[channel] += nbytes
            self.peak[channel] = max(self.peak[channel], self.used[channel])

    def release(self, nbytes: int, channel: int) -> None:
        """Give back what `reserve` booked."""
        with _lock:
            self.used[channel] -= nbytes

    def reset_peak(self) -> None:
        """Start a new peak from what is in use now."""
        with _lock:
            self.peak = list(self.used)

    def roomiest(self) -> int:
        """The channel with the most bytes left; the first of equals."""
        with _lock:
            left = [float("inf") if limit is None else limit - used for limit, used in zip(self.limits, self.used, strict=True)]
        if all(v == float("inf") for v in left):
            return self.used.index(min(self.used))
        return left.index(max(left))


class Place(NamedTuple):
    """An address inside a block, as a kernel argument."""

    memory: Memory
    offset: int


class Memory:
    """A block of bytes on a channel of a device.

    Parameters
    ----------
    nbytes : int
    account : Account
        Where the bytes are booked; None for memory of somebody else.
    channel : int
    device : Device, optional

    Raises
    ------
    CnrtError
        INVALID for a negative size; NOMEM before anything is allocated.
    """

    def __init__(self, nbytes: int, account: Account | None = None, channel: int = 0, device: Any = None):
        nbytes = int(nbytes)
        if nbytes < 0:
            raise CnrtError(RetCode.ERR_INVALID, f"failed to allocate {nbytes} bytes: a size must not be negative")
        self.nbytes = nbytes
        self.channel = channel
        self.device = device
        self._freed = False
        booked = aligned_size(max(nbytes, 1))
        if account is not None:
            account.reserve(booked, channel)
        try:
            raw = np.empty(booked + ALIGNMENT, np.uint8)
        except MemoryError as e:
            if account is not None:
                account.release(booked, channel)
            raise CnrtError(RetCode.ERR_NOMEM, f"failed to allocate {nbytes} bytes: the machine has not that much memory") from e
        start = -raw.ctypes.data % ALIGNMENT
        self._bytes = raw[start:start + nbytes]
        self._address = raw.ctypes.data + start
        self._release = weakref.finalize(self, account.release, booked, channel) if account is not None else None
        if self._release is not None:
            self._release.atexit = False

    @classmethod
    def wrap(cls, array: np.ndarray) -> Memory:
        """Memory that is the bytes of an array; nothing is copied or booked.

        Parameters
        ----------
        array : C-ordered ndarray

        Raises
        ------
        CnrtError
            INVALID if the array is not C-ordered.
        """
        if not array.flags.c_contiguous:
            raise CnrtError(RetCode.ERR_INVALID, f"failed to wrap an array of shape {array.shape}: it must lie in C order without gaps")
        self = cls.__new__(cls)
        self.nbytes, self.channel, self.device = array.nbytes, 0, None
        self._freed, self._release = False, None
        self._bytes = array.reshape(-1).view(np.uint8)
        self._address = array.ctypes.data
        return self

    @property
    def address(self) -> int:
        """Address of the first byte, a multiple of 64.

        Raises
        ------
        CnrtError
            INVALID_POINTER after `free`.
        """
        self._check_alive("take the address of")
        return self._address

    @property
    def freed(self) -> bool:
        """Whether `free` was called."""
        return self._freed

    def at(self, offset: int) -> Place:
        """The address `offset` bytes in, as a kernel argument.

        Raises
        ------
        CnrtError
            OUT_RANGE outside the block.
        """
        if not 0 <= offset <= self.nbytes:
            raise CnrtError(RetCode.ERR_OUT_RANGE, f"failed to point at byte {offset} of a block of {self.nbytes}: it lies outside")
        return Place(self, int(offset))

    def array(self, dtype: Any, shape: int | Sequence[int] | None = None, offset: int = 0) -> np.ndarray:
        """The bytes as a live array.

        Parameters
        ----------
        dtype : numpy dtype
        shape : int or sequence of int, optional
            All whole elements after `offset` if not given.
        offset : int, bytes

        Returns
        -------
        ndarray, writable, C order; keeps the bytes alive.

        Raises
        ------
        CnrtError
            INVALID_POINTER after `free`, OUT_RANGE if the array would reach outside the block.
        """
        self._check_alive("view")
        kind = np.dtype(dtype)
        if shape is None:
            extents: tuple[int, ...] = (max(self.nbytes - offset, 0) // kind.itemsize,)
        else:
            extents = tuple(int(d) for d in np.atleast_1d(np.asarray(shape, np.int64)))
        size = kind.itemsize
        for d in extents:
            size *= d
        if offset < 0 or any(d < 0 for d in extents) or offset + size > self.nbytes:
            raise CnrtError(RetCode.ERR_OUT_RANGE, f"failed to view {extents} of {kind} at byte {offset} of a block of {self.nbytes} bytes: "
                            f"it needs {size} bytes")
        return self._bytes[offset:offset + size].view(kind).reshape(extents)

    def copy_in(self, source: Any, offset: int = 0) -> None:
        """Copy an array's bytes (made C-ordered) or a bytes-like object into the block.

        Raises
        ------
        CnrtError
            INVALID_POINTER, OUT_RANGE.
        """
        data = np.ascontiguousarray(source).reshape(-1).view(np.uint8) if isinstance(source, np.ndarray) else np.frombuffer(source, np.uint8)
        self.array(np.uint8, data.size, offset)[...] = data

    def copy_out(self, target: np.ndarray, offset: int = 0) -> None:
        """Copy bytes of the block into an array, as many as it has.

        Raises
        ------
        CnrtError
            INVALID_POINTER, OUT_RANGE.
        """
        target[...] = self.array(target.dtype, target.shape, offset)

    def fill(self, value: int, nbytes: int | None = None) -> None:
        """Set the first `nbytes` bytes (all if not given) to `value`."""
        self.array(np.uint8, self.nbytes if nbytes is None else nbytes)[...] = np.uint8(value & 0xFF)

    def free(self) -> None:
        """Give the block back. Arrays that were taken of it stay valid memory; the block itself cannot be used any more.

        Raises
        ------
        CnrtError
            INVALID_POINTER the second time.
        """
        global _frees
        self._check_alive("free")
        self._freed = True
        with _lock:
            _frees += 1
        if self._release is not None:
            self._release()

    def _check_alive(self, verb: str) -> None:
        if self._freed:
            raise CnrtError(RetCode.ERR_INVALID_POINTER, f"failed to {verb} a block of {self.nbytes} bytes: it was freed")

    def __repr__(self) -> str:
        return f"Memory({self.nbytes} bytes, channel {self.channel}{', freed' if self._freed else ''})"


def _after_fork() -> None:
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
