"""An ONNX graph being written: nodes, constants and weights under provisional names."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from cnml.codes import Codes
from cnml.operator import Operator
from cnml.parameter import Parameter
from cnml.tensor import Shape, count
from pycaffe_acc.onnx_export.refusal import Refusal
from pycaffe_acc.onnx_export.windows import Windows


@dataclass
class OnnxNode:
    """One node; names of values are provisional until the file is made."""

    op: str
    inputs: list[str]
    outputs: list[str]
    layer: str
    attributes: dict[str, Any] = field(default_factory=dict)


class Step(NamedTuple):
    """One of the engine's operators, to be written as nodes.

    Attributes
    ----------
    op : Operator
    inputs : list of str
        Values.
    shapes, tops : list of tuple of int
        Of the inputs and of the outputs.
    parameters : list of Parameter
    """

    op: Operator
    inputs: list[str]
    shapes: list[Shape]
    tops: list[Shape]
    parameters: list[Parameter]


class Padding(NamedTuple):
    """What a Pad node did, for nodes that can pad themselves."""

    source: str
    before: tuple[int, ...]
    after: tuple[int, ...]
    value: float


class Normalization(NamedTuple):
    """A BatchNormalization without scale and shift, for a Scale behind it."""

    source: str
    mean: str
    variance: str
    eps: float


class CodedValue(NamedTuple):
    """A value that went through codes.

    Attributes
    ----------
    codes : Codes
    blob : str
        The net's blob that it is, or that it was made of.
    quantized : bool
        Whether it was made of a blob of floats; else the blob itself holds what the codes stand for.
    """

    codes: Codes
    blob: str
    quantized: bool


class StateInput(NamedTuple):
    """A recurrent layer's state: an input that has zeros unless it is fed, and the output that says what to feed next."""

    name: str
    initial: str
    shape: Shape
    last_name: str
    last: str


#: constants up to this size that are equal are stored once
_SMALL_BYTES = 4096


class OnnxGraph:
    """Collects nodes and the arrays they read.

    Parameters
    ----------
    opset : int

    Attributes
    ----------
    nodes : list of OnnxNode
    arrays : dict of str to ndarray
        Constants and weights.
    weight_names : dict of str to str
        For values that are a layer's weights, the names they should get.
    paddings, normalizations : dict
        Value → how it came about, where a reader may do the same in its own node.
    ranges : dict of str to int
        For values that hold whole numbers, one more than the greatest.
    regions : dict of str to (int, float, float)
        For values that hold regions of interest: images, and height and width of an image.
    padded_means : dict of str to (Padding, Windows)
        For means over an image that a Pad node enlarged with zeros.
    mask_sizes : dict of str to (tuple of int, bool)
        For masks of a max pooling: height and width of what was pooled, and whether no two windows share an element.
    coded : dict of str to (Codes, str)
        For values that went through codes, those, and the value they were made of where that is one of the net's.
    states : list of StateInput
    layer : str
        Of the nodes that are added now.
    """

    def __init__(self, opset: int):
        self.opset = opset
        self.nodes: list[OnnxNode] = []
        self.arrays: dict[str, np.ndarray] = {}
        self.weight_names: dict[str, str] = {}
        self.paddings: dict[str, Padding] = {}
        self.normalizations: dict[str, Normalization] = {}
        self.ranges: dict[str, int] = {}
        self.regions: dict[str, tuple[int, float, float]] = {}
        self.padded_means: dict[str, tuple[Padding, Windows]] = {}
        self.mask_sizes: dict[str, tuple[tuple[int, int], bool]] = {}
        self.coded: dict[str, tuple[Codes, str]] = {}
        self.states: list[StateInput] = []
        self.layer = ""
        self._count = 0
        self._known: dict[Any, str] = {}
        self._parameters: list[Parameter] = []

    def value(self) -> str:
        """A new provisional name."""
        self._count += 1
        return f"#{self._count}"

    # ---- nodes ------------------------------------------------------------------------------------------------------------------------------

    def add_all(self, op: str, inputs: Sequence[str], outputs: int, **attributes: Any) -> list[str]:
        """Append a node and give the values it makes."""
        node = OnnxNode(op, list(inputs), [self.value() for _ in range(outputs)], self.layer, attributes)
        self.nodes.append(node)
        return list(node.outputs)

    def add(self, op: str, *inputs: str, **attributes: Any) -> str:
        """Append a node with one output."""
        return self.add_all(op, inputs, 1, **attributes)[0]

    # ---- arrays -----------------------------------------------------------------------------------------------------------------------------

    def constant(self, values: Any, dtype: Any = np.float32) -> str:
        """A constant; small equal ones are stored once."""
        array = np.ascontiguousarray(values, dtype).reshape(np.shape(values))
        key = (array.dtype.str, array.shape, array.tobytes()) if array.nbytes <= _SMALL_BYTES else None
        if key is not None and key in self._known:
            return self._known[key]
        name = self.value()
        self.arrays[name] = array
        if key is not None:
            self._known[key] = name
        return name

    def ints(self, *values: int) -> str:
        """A constant list of int64."""
        return self.constant(np.array(values, np.int64), np.int64)

    def weight(self, parameter: Parameter, form: str = "", change: Callable[[np.ndarray], np.ndarray] | None = None,
               others: Sequence[Parameter] = ()) -> str:
        """A parameter's values, or a form of them; a parameter that several layers share is stored once.

        Parameters
        ----------
        parameter : Parameter
        form : str
            Names what `change` does.
        change : callable
            Gets the array and returns the one to store.
        others : sequence of Parameter
            Further ones that `change` reads.
        """
        values = parameter.array
        key = (form, *((p.array.__array_interface__["data"][0], p.shape) for p in (parameter, *others)))
        if key not in self._known:
            name = self._known[key] = self.value()
            self.arrays[name] = np.array(values if change is None else change(values), np.float32, order="C")
            self.weight_names[name] = parameter.name + form
            self._parameters += [parameter, *others]  # their addresses stay their own while they live
        return self._known[key]

    def named(self, array: np.ndarray, name: str) -> str:
        """An array that was made of a layer's weights, under a name that it should get."""
        value = self.value()
        self.arrays[value] = np.ascontiguousarray(array)
        self.weight_names[value] = name
        return value

    # ---- what many translators write ----------------------------------------------------------------------------------------------------------

    def reshape(self, x: str, old: Shape, new: Shape) -> str:
        """The same elements under another shape. A first axis that stays is copied, so that it may hold any number of items."""
        if tuple(old) == tuple(new):
            return x
        if 0 in old:
            raise Refusal(f"its bottom has the shape {tuple(old)}, and ONNX's Reshape reads an extent of 0 as 'copy'")
        dims = list(new)
        if old and new and old[0] == new[0]:
            dims[0] = 0
            if len(dims) == 2:
                dims[1] = -1
        return self.add("Reshape", x, self.ints(*dims))

    def scaled(self, x: str, factor: float) -> str:
        """x * factor; nothing for 1."""
        return x if factor == 1 else self.add("Mul", x, self.constant(np.float32(factor)))

    def shifted(self, x: str, shift: float) -> str:
        """x + shift; nothing for 0."""
        return x if shift == 0 else self.add("Add", x, self.constant(np.float32(shift)))

    def cut(self, x: str, shape: Shape, starts: Sequence[int], sizes: Sequence[int]) -> str:
        """A box of x; nothing where it is all of x."""
        axes = [a for a, (n, size) in enumerate(zip(shape, sizes, strict=True)) if n != size]
        if not axes:
            return x
        return self.add("Slice", x, self.ints(*(starts[a] for a in axes)), self.ints(*(starts[a] + sizes[a] for a in axes)), self.ints(*axes))

    def pad(self, x: str, before: Sequence[int], after: Sequence[int], value: float) -> str:
        """x with `value` around it; nothing where there is nothing to add. No extent may be negative."""
        if not any(before) and not any(after):
            return x
        y = self.add("Pad", x, self.ints(*before, *after), self.constant(np.float32(value)), mode="constant")
        self.paddings[y] = Padding(x, tuple(before), tuple(after), value)
        return y

    def reduce(self, op: str, x: str, axes: Sequence[int], keepdims: bool) -> str:
        """ReduceSum and the like: the axes are an input since opset 18, ReduceSum's since 13."""
        if op == "ReduceSum" or self.opset >= 18:
            return self.add(op, x, self.ints(*axes), keepdims=int(keepdims))
        return self.add(op, x, axes=list(axes), keepdims=int(keepdims))

    def column(self, parameter: Parameter, ndim: int) -> str:
        """A parameter of C values as (C, 1, …), to be combined with (N, C, …); a single value as ()."""
        if count(parameter.shape) == 1:
            return self.weight(parameter, "/scalar", lambda v: v.reshape(()))
        return self.weight(parameter, f"/column{ndim - 2}" if ndim > 2 else "/row", lambda v: v.reshape((-1,) + (1,) * (ndim - 2)))
