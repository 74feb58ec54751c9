"""How one class of operators stands in a program, and which arrays it takes."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

from cnml.epilogue import Fold
from cnml.offline.fields import Kind, decode_table
from cnml.operator import Operator
from cnml.tensor import Shape

#: element counts that a parameter may have
Counts = tuple[int, ...]
#: (operator, input shapes, parameter shapes) → counts for each parameter; None: the operator's own shape rule looks at all of them
Rule = Callable[[Any, list[Shape], list[Shape]], "list[Counts] | None"]

_FOLD_PARAMETERS = {"batch_norm": (3,), "scale": (1, 2), "bias": (1,), "bn": (4,)}


def no_parameters(op: Any, inputs: list[Shape], parameters: list[Shape]) -> list[Counts] | None:
    """None at all."""
    return []


def checked_by_itself(op: Any, inputs: list[Shape], parameters: list[Shape]) -> list[Counts] | None:
    """The operator's shape rule checks number and shapes."""
    return None


def one_checked_by_itself(op: Any, inputs: list[Shape], parameters: list[Shape]) -> list[Counts] | None:
    """One, whose shape the operator's shape rule checks."""
    return [(prod(parameters[0]),)] if parameters else [(0,)]


def _steps(folds: Sequence[Fold], channels: int) -> list[Counts]:
    """Parameters of affine steps per channel."""
    counts: list[Counts] = []
    for fold in folds:
        if fold.parameters not in _FOLD_PARAMETERS.get(fold.kind, ()):
            raise ValueError(f"an affine step '{fold.kind}' with {fold.parameters} parameters is none of {_FOLD_PARAMETERS}")
        own = [(channels, 1)] * fold.parameters
        counts += [*own[:2], (1,)] if fold.kind == "batch_norm" else own
    return counts


def of_convolution(op: Any, inputs: list[Shape], parameters: list[Shape]) -> list[Counts] | None:
    """Weights, bias, affine steps behind and before it."""
    g, channels = op.geometry, inputs[0][op.geometry.axis]
    weights = (g.num_output * (channels // g.group) * prod(g.kernel),)
    return [weights, *[(g.num_output,)] * g.bias, *_steps(op.folds, g.num_output), *_steps(op.ahead, channels)]


def of_deconvolution(op: Any, inputs: list[Shape], parameters: list[Shape]) -> list[Counts] | None:
    """Weights and bias."""
    g = op.geometry
    return [(inputs[0][g.axis] * (g.num_output // g.group) * prod(g.kernel),), *[(g.num_output,)] * g.bias]


def of_inner_product(op: Any, inputs: list[Shape], parameters: list[Shape]) -> list[Counts] | None:
    """Weights, bias, affine steps behind and before it."""
    n = op.num_output
    ahead = _steps(op.ahead, inputs[0][1]) if op.ahead else []
    return [(n * prod(inputs[0][op.axis:]),), *[(n,)] * op.bias, *_steps(op.folds, n), *ahead]


def of_batch_norm(op: Any, inputs: list[Shape], parameters: list[Shape]) -> list[Counts] | None:
    """Mean, variance, factor."""
    return [(inputs[0][1],), (inputs[0][1],), (1,)]


def of_embed(op: Any, inputs: list[Shape], parameters: list[Shape]) -> list[Counts] | None:
    """The table and the bias."""
    rows, width = parameters[0]
    return [(rows * width,), *[(width,)] * op.bias]


def of_lstm(op: Any, inputs: list[Shape], parameters: list[Shape]) -> list[Counts] | None:
    """The recurrent weights, of an operator that keeps no state itself."""
    h = inputs[0][2] // 4
    _check_steps(op, inputs, 4 * h, 2)
    return [(4 * h * h,)]


def of_rnn(op: Any, inputs: list[Shape], parameters: list[Shape]) -> list[Counts] | None:
    """Two square matrices and a bias, of an operator that keeps no state itself."""
    h = inputs[0][2]
    _check_steps(op, inputs, h, 1)
    return [(h * h,), (h * h,), (h,)]


def _check_steps(op: Any, inputs: list[Shape], static: int, states: int) -> None:
    if len(inputs) != 2 + op.static + states:
        raise ValueError(f"has {len(inputs)} inputs; it needs {2 + op.static + states}")
    if op.static and prod(inputs[2]) != inputs[0][1] * static:
        raise ValueError(f"has a static input of shape {inputs[2]}; it needs {inputs[0][1]} x {static} numbers")


@dataclass(frozen=True)
class Form:
    """One row of the table of operators.

    Attributes
    ----------
    cls : type
        The operator's class.
    fields : dict of str to Kind
        Parameters of its constructor besides the name; attributes of the same names hold them.
    inputs : tuple of int
        Least and largest number of inputs.
    parameters : Rule
    attributes : dict of str to str
        Attributes with another name than the constructor's parameter.
    variadic : str
        The field that the constructor takes as positional arguments.
    """

    cls: type[Operator]
    fields: Mapping[str, Kind] = field(default_factory=dict)
    inputs: tuple[int, int] = (1, 1)
    parameters: Rule = no_parameters
    attributes: Mapping[str, str] = field(default_factory=dict)
    variadic: str = ""

    def encode(self, op: Operator) -> dict[str, Any]:
        """The fields of an operator as JSON values."""
        return {name: kind.encode(getattr(op, self.attributes.get(name, name))) for name, kind in self.fields.items()}

    def decode(self, name: str, table: Any) -> Operator:
        """An operator from its fields; ValueError, with a sentence, if they are not right."""
        make: Any = self.cls
        values = decode_table(self.fields, table)
        positional: list[Any] = []
        if self.variadic:  # those before it are positional too
            before = list(self.fields).index(self.variadic)
            positional = [*(values.pop(n) for n in list(self.fields)[:before]), *values.pop(self.variadic)]
        made: Operator = make(*positional, name=name, **values)
        return made

    def check(self, op: Operator, inputs: list[Shape], parameters: list[Shape]) -> None:
        """Numbers of inputs and parameters, and the parameters' sizes; ValueError, with a sentence, if they are not right."""
        least, most = self.inputs
        if not least <= len(inputs) <= most:
            raise ValueError(f"has {len(inputs)} inputs; it takes {least} to {most}")
        wanted = self.parameters(op, inputs, parameters)
        if wanted is None:
            return
        if len(wanted) != len(parameters):
            raise ValueError(f"has {len(parameters)} parameters; it takes {len(wanted)}")
        for i, (shape, counts) in enumerate(zip(parameters, wanted, strict=True)):
            if prod(shape) not in counts:
                raise ValueError(f"has a parameter {i} of shape {shape}; it needs {' or '.join(map(str, counts))} numbers there")
