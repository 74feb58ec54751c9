"""Layers written in Python: the base class of a user's layer, and the blobs that it sees."""
from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from cnml.parameter import Parameter
from cnml.tensor import Shape, count
from pycaffe_acc.blob import ParameterBlob
from pycaffe_acc.errors import CheckError


class LayerBlob:
    """A bottom or top as a Python layer sees it: `data`, `diff`, `reshape`, and the shape in all of pycaffe's forms."""

    def __init__(self, shape: Shape = ()):
        self._flat = np.zeros(count(shape), np.float32)
        self._array = self._flat.reshape(shape)
        self._diff: np.ndarray | None = None

    @property
    def data(self) -> np.ndarray:
        """The values: writable float32 of the blob's shape."""
        return self._array

    @data.setter
    def data(self, values: np.ndarray) -> None:
        self._array[...] = values

    @property
    def diff(self) -> np.ndarray:
        """An array of the blob's shape, for layers that keep intermediate results there."""
        if self._diff is None or self._diff.shape != self._array.shape:
            self._diff = np.zeros(self._array.shape, np.float32)
        return self._diff

    @property
    def shape(self) -> Shape:
        """The shape, a tuple."""
        return self._array.shape

    @property
    def count(self) -> int:
        """Number of elements."""
        return self._array.size

    def _legacy(self, axis: int) -> int:
        if self._array.ndim > 4:
            raise CheckError(f"a blob of shape {self.shape} has no num, channels, height, width: those need at most four axes; use shape")
        return self._array.shape[axis] if axis < self._array.ndim else 1

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

    def reshape(self, *dims: int) -> None:
        """Take another shape; the values stay where the memory is large enough.

        Raises
        ------
        CheckError
            For an extent that is negative or no whole number.
        """
        shape = []
        for d in dims:
            if isinstance(d, (bool, str)) or int(d) != d or d < 0:
                raise CheckError(f"a blob cannot take the shape {dims}: every extent must be a whole number of at least 0")
            shape.append(int(d))
        n = count(tuple(shape))
        if n > self._flat.size:
            self._flat = np.zeros(n, np.float32)
        self._array = self._flat[:n].reshape(shape)

    def point_to(self, array: np.ndarray) -> None:
        """Show an array of the engine; used for bottoms."""
        self._flat = array.reshape(-1)
        self._array = array


class LayerBlobs:
    """The parameter blobs of a Python layer (`self.blobs`): indexable, with `add_blob`.

    Parameters
    ----------
    parameters : list of cnml.Parameter
        The engine's list, which follows shared and loaded weights.
    add : callable
        shape → appends a Parameter to it.
    """

    def __init__(self, parameters: list[Parameter], add: Callable[[Shape], Parameter]):
        self._parameters, self._add = parameters, add

    def __len__(self) -> int:
        return len(self._parameters)

    def __getitem__(self, index: int) -> ParameterBlob:
        return ParameterBlob(self._parameters[index])

    def __iter__(self) -> Iterator[ParameterBlob]:
        return (ParameterBlob(p) for p in self._parameters)

    def add_blob(self, *shape: int) -> None:
        """Append a blob of zeros."""
        self._add(tuple(int(d) for d in shape))


class Layer:
    """Base of a user's layer, as caffe.Layer of pycaffe.

    A prototxt names module and class in `python_param { module layer param_str }`. The class gives `setup(bottom, top)`, called once,
    `reshape(bottom, top)`, called before each forward, which gives the tops their shapes, and `forward(bottom, top)`, which writes `top[i].data`.

    Attributes
    ----------
    param_str : str
    phase : int
        caffe.TRAIN or caffe.TEST.
    blobs : LayerBlobs
        Weights; `self.blobs.add_blob(*shape)` in `setup` makes one.
    """

    param_str: str = ""
    phase: int = 1
    blobs: LayerBlobs

    def __init__(self, *args: Any, **kwargs: Any):
        """Takes what pycaffe gives (the layer's message) and keeps nothing."""

    @property
    def param_str_(self) -> str:
        """The older name of `param_str`."""
        return self.param_str

    def setup(self, bottom: list[LayerBlob], top: list[LayerBlob]) -> None:
        """Read `param_str`, make blobs; nothing by default."""

    def reshape(self, bottom: list[LayerBlob], top: list[LayerBlob]) -> None:
        """Give the tops their shapes."""
        raise CheckError(f"the Python layer class {type(self).__name__} has no reshape(bottom, top); "
                         "it must give each top its shape with top[i].reshape(...)")

    def forward(self, bottom: list[LayerBlob], top: list[LayerBlob]) -> None:
        """Compute the tops."""
        raise CheckError(f"the Python layer class {type(self).__name__} has no forward(bottom, top); it must write top[i].data[...]")

    def backward(self, top: list[LayerBlob], propagate_down: list[bool], bottom: list[LayerBlob]) -> None:
        """Never called: this package does not train."""
