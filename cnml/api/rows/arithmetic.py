"""Arithmetic of two tensors: equal shapes, one value a channel (Cycle…), or shapes that broadcast."""
from __future__ import annotations

from collections.abc import Callable

from cnml.api.assembly import Assembly
from cnml.api.constructor import Constructor, row
from cnml.operator import Operator
from cnml.ops.arithmetic import Arithmetic, Axpy, ChannelArithmetic
from cnml.ops.bias import Bias
from cnml.ops.broadcast_arithmetic import BroadcastArithmetic
from cnml.ops.elementwise import Elementwise
from cnml.ops.eltwise import Eltwise
from cnml.ops.scale import Scale
from cnml.ops.tile import Tile
from cnml.tensor import Tensor, count

PAIR = "<input_1 <input_2 >output"


def pair(b: Assembly) -> list[Tensor]:
    """Both inputs, of equal shapes.

    Raises
    ------
    CnmlError
        INVALIDPARAM for shapes that differ.
    """
    b.expect(b.shape("input_1") == b.shape("input_2"), f"inputs {b.shape('input_1')} and {b.shape('input_2')}", "both must have the same shape")
    return [b.x("input_1"), b.x("input_2")]


def cycle(b: Assembly) -> list[Tensor]:
    """A tensor, and one with a value for each channel or for each item and channel.

    Raises
    ------
    CnmlError
        INVALIDPARAM for a second input of another shape.
    """
    (n, c, _, _), second = b.shape("input_1"), b.shape("input_2")
    b.expect(second in ((1, c, 1, 1), (n, c, 1, 1)), f"a second input {second} for {b.shape('input_1')}",
             f"it must be (1, {c}, 1, 1) or ({n}, {c}, 1, 1)")
    return [b.x("input_1"), b.x("input_2")]


def equal_shapes(name: str, what: str, make: Callable[[], Operator]) -> Constructor:
    """A row for two tensors of one shape."""
    return row(name, PAIR, lambda b: b.add(make(), pair(b)), what)


def by_channel(name: str, what: str, make: Callable[[], Operator]) -> Constructor:
    """A row for a tensor and a value for each channel."""
    return row(name, PAIR, lambda b: b.add(make(), cycle(b)), what)


def _broadcast_pair(name: str, what: str, function: str) -> Constructor:
    return row(name, PAIR, lambda b: b.add(BroadcastArithmetic(function), [b.x("input_1"), b.x("input_2")]), what)


def _coeff_add(b: Assembly) -> Tensor:
    return b.add(Eltwise("SUM", (b["coeff1"], b["coeff2"])), pair(b))


def _broadcast(b: Assembly) -> Tensor:
    x, wanted = b.x(), b.shape("output")
    for axis, (have, want) in enumerate(zip(b.shape("input"), wanted, strict=True)):
        b.expect(have in (1, want), f"an input {b.shape('input')} for the output {wanted}", "each extent must be 1 or that of the output")
        if have != want:
            x = b.add(Tile(axis, want), x)
    return b.view(x, wanted)


def _scale(b: Assembly) -> Tensor:
    channels = b.shape("input")[1]

    def spread(slot: str):  # type: ignore[no-untyped-def]
        b.expect(count(b.shape(slot)) in (1, channels), f"{slot} {b.shape(slot)}",
                 f"it must have one value or one for each of the {channels} channels")
        return b.parameter(slot, (channels,), lambda v: v.reshape(-1).repeat(channels // v.size))
    if not b.has("alpha"):
        b.expect(b.has("beta"), "neither alpha nor beta", "one must be given")
        return b.add(Bias(1, 1), b.x(), [spread("beta")])
    return b.add(Scale(1, 1, b.has("beta")), b.x(), [spread("alpha"), *([spread("beta")] if b.has("beta") else [])])


def _axpy(b: Assembly) -> Tensor:
    return b.add(Axpy(), [b.x("input_a"), b.x("input_x"), b.x("input_y")])


ROWS = [
    equal_shapes("AddOp", "a + b", lambda: Arithmetic("add")),
    row("CoeffAddOp", "coeff1:float coeff2:float <input_1 <input_2 >output", _coeff_add, "coeff1 a + coeff2 b",
        golden="input_1 input_2 output coeff1 coeff2"),
    equal_shapes("RealDivOp", "a / b", lambda: Elementwise("divide")),
    row("BroadcastOp", "<input >output", _broadcast, "axes of extent 1 repeated up to the output's shape"),
    _broadcast_pair("BroadcastSubOp", "a - b, axes of extent 1 repeated", "sub"),
    _broadcast_pair("BroadcastAddOp", "a + b, axes of extent 1 repeated", "add"),
    _broadcast_pair("BroadcastMultOp", "a b, axes of extent 1 repeated", "mul"),
    equal_shapes("SubOp", "a - b", lambda: Arithmetic("sub")),
    equal_shapes("MultOp", "a b", lambda: Arithmetic("mul")),
    row("ScaleOp", "<input >output =alpha? =beta?", _scale, "alpha x + beta, a value for each channel or one for all"),
    by_channel("CycleAddOp", "a + b, b with a value for each channel", lambda: ChannelArithmetic("add")),
    by_channel("CycleSubOp", "a - b, b with a value for each channel", lambda: ChannelArithmetic("sub")),
    by_channel("CycleMultOp", "a b, b with a value for each channel", lambda: ChannelArithmetic("mul")),
    equal_shapes("MaxTTOp", "the larger of a and b", lambda: Eltwise("MAX")),
    row("AxpyOp", "<input_a <input_x <input_y >outputs", _axpy, "a x + y, a with a value for each item and channel"),
]
