"""What a row's `build` works with: the operator's tensors, constants and numbers, and the graph that it adds to."""
from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from cnml.api.constructor import Constructor
from cnml.api.enums import DataType
from cnml.api.parameter_objects import Values
from cnml.errors import CnmlError, Status
from cnml.graph import Graph
from cnml.operator import Operator
from cnml.ops.host_call import HostCall
from cnml.ops.view import View
from cnml.parameter import Parameter
from cnml.quantization import QuantParam
from cnml.tensor import Shape, Tensor, count

Maker = Callable[..., np.ndarray]


class Operand(NamedTuple):
    """A tensor as the builder sees it.

    Attributes
    ----------
    shape : (N, C, H, W)
    dtype : DataType
    node : Tensor or None
        Its place in the graph; None for constants and outputs.
    values : callable or None
        Gives the constant's values, (N, C, H, W) float32.
    quant : QuantParam or None
        None if no position was set.
    source : object
        The device tensor, for constants that may change.
    """

    shape: Shape
    dtype: DataType
    node: Tensor | None = None
    values: Callable[[], np.ndarray] | None = None
    quant: QuantParam | None = None
    source: Any = None


class Recipe(NamedTuple):
    """How a parameter follows from constants, so that it can be made again when they change."""

    parameter: Parameter
    make: Maker
    constants: tuple[Operand, ...]

    def fill(self) -> None:
        """Compute the values."""
        self.parameter.assign(self.make(*(c.values() for c in self.constants if c.values is not None)))


class Assembly:
    """One operator being put into a graph.

    Parameters
    ----------
    constructor : Constructor
    graph : Graph
    operands : dict of str to Operand or list of Operand
        By argument; optional constants that are not given are missing.
    values : dict of str to object
        Parameter objects (`Values`) and numbers by argument.
    name : str
        Opens messages.
    int8 : bool
        Whether the operator's INT8 switch is on.

    Attributes
    ----------
    recipes : list of Recipe
        The parameters made so far.
    coded : bool
        Whether the operator computes on codes by INT8 kernels.
    """

    def __init__(self, constructor: Constructor, graph: Graph, operands: dict[str, Any], values: dict[str, Any], name: str, int8: bool = False):
        self.constructor, self.graph, self.name, self.int8 = constructor, graph, name, int8
        self._operands, self._values = operands, values
        self.recipes: list[Recipe] = []
        self.coded = False

    # ---- arguments ------------------------------------------------------------------------------------------------------------------------

    def __getitem__(self, name: str) -> Any:
        """A number or parameter object."""
        return self._values[name]

    @property
    def param(self) -> Values:
        """The parameter object named `param`."""
        return self._values["param"]

    def has(self, slot: str) -> bool:
        """Whether an optional tensor is given."""
        return slot in self._operands

    def operand(self, slot: str) -> Operand:
        """The tensor of a slot."""
        return self._operands[slot]

    def shape(self, slot: str) -> Shape:
        """The declared shape of a tensor."""
        return self._operands[slot].shape

    def x(self, slot: str = "input") -> Tensor:
        """The graph's tensor of an argument that is read."""
        return self._node(self._operands[slot])

    def xs(self, slot: str = "inputs") -> list[Tensor]:
        """Those of a list."""
        return [self._node(o) for o in self._operands[slot]]

    def shapes(self, slot: str) -> list[Shape]:
        """The declared shapes of a list."""
        return [o.shape for o in self._operands[slot]]

    def _node(self, operand: Operand) -> Tensor:
        assert operand.node is not None
        return operand.node

    # ---- building -------------------------------------------------------------------------------------------------------------------------

    def parameter(self, slots: str | Sequence[str], shape: Shape, make: Maker | None = None) -> Parameter:
        """A parameter made from constants.

        Parameters
        ----------
        slots : str or sequence of str
        shape : tuple of int
            Of the parameter.
        make : callable, optional
            Gets the constants' values (N, C, H, W); gives values of `shape`. The values of the only constant in another shape if not given.

        Raises
        ------
        CnmlError
            LENGTHERR if the constant has not as many values as the shape, INVALIDARG if it has no data.
        """
        names = (slots,) if isinstance(slots, str) else tuple(slots)
        constants = tuple(self._operands[n] for n in names)
        if make is None and count(constants[0].shape) != count(shape):
            raise CnmlError(f"failed to build {self.name}: '{names[0]}' of shape {constants[0].shape} has {count(constants[0].shape)} values; there "
                            f"must be {count(shape)} for {shape}", Status.LENGTHERR)
        recipe = Recipe(Parameter(shape, f"{self.name}/{names[0] if names else 'number'}"), make or (lambda v: v.reshape(shape)), constants)
        self.recipes.append(recipe)
        return recipe.parameter

    def add_all(self, op: Operator, inputs: Sequence[Tensor], parameters: Sequence[Parameter] = ()) -> list[Tensor]:
        """Append an operator; its outputs."""
        op.name = op.name or self.name
        return self.graph.add(op, inputs, parameters)

    def add(self, op: Operator, inputs: Tensor | Sequence[Tensor], parameters: Sequence[Parameter] = ()) -> Tensor:
        """Append an operator; its first output."""
        return self.add_all(op, [inputs] if isinstance(inputs, Tensor) else inputs, parameters)[0]

    def view(self, x: Tensor, shape: Shape) -> Tensor:
        """x under another shape of as many elements."""
        return x if x.shape == tuple(shape) else self.add(View(tuple(shape)), x)

    def host(self, kind: str, function: Callable[..., np.ndarray], inputs: Sequence[Tensor], shape: Shape, reason: str,
             parameters: Sequence[Parameter] = ()) -> Tensor:
        """A function of arrays, run between kernels: `function(*inputs, *parameters)` gives an array of `shape`."""
        def call(arrays: list[np.ndarray], constants: list[np.ndarray]) -> list[np.ndarray]:
            return [function(*arrays, *constants)]
        return self.add(HostCall(kind, call, [shape], self.name, reason), inputs, parameters)

    def refuse(self, what: str, rule: str, status: Status = Status.INVALIDPARAM) -> CnmlError:
        """The error of an argument that does not fit."""
        return CnmlError(f"failed to build {self.name} with {what}: {rule}", status)

    def expect(self, condition: bool, what: str, rule: str, status: Status = Status.INVALIDPARAM) -> None:
        """Raise `refuse` unless a condition holds."""
        if not condition:
            raise self.refuse(what, rule, status)


def assemble(assembly: Assembly) -> list[Tensor]:
    """Build an operator; the graph's tensors for its outputs, in order of the slots.

    Raises
    ------
    CnmlError
        LENGTHERR if a result has not the shape that the output tensor declares; whatever the row's `build` raises.
    """
    constructor = assembly.constructor
    if constructor.build is None:
        raise CnmlError(f"failed to build {assembly.name}: {constructor.what}", Status.UNSUPPORT)
    built = constructor.build(assembly)
    made = list(built) if isinstance(built, (list, tuple)) else [built]
    declared = [s for slot in constructor.outputs
                for s in (assembly.shapes(slot.name) if slot.many else [assembly.shape(slot.name)])]
    if len(made) != len(declared):
        raise CnmlError(f"failed to build {assembly.name}: it has {len(declared)} outputs and makes {len(made)}", Status.LENGTHERR)
    for got, want in zip(made, declared, strict=True):
        if tuple(got.shape) != tuple(want):
            raise CnmlError(f"failed to build {assembly.name}: its result has the shape {got.shape} and the output tensor {want}; they must be equal",
                            Status.LENGTHERR)
    return made
