"""Blobs as pycaffe shows them: live NumPy arrays over device memory."""
from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

import numpy as np

from cnml.parameter import HandOut, Parameter
from cnml.tensor import Shape, count
from cnrt.device import Device
from cnrt.memory import Memory
from pycaffe_acc.blob_html import blob_html
from pycaffe_acc.errors import CheckError

if TYPE_CHECKING:
    from pycaffe_acc.deferred import Deferred, Remote


class _Shaped:
    """The shape properties that pycaffe's blobs have."""

    _diff: np.ndarray | None = None

    @property
    def shape(self) -> Shape:
        """The logical shape."""
        raise TypeError("a blob kind must give its shape")

    @property
    def count(self) -> int:
        """Number of elements."""
        return count(self.shape)

    def _legacy(self, axis: int) -> int:
        shape = self.shape
        if len(shape) > 4:
            raise CheckError(f"a blob of shape {shape} has no num, channels, height, width: those need at most four axes; use shape")
        return shape[axis] if axis < len(shape) else 1

    @property
    def num(self) -> int:
        """Extent of axis 0 (1 when absent)."""
        return self._legacy(0)

    @property
    def channels(self) -> int:
        """Extent of axis 1 (1 when absent)."""
        return self._legacy(1)

    @property
    def height(self) -> int:
        """Extent of axis 2 (1 when absent)."""
        return self._legacy(2)

    @property
    def width(self) -> int:
        """Extent of axis 3 (1 when absent)."""
        return self._legacy(3)

    @property
    def diff(self) -> np.ndarray:
        """An array of the blob's shape for scripts that look at gradients; zeros, since this package does not train."""
        if self._diff is None or self._diff.shape != self.shape:
            self._diff = np.zeros(self.shape, np.float32)
        return self._diff

    @diff.setter
    def diff(self, values: np.ndarray) -> None:
        self.diff[...] = values


def _checked_shape(dims: tuple[int, ...]) -> Shape:
    if len(dims) == 1 and not np.isscalar(dims[0]) and np.ndim(dims[0]) == 1:  # type: ignore[arg-type]
        dims = tuple(dims[0])  # type: ignore[arg-type]
    shape = []
    for d in dims:
        n = int(d)
        if n != d or n < 0:
            raise CheckError(f"a blob cannot take the shape {tuple(dims)}: every extent must be a whole number of at least 0")
        shape.append(n)
    if len(shape) > 32:
        raise CheckError(f"a blob cannot have {len(shape)} axes; Caffe allows 32")
    return tuple(shape)


class Place:
    """Where a blob lives, or several that share their bytes in Caffe (the blobs of a Split, both ends of a Reshape).

    Parameters
    ----------
    device : cnrt.Device
        Allocates the memory.
    """

    def __init__(self, device: Device):
        self._device = device
        self.memory: Memory | None = None
        self.remote: Remote | Deferred | None = None
        self._blobs: list[weakref.ref[Blob]] = []
        self.handed = False  # whether an array was given to a script since `watched` last found none
        self.changes = 0  # grows whenever the plain memory may have got other bytes, except by an array that a script holds

    def add(self, blob: Blob) -> None:
        """Let a blob live here."""
        self._blobs.append(weakref.ref(blob))
        self.handed = True

    def watched(self) -> bool:
        """Whether a script still holds an array of one of the blobs."""
        if not self.handed:
            return False
        self.handed = False  # before looking: another thread may hand one out meanwhile
        if any(blob is not None and blob.watched() for blob in (r() for r in self._blobs)):
            self.handed = True
        return self.handed

    def at_least(self, nbytes: int) -> Memory:
        """The plain memory, grown to `nbytes` if need be (what was in it stays, the rest is zero)."""
        if self.memory is None or self.memory.nbytes < nbytes:
            fresh = self._device.malloc(nbytes)
            view = fresh.array(np.uint8, (nbytes,))
            old = 0
            if self.memory is not None:
                old = self.memory.nbytes
                view[:old] = self.memory.array(np.uint8, (old,))
            view[old:] = 0
            self.memory = fresh
            self.changes += 1
        return self.memory

    def sync(self) -> None:
        """Bring the newest values into the plain memory."""
        if self.remote is not None:
            remote, self.remote = self.remote, None
            self.changes += 1
            remote.fetch(self)


class Blob(_Shaped):
    """An intermediate value of a net.

    `data` is live: what a script writes is used by the next forward, and an array that a script keeps shows the new values after each forward. The
    engine may hold the newest values in its own layout; they are converted when somebody looks.

    Parameters
    ----------
    shape : tuple of int
    device : cnrt.Device
        Allocates the memory.
    name : str
    """

    def __init__(self, shape: Shape, device: Device, name: str = ""):
        self.name = name
        self._shape = tuple(shape)
        self.place = Place(device)
        self.place.add(self)
        self._seen: Memory | None = None
        self._owner: np.ndarray | None = None
        self._given: weakref.ref[np.ndarray] | None = None
        self._looked = False

    def join(self, other: Blob) -> None:
        """Live where another blob of the same number of elements lives."""
        if self.place is not other.place:
            self.place = other.place
            self.place.add(self)

    @property
    def shape(self) -> Shape:
        """The logical shape, a tuple."""
        return self._shape

    def reshape(self, *dims: int) -> None:
        """Take another shape; memory is kept when it is large enough. `Net.reshape` or the next forward carries it through the net.

        Raises
        ------
        CheckError
            For a negative or fractional extent, or more memory than the budget.
        """
        self.set_shape(_checked_shape(dims))

    def set_shape(self, shape: Shape) -> None:
        """`reshape` for shapes that were checked already."""
        if shape != self._shape:
            self.place.sync()
            self.show(shape)

    def show(self, shape: Shape) -> None:
        """Take another shape over the bytes as they are."""
        if shape != self._shape:
            self._shape = shape
            self._owner = None
            self._given = None

    def watched(self) -> bool:
        """Whether a script still holds an array of this blob."""
        return self._given is not None and self._given() is not None

    def take_interest(self) -> bool:
        """Whether a script looked at the values since the last call, or holds an array of them or of a blob that shares them."""
        looked, self._looked = self._looked, False
        return looked or (self.place.handed and self.place.watched())

    def want(self) -> None:
        """Count as looked at."""
        self._looked = True

    def forget(self, shape: Shape) -> None:
        """Take another shape; values that were not computed yet never will be."""
        if shape != self._shape:
            self.place.remote = None
            self.show(shape)

    def home(self, nbytes: int | None = None) -> Memory:
        """The blob's own plain memory, at least `nbytes` long (default: for its shape)."""
        return self.place.at_least(max(4, 4 * self.count if nbytes is None else nbytes))

    def attach(self, memory: Memory, shape: Shape) -> None:
        """Live in `memory` (plain values of `shape`) from now on."""
        self.place.remote = None
        self.place.memory = memory
        self.place.changes += 1
        self.show(shape)

    def follow(self, remote: Remote) -> None:
        """Say where the newest values are; arrays that a script still holds are brought up to date."""
        self.show(remote.tensor.shape)
        self.place.remote = remote
        if self.place.watched():
            self.place.sync()

    def plain_memory(self) -> Memory:
        """The plain memory with the newest values in it."""
        self.place.sync()
        return self.home()

    @property
    def data(self) -> np.ndarray:
        """The values: float32, C order, writable, of the blob's shape."""
        self._looked = True
        memory = self.plain_memory()
        self.place.changes += 1
        if memory is not self._seen:
            self._seen = memory
            self._owner = None
            self._given = None
        given = self._given() if self._given is not None else None
        if given is None:
            if self._owner is None:
                self._owner = memory.array(np.float32, self._shape).view(HandOut).view(HandOut)
            given = self._owner.view(np.ndarray)
            self._given = weakref.ref(given)
        self.place.handed = True
        return given

    @data.setter
    def data(self, values: np.ndarray) -> None:
        self.data[...] = values

    def __repr__(self) -> str:
        return f"<Blob {self.name!r} {self._shape}>"

    def _repr_html_(self) -> str:
        """For Jupyter. Does not count as looking: what fusion removes may go on being removed."""
        return blob_html("Blob", self.name, self.plain_memory().array(np.float32, self._shape))


class ParameterBlob(_Shaped):
    """A weight blob: `data` is the live array in Caffe's shape.

    Parameters
    ----------
    parameter : cnml.Parameter
    """

    def __init__(self, parameter: Parameter):
        self.parameter = parameter

    @property
    def shape(self) -> Shape:
        """The logical shape, a tuple."""
        return self.parameter.shape

    def reshape(self, *dims: int) -> None:
        """Take another shape."""
        self.parameter.reshape(_checked_shape(dims))

    @property
    def data(self) -> np.ndarray:
        """The values: float32, C order, writable; the next forward uses what is written."""
        return self.parameter.hand_out()

    @data.setter
    def data(self, values: np.ndarray) -> None:
        self.data[...] = values

    def __repr__(self) -> str:
        return f"<ParameterBlob {self.parameter.name!r} {self.shape}>"

    def _repr_html_(self) -> str:
        """For Jupyter."""
        return blob_html("ParameterBlob", self.parameter.name, self.parameter.array)
