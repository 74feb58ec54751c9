"""A weight blob: Caffe's array, a version, and the packed forms made from it."""
from __future__ import annotations

import itertools
import weakref
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

import numpy as np

from cnml.tensor import Shape


class HandOut(np.ndarray):
    """Owner type of arrays given to users: views of a plain view of it keep that view alive, so a weak reference tells whether anyone still holds
    one.
    """


def aligned_empty(shape: Shape, dtype: Any = np.float32, alignment: int = 64) -> np.ndarray:
    """An uninitialised C-ordered array whose first byte is aligned.

    Parameters
    ----------
    shape : tuple of int
    dtype : numpy dtype
    alignment : int, bytes

    Returns
    -------
    numpy.ndarray
    """
    size = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
    raw = np.empty(size + alignment, np.uint8)
    start = -raw.ctypes.data % alignment
    return raw[start:start + size].view(dtype).reshape(shape)


class Parameter:
    """A float32 array in Caffe's shape, shared by whoever runs the layer.

    Parameters
    ----------
    shape : tuple of int
    name : str
        "layer/index", for messages.

    Attributes
    ----------
    version : int
        Grows with every change that was noticed; packed forms of an older version are made again.
    """

    #: told by `before_change(parameter)` before a parameter's values may change
    observers: ClassVar[weakref.WeakSet[Any]] = weakref.WeakSet()
    #: another number whenever any parameter changed or was handed out: while it stays, nobody need look at hundreds of them
    epoch: ClassVar[int] = 0
    _epochs: ClassVar[Iterator[int]] = itertools.count(1)

    def __init__(self, shape: Shape, name: str = ""):
        self.name = name
        self.version = 0
        self._owner = aligned_empty(tuple(shape)).view(HandOut).view(HandOut)
        self._owner[...] = 0
        self._given: weakref.ref[np.ndarray] | None = None
        self._watched = False
        self._sum = 0
        self._zeros: tuple[int, int] | None = None
        self._packed: dict[Any, tuple[tuple[int, ...], Any]] = {}
        self._kin = [self]

    @property
    def shape(self) -> Shape:
        """The logical shape."""
        return self._owner.shape

    @property
    def array(self) -> np.ndarray:
        """The values, for reading inside the engine: shape `shape`, float32. Call `touch` after writing."""
        return self._owner.view(np.ndarray)

    def assign(self, values: np.ndarray) -> None:
        """Copy new values in (same shape; converted to float32)."""
        self._announce()
        self._owner[...] = values
        self.touch()

    def touch(self) -> None:
        """Say that the values changed."""
        for p in self._kin:
            p.version += 1
        Parameter.epoch = next(Parameter._epochs)

    def kin(self) -> list[Parameter]:
        """All parameters over these values, this one among them."""
        return self._kin

    def handed_out(self) -> bool:
        """Whether a user holds the live array and may write to it."""
        return self._given is not None and self._given() is not None

    def _announce(self) -> None:
        for observer in list(Parameter.observers):
            observer.before_change(self)

    def alias(self, shape: Shape) -> Parameter:
        """Another parameter of the same values under another shape of the same count (Caffe's permissive sharing)."""
        twin = Parameter((0,), self.name)
        twin._owner = self._owner.reshape(shape)  # type: ignore[assignment]
        twin._kin = self._kin
        self._kin.append(twin)
        return twin

    def reshape(self, shape: Shape) -> None:
        """Take another shape; values are kept when the element count is the same, else zeroed."""
        self._announce()
        if int(np.prod(shape, dtype=np.int64)) == self._owner.size:
            self._owner = self._owner.reshape(shape)  # type: ignore[assignment]
        else:
            self._owner = aligned_empty(tuple(shape)).view(HandOut).view(HandOut)
            self._owner[...] = 0
        self._given = None
        self.touch()

    def hand_out(self) -> np.ndarray:
        """The live array for a user, who may write to it at any time.

        While it, or a view of it, is alive, `refresh` compares a checksum before each run.
        """
        self._announce()
        given = self._given() if self._given is not None else None
        if given is None:
            given = self._owner.view(np.ndarray)
            self._given = weakref.ref(given)
        if not self._watched:
            self._sum = self._checksum()
            self._watched = True
        Parameter.epoch = next(Parameter._epochs)
        return given

    def refresh(self) -> bool:
        """Notice what a user wrote into the handed-out array since the last call.

        Returns
        -------
        bool
            Whether the user may write more.
        """
        if not self._watched:
            return False
        now = self._checksum()
        if now != self._sum:
            self._sum = now
            self.touch()
        self._watched = self._given is not None and self._given() is not None
        return self._watched

    def _checksum(self) -> int:
        return zlib.crc32(self._owner.reshape(-1).view(np.uint8))  # type: ignore[arg-type]

    def zeros(self) -> int:
        """How many of the values are zero; counted once per version."""
        if self._zeros is None or self._zeros[0] != self.version:
            self._zeros = self.version, int(self._owner.size - np.count_nonzero(self._owner))
        return self._zeros[1]

    def packed(self, key: Any, make: Callable[..., Any], others: Sequence[Parameter] = ()) -> Any:
        """The value of `make(self.array, *others' arrays)`, made once per version.

        Parameters
        ----------
        key : hashable
            Names the form together with the other parameters.
        make : callable
            Gets the arrays, returns anything (usually one packed array).
        others : sequence of Parameter
        """
        versions = (self.version, *(p.version for p in others))
        full = (key, *(id(p) for p in others))
        hit = self._packed.get(full)
        if hit is None or hit[0] != versions:
            # `others` is kept in the entry so that their ids cannot be taken by new objects
            hit = (versions, make(self.array, *(p.array for p in others)), tuple(others))  # type: ignore[assignment]
            self._packed[full] = hit  # type: ignore[assignment]
        return hit[1]  # type: ignore[index]
