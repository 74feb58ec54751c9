"""What LSTM and RNN have in common."""
from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar

from cnml.graph import Graph
from cnml.ops.inner_product import InnerProduct
from cnml.parameter import Parameter
from cnml.tensor import Shape, Tensor
from pycaffe_acc.layer import Layer


@dataclass(frozen=True)
class RecurrentParams:
    """recurrent_param."""

    num_output: int
    expose_hidden: bool
    weight_filler: Any
    bias_filler: Any


class RecurrentLayer(Layer):
    """Bottoms x (T, N, ...), cont (T, N), [x_static (N, ...)], and with expose_hidden the first states (1, N, H); tops (T, N, H) and the last states.

    Without expose_hidden the state goes on from one forward of the net to the next where cont is not 0. A net that is run with another number of
    streams N keeps a state for each N.
    """

    exact_bottoms = None
    exact_tops = None
    #: how many state blobs there are
    states: ClassVar[int] = 1

    @classmethod
    def parse(cls, message: Any) -> RecurrentParams:
        """Read recurrent_param."""
        p = message.recurrent_param
        return RecurrentParams(int(p.num_output), bool(p.expose_hidden), p.weight_filler, p.bias_filler)

    def check_arity(self, message: Any) -> None:
        """x, cont, perhaps x_static, and the exposed states."""
        exposed = self.states if message.recurrent_param.expose_hidden else 0
        low = 2 + exposed
        self.check(low <= self.num_bottoms <= low + 1, f"has {self.num_bottoms} bottoms; it takes x, cont, optionally x_static"
                   + (f", and with expose_hidden {exposed} first state(s)" if exposed else ""))
        self.check(self.num_tops == 1 + exposed, f"has {self.num_tops} tops; it makes {1 + exposed}" + (" (with expose_hidden)" if exposed else ""))
        self.static = self.num_bottoms == low + 1

    def check_shapes(self, x: Shape, cont: Shape, others: list[Shape]) -> None:
        """Time steps and streams must agree, and the number of steps stay what it was at set-up."""
        self.check(len(x) >= 3, f"bottom 0 has the shape {x}; it must be (time steps, streams, values...)")
        self.check(x[0] == self.steps,
                   f"bottom 0 has {x[0]} time steps; the net was set up with {self.steps}, and the number cannot change (make another net for it)")
        self.check(cont == x[:2], f"bottom 1 (cont) has the shape {cont}; it must be {x[:2]}: time steps, streams")
        if self.static:
            self.check(len(others[0]) >= 2 and others[0][0] == x[1], f"bottom 2 (x_static) has the shape {others[0]}; it must be ({x[1]}, values...)")
        h = self.params.num_output
        for i, s in enumerate(others[self.static:]):
            self.check(prod(s) == x[1] * h and s[:2] == (1, x[1]), f"first state {i} has the shape {s}; it must be {(1, x[1], h)}")

    def setup(self, bottoms: list[Shape]) -> None:
        """The weights."""
        self.check(self.params.num_output > 0, f"num_output is {self.params.num_output}; it must be positive")
        self.check(len(bottoms[0]) >= 3, f"bottom 0 has the shape {bottoms[0]}; it must be (time steps, streams, values...)")
        self.steps = bottoms[0][0]
        self._carried: dict[int, list[Parameter]] = {}
        self.check_shapes(bottoms[0], bottoms[1], list(bottoms[2:]))
        self.add_weights(prod(bottoms[0][2:]), prod(bottoms[2][1:]) if self.static else 0)

    def add_weights(self, inputs: int, static: int) -> None:
        """Create the blobs for so many values of x and x_static."""
        raise TypeError(f"{type(self).__name__} adds no weights")

    def carried(self, streams: int) -> list[Parameter]:
        """The state for so many streams, zeros at first; none with expose_hidden."""
        if self.params.expose_hidden:
            return []
        if streams not in self._carried:
            self._carried[streams] = [Parameter((streams, self.params.num_output), f"{self.name}/state {i}") for i in range(self.states)]
        return self._carried[streams]

    def input_products(self, graph: Graph, bottoms: list[Tensor], width: int, weights: list[Parameter]) -> list[Tensor]:
        """x W + b over all time steps at once, and x_static W.

        Parameters
        ----------
        width : int
            Rows of the weights.
        weights : list of Parameter
            W, b, and with x_static its W.
        """
        products = list(graph.add(InnerProduct(width, 2, True, False, f"{self.name} (input)"), bottoms[:1], weights[:2]))
        if self.static:
            products += graph.add(InnerProduct(width, 1, False, False, f"{self.name} (static)"), bottoms[2:3], weights[2:3])
        return products
