"""Collects what one operator lowers to."""
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cnml.operator import Operator
from cnml.parameter import Parameter
from cnml.tensor import Tensor

if TYPE_CHECKING:
    from cnml.graph import Node

Argument = int | float | Tensor | np.ndarray | Parameter | None


class ScratchBlock(NamedTuple):
    """Two argument words: base address, and bytes between the blocks of two tasks."""

    nbytes: int


class Call(NamedTuple):
    """One kernel call, not yet bound to memory."""

    kernel: str
    args: tuple[Argument | ScratchBlock, ...]


class Emitter:
    """Handed to `Operator.lower`.

    Attributes
    ----------
    calls : list of Call
    hosted : Operator or None
        Set when the operator runs on the host instead.
    notes : str
        Kernel choice and its reason, for the per-layer table.
    """

    def __init__(self, node: Node):
        self.node = node
        self.calls: list[Call] = []
        self.hosted: Operator | None = None
        self.notes = ""

    @property
    def parameters(self) -> list[Parameter]:
        """The node's parameters."""
        return self.node.parameters

    def call(self, kernel: str, *args: Argument | ScratchBlock) -> None:
        """Append a kernel call.

        Parameters
        ----------
        kernel : str
            A name of the kernel table.
        *args : int, float, Tensor, ndarray or ScratchBlock
            One word each in the argument block: ints as they are, floats as float64, tensors and constant arrays (C order, kept alive) as their
            address, None as 0; a scratch block takes two words.
        """
        self.calls.append(Call(kernel, args))

    def packed(self, key: Any, make: Callable[..., Any], parameter: Parameter, *others: Parameter) -> Any:
        """A form of the weights made once per version and shared by every program and clone. See `Parameter.packed`."""
        return parameter.packed(key, make, others)

    def scratch(self, nbytes: int) -> ScratchBlock:
        """Working memory of `nbytes` for each task, valid during the call."""
        return ScratchBlock(int(nbytes))

    def host(self, op: Operator) -> None:
        """Run `op.reference` on the host."""
        self.hosted = op

    def note(self, text: str) -> None:
        """Say which kernel was chosen, and why."""
        self.notes = text
