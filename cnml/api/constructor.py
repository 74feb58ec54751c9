"""A row of the table of operators: the vendor's signature, and how a graph of cnml operators does the same.

A signature is a line of words in the vendor's order:

==================== ===========================================================================
word                 meaning
==================== ===========================================================================
`<input`             a tensor that is read at run time; `<inputs[]` several
`>output`            a tensor that is written
`=filter` `=bias?`   constant data, with `?` left out by None
`param:ConvOpParam`  a parameter object
`group:int`          a number, truth value or member of an enumeration
`#num=inputs`        how many tensors the lists `inputs` (and others, with commas) have
==================== ===========================================================================
"""
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from cnml.api.parameter_objects import PARAMETERS

if TYPE_CHECKING:
    from cnml.api.assembly import Assembly

PARAMETER_KINDS = frozenset(kind for kind, _ in PARAMETERS.values())


class Slot(NamedTuple):
    """One argument.

    Attributes
    ----------
    name : str
    role : {"in", "out", "const", "param", "scalar", "count"}
    type : str
        Of parameter objects and numbers.
    many : bool
        A list of tensors.
    optional : bool
        None is allowed.
    lists : tuple of str
        What a count counts.
    """

    name: str
    role: str
    type: str = ""
    many: bool = False
    optional: bool = False
    lists: tuple[str, ...] = ()

    @property
    def is_tensor(self) -> bool:
        """Whether it is a tensor or a list of them."""
        return self.role in ("in", "out", "const")


def parse_slot(word: str) -> Slot:
    """One word of a signature."""
    roles = {"<": "in", ">": "out", "=": "const"}
    if word[0] in roles:
        optional, many = word.endswith("?"), word.rstrip("?").endswith("[]")
        return Slot(word[1:].rstrip("?").removesuffix("[]"), roles[word[0]], "", many, optional)
    if word[0] == "#":
        name, _, lists = word[1:].partition("=")
        return Slot(name, "count", "int", lists=tuple(lists.split(",")))
    name, _, kind = word.partition(":")
    return Slot(name, "param" if kind in PARAMETER_KINDS else "scalar", kind)


Build = Callable[["Assembly"], Any]


@dataclass(frozen=True)
class Constructor:
    """One of the vendor's operators.

    Attributes
    ----------
    name : str
        "ConvOp": the functions are cnmlCreateConvOp, cnmlComputeConvOpForward_V3 and cnmlCpuComputeConvOpForward.
    slots : tuple of Slot
        In the order of the constructor.
    build : callable or None
        Adds cnml operators to a graph and returns the output tensors in the order of the slots; None for what is not built.
    what : str
        What it computes; for one that is not built, why.
    compute_name : str
        Where the compute function is not named like the constructor.
    compute_order, golden_order : tuple of str
        Names of the arguments of the two functions, where they differ from the constructor's order (golden_order None: the vendor has no such
        function).
    """

    name: str
    slots: tuple[Slot, ...]
    build: Build | None
    what: str
    compute_name: str
    compute_order: tuple[str, ...]
    golden_order: tuple[str, ...] | None

    def slot(self, name: str) -> Slot:
        """The argument of a name."""
        return next(s for s in self.slots if s.name == name)

    @property
    def outputs(self) -> tuple[Slot, ...]:
        """Arguments that are written."""
        return tuple(s for s in self.slots if s.role == "out")


def row(name: str, signature: str, build: Build | None, what: str, *, compute: str = "", order: str = "", golden: str | None = "") -> Constructor:
    """A row of the table.

    Parameters
    ----------
    name : str
    signature : str
        As the module says.
    build : callable or None
    what : str
    compute : str
        The name in the compute function, if another.
    order, golden : str
        Names in the order of the compute and the golden function, if another; None for `golden`: there is no such function.
    """
    slots = tuple(parse_slot(word) for word in signature.split())
    runtime = [s.name for s in slots if s.role in ("in", "out", "count")]
    return Constructor(name, slots, build, what, compute or name, tuple(order.split()) or tuple(runtime),
                       None if golden is None else tuple(golden.split()) or tuple(s.name for s in slots))


def same_length(slots: Sequence[Slot], values: dict[str, Any]) -> str | None:
    """A sentence about the first count that is not the length of its lists, or None."""
    for slot in slots:
        for name in slot.lists:
            if len(values[name]) != values[slot.name]:
                return f"{slot.name} is {values[slot.name]} and {name} has {len(values[name])} tensors; they must be equal"
    return None
