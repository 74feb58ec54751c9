"""The vendor's functions for each row of the table: cnmlCreate…, cnmlCompute…Forward_V3 and cnmlCpuCompute…Forward."""
from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from cnml.api import golden
from cnml.api.base_ops import BaseOp, compiled, create, launch
from cnml.api.constructor import Constructor
from cnml.api.session import unsupported, vendor_call
from cnml.api.table import CONSTRUCTORS
from cnml.errors import CnmlError, Status

Function = Callable[..., Any]


def named(name: str, text: str, arguments: Sequence[str], body: Callable[[dict[str, Any]], Any]) -> Function:
    """A function of the interface from its arguments' names; `body` gets them by name."""
    signature = inspect.Signature([inspect.Parameter(a, inspect.Parameter.POSITIONAL_OR_KEYWORD) for a in arguments])

    def function(*args: Any, **kwargs: Any) -> Any:
        return body(signature.bind(*args, **kwargs).arguments)
    function.__name__ = function.__qualname__ = name
    function.__doc__ = text
    function.__signature__ = signature  # type: ignore[attr-defined]
    return vendor_call(function)


def creator(row: Constructor) -> Function:
    """cnmlCreate…: an operator from tensors and numbers."""
    return named(f"cnmlCreate{row.name}", f"An operator: {row.what}.", [s.name for s in row.slots], lambda given: create(row, given))


def computer(row: Constructor) -> Function:
    """cnmlCompute…Forward_V3: a run on a queue; returns at once."""
    def body(given: dict[str, Any]) -> None:
        op = given["op"]
        if row.build is None:
            raise unsupported(f"cnmlCompute{row.compute_name}Forward_V3", row.what)
        program = compiled(op)
        if op.constructor is not row:
            raise CnmlError(f"failed to run {op!r} with cnmlCompute{row.compute_name}Forward_V3: "
                            f"use cnmlCompute{op.constructor.compute_name}Forward_V3", Status.INVALIDARG)
        launch(program, row.name, memories(op, given, "in"), memories(op, given, "out"), given["compute_forw_param"], given["queue"])
    return named(f"cnmlCompute{row.compute_name}Forward_V3", f"Run on a queue: {row.what}.",
                 ["op", *row.compute_order, "compute_forw_param", "queue"], body)


def memories(op: BaseOp, given: dict[str, Any], role: str) -> list[Any]:
    """Device pointers of the tensors of a role, in order of the constructor.

    Raises
    ------
    CnmlError
        LENGTHERR for a list of another length than the operator has.
    """
    found: list[Any] = []
    for slot in op.constructor.slots:
        if slot.role != role:
            continue
        if not slot.many:
            found.append(given[slot.name])
            continue
        pointers, wanted = list(given[slot.name]), len(op.arguments[slot.name])
        if len(pointers) != wanted or any(given.get(s.name, wanted) != wanted for s in op.constructor.slots if slot.name in s.lists):
            raise CnmlError(f"failed to run {op!r} with {len(pointers)} pointers for '{slot.name}': it has {wanted}", Status.LENGTHERR)
        found += pointers
    return found


def golden_function(row: Constructor) -> Function:
    """cnmlCpuCompute…Forward: the definition on host tensors."""
    def body(given: dict[str, Any]) -> None:
        if row.build is None:
            raise unsupported(f"cnmlCpuCompute{row.name}Forward", row.what)
        golden.compute(row, golden.pairs(row, given))
    return named(f"cnmlCpuCompute{row.name}Forward", f"On host tensors: {row.what}.", golden.arguments(row), body)


def functions() -> dict[str, Function]:
    """All of them by name."""
    made: dict[str, Function] = {}
    for row in CONSTRUCTORS.values():
        for function in (creator(row), computer(row), *([golden_function(row)] if row.golden_order is not None else [])):
            made[function.__name__] = function
    return made
