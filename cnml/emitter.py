"""Collects what one operator lowers to."""
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from cnml.cpu import converts_half
from cnml.epilogue import HALF, Activation
from cnml.half_weights import half_name, rounded_half, stored_half
from cnml.operator import Operator
from cnml.parameter import Parameter
from cnml.reference.half import round_half
from cnml.sparsity import Sparsity
from cnml.tensor import Tensor
from cnrt.function import KernelAddress

if TYPE_CHECKING:
    from cnml.graph import Node

Argument = int | float | Tensor | np.ndarray | Parameter | KernelAddress | None


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
    half : bool
        Whether the graph computes in FP16.
    rounded : bool
        Whether the kernels called round the results to half themselves.
    forms : list of ndarray
        Packed weights that the calls use.
    sparsity : Sparsity or None
        Of the weights, where the operator counts them (`count`).

    Parameters
    ----------
    node : Node
    half : bool
    """

    def __init__(self, node: Node, half: bool = False):
        self.node = node
        self.half = half
        self.rounded = False
        self.forms: list[np.ndarray] = []
        self.sparsity: Sparsity | None = None
        self._halves = False
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
        form = parameter.packed(key, make, others)
        self.forms += [a for a in (form if isinstance(form, tuple) else (form,)) if isinstance(a, np.ndarray)]
        return form

    def count(self, weights: Parameter, macs: int, *, skips: bool = False, skipped: int = 0) -> None:
        """Count the zeros of weights that take part in so many multiply-accumulates, and say whether the kernel skips them, or how many it skips."""
        size, zeros = weights.array.size, weights.zeros()
        skipped = zeros if skips else skipped
        self.sparsity = Sparsity(size, zeros, skipped, macs, macs * skipped // max(size, 1)) + (self.sparsity or Sparsity())

    def packed_weights(self, key: Any, make: Callable[..., Any], parameter: Parameter, *others: Parameter) -> Any:
        """`packed` for a tuple whose first array is large: in FP16 that is made of the parameter in half precision, rounded again and stored so where
        the CPU converts halves, for the kernel that `stored` names.
        """
        if not self.half:
            return self.packed(key, make, parameter, *others)
        self._halves = self.item == 2

        def make_half(first: np.ndarray, *arrays: np.ndarray) -> tuple[Any, ...]:
            weights, *rest = make(rounded_half(first), *arrays)
            if self.item == 2:
                return (stored_half(weights), *rest)
            weights[...] = round_half(weights)
            return (weights, *rest)
        return self.packed((key, "half"), make_half, parameter, *others)

    @property
    def item(self) -> int:
        """Bytes of a weight as `packed_weights` stores it."""
        return 2 if self.half and converts_half() else 4

    def stored(self, kernel: str) -> str:
        """The name of a kernel for weights as `packed_weights` stores them."""
        return half_name(kernel) if self.item == 2 else kernel

    def ending(self, activation: Activation) -> tuple[int, float, float]:
        """The words of an activation for a kernel that can round what it stores to half, and does so in FP16."""
        mode, low, high = activation.words()
        self.rounded = self.half
        return mode + HALF if self.half else mode, low, high

    def round(self, x: Tensor, y: Tensor) -> None:
        """y = x rounded to half; they may be the same tensor."""
        self.rounded = True
        if not x.pitch and not y.pitch:
            self.call("round_half_f32", x, y, 1, x.count, x.count, x.count)
        else:
            n, h, w, c = x.stored_shape
            self.call("round_half_f32", x, y, n * h * w, c, x.pitch or c, y.pitch or c)

    def finish(self) -> None:
        """Round the results to half in FP16 if the kernels did not."""
        if self.half and self.hosted is None and self.node.op.results == "computed" and not self.rounded:
            for t in self.node.outputs:
                self.round(t, t)

    def part(self, node: Node) -> Emitter:
        """Lower one of the operators that this one is made of. Its calls are this one's to make."""
        part = Emitter(node, self.half)
        node.op.lower(part, node.inputs, node.outputs)
        part.finish()
        self.forms += part.forms
        if part.sparsity is not None:
            self.sparsity = part.sparsity + (self.sparsity or Sparsity())
        self.rounded, self._halves = self.half, self._halves or part._halves
        return part

    def scratch(self, nbytes: int) -> ScratchBlock:
        """Working memory of `nbytes` for each task, valid during the call."""
        return ScratchBlock(int(nbytes))

    def host(self, op: Operator) -> None:
        """Run `op.reference` on the host."""
        self.hosted = op

    def note(self, text: str) -> None:
        """Say which kernel was chosen, and why."""
        self.notes = f"{text}, half weights" if self._halves else text
