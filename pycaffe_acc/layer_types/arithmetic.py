"""Add, Sub, Mult and their Cycle forms (vendor), Mul (TensorFlow converters)."""
from __future__ import annotations

from typing import ClassVar

from cnml.graph import Graph
from cnml.ops.arithmetic import Arithmetic, ChannelArithmetic
from cnml.ops.broadcast_arithmetic import BroadcastArithmetic
from cnml.ops.view import View
from cnml.tensor import Tensor, count
from pycaffe_acc.layer import Layer, layer


class PairLayer(Layer):
    """Two bottoms with the same number of elements; top takes the shape of bottom 0."""

    exact_bottoms = 2
    function: ClassVar[str] = ""

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One Arithmetic operator."""
        a, b = bottoms
        self.check(count(a.shape) == count(b.shape),
                   f"the bottoms {a.shape} and {b.shape} have {count(a.shape)} and {count(b.shape)} elements; both must have as many")
        if a.shape != b.shape:
            b = graph.add(View(a.shape, self.name), [b])[0]
        return graph.add(Arithmetic(self.function, self.name), [a, b])


class CycleLayer(Layer):
    """Bottom 1 (1, C, 1, 1) has one value for each channel of bottom 0."""

    exact_bottoms = 2
    function: ClassVar[str] = ""

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One ChannelArithmetic operator."""
        a, b = bottoms
        self.check(len(a.shape) >= 2 and len(b.shape) >= 2 and b.shape[0] == 1 and b.shape[1] == a.shape[1] and count(b.shape) == a.shape[1],
                   f"bottom 1 has the shape {b.shape} and bottom 0 {a.shape}; bottom 1 must be (1, channels of bottom 0, 1, 1)")
        return graph.add(ChannelArithmetic(self.function, self.name), [a, b])


@layer("Add")
class Add(PairLayer):
    """top = bottom 0 + bottom 1."""

    function = "add"


@layer("Sub")
class Sub(PairLayer):
    """top = bottom 0 - bottom 1."""

    function = "sub"


@layer("Mult")
class Mult(PairLayer):
    """top = bottom 0 * bottom 1."""

    function = "mul"


@layer("CycleAdd")
class CycleAdd(CycleLayer):
    """top = bottom 0 + bottom 1 a channel."""

    function = "add"


@layer("CycleSub")
class CycleSub(CycleLayer):
    """top = bottom 0 - bottom 1 a channel."""

    function = "sub"


@layer("CycleMult")
class CycleMult(CycleLayer):
    """top = bottom 0 * bottom 1 a channel."""

    function = "mul"


@layer("Mul")
class Mul(Layer):
    """top = bottom 0 * bottom 1, shapes broadcast as in NumPy."""

    exact_bottoms = 2

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """The cheapest operator for the two shapes."""
        a, b = bottoms
        if a.shape == b.shape:
            return graph.add(Arithmetic("mul", self.name), bottoms)
        per_channel = len(a.shape) == len(b.shape) >= 3 and a.shape[1] == b.shape[1] == count(b.shape[1:]) and b.shape[0] in (1, a.shape[0])
        return graph.add((ChannelArithmetic if per_channel else BroadcastArithmetic)("mul", self.name), bottoms)
