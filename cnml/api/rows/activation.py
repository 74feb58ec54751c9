"""Functions of one tensor, element by element."""
from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cnml.api.assembly import Assembly
from cnml.api.constructor import Constructor, row
from cnml.api.enums import ActiveFunction, CastType, DataType
from cnml.errors import Status
from cnml.operator import Operator
from cnml.ops.elementwise import Elementwise
from cnml.ops.piecewise import Piecewise
from cnml.ops.prelu import PRelu
from cnml.ops.sqrt import Sqrt
from cnml.ops.unary import Unary
from cnml.ops.view import View
from cnml.tensor import Tensor, count

#: the functions that ActiveOp knows; RELU1 is that of Android's neural networks interface
FUNCTIONS: dict[ActiveFunction, tuple[str, tuple[float, ...]]] = {
    ActiveFunction.SIGMOID: ("sigmoid", ()), ActiveFunction.RELU: ("relu", (0.0,)), ActiveFunction.TANH: ("tanh", ()),
    ActiveFunction.RELU1: ("clip", (-1.0, 1.0)), ActiveFunction.RELU6: ("clip", (0.0, 6.0))}

#: a user's function is asked at the ends of each
MOST_SEGMENTS = 1 << 16

CASTS = {CastType.FLOAT32_TO_UINT8: (DataType.FLOAT32, DataType.UINT8), CastType.UINT8_TO_FLOAT32: (DataType.UINT8, DataType.FLOAT32),
         CastType.INT8_TO_FLOAT16: (DataType.INT8, DataType.FLOAT16), CastType.FLOAT16_TO_FLOAT32: (DataType.FLOAT16, DataType.FLOAT32),
         CastType.FLOAT16_TO_INT8: (DataType.FLOAT16, DataType.INT8), CastType.FLOAT32_TO_FLOAT16: (DataType.FLOAT32, DataType.FLOAT16),
         CastType.INT16_TO_FLOAT16: (DataType.INT16, DataType.FLOAT16), CastType.FLOAT16_TO_INT16: (DataType.FLOAT16, DataType.INT16)}


def activate(b: Assembly, function: ActiveFunction, x: Tensor) -> Tensor:
    """x after one of the vendor's activations."""
    if function == ActiveFunction.NONE:
        return b.add(View(None), x)
    name, numbers = FUNCTIONS[function]
    return b.add(Unary(name, *numbers), x)


def _active(b: Assembly) -> Tensor:
    return activate(b, b["function"], b.x())


def _customized(b: Assembly) -> Tensor:
    p = b.param
    b.expect(0 < p.segment_num <= MOST_SEGMENTS and p.x_start < p.x_end, f"{p.segment_num} segments from {p.x_start} to {p.x_end}",
             f"there must be 1 to {MOST_SEGMENTS}, and the range must rise")
    points = np.linspace(p.x_start, p.x_end, p.segment_num + 1)
    return b.add(Piecewise(p.x_start, p.x_end, [float(b["active_func_ptr"](x)) for x in points], p.y_min), b.x())


def _same(b: Assembly) -> Tensor:
    return b.add(View(None), b.x())


def _cast(b: Assembly) -> Tensor:
    given, wanted = CASTS[b["cast_type"]]
    found = (b.operand("input").dtype, b.operand("output").dtype)
    b.expect(found == (given, wanted), f"tensors of {found[0].name} and {found[1].name}",
             f"{b['cast_type'].name} needs {given.name} and {wanted.name}", Status.BADTYPEID)
    return b.add(View(None), b.x())


def _prelu(b: Assembly) -> Tensor:
    return b.add(PRelu(), b.x(), [b.parameter("prelu_param", (count(b.shape("prelu_param")),))])


def _one(make: Callable[[Assembly], Operator]) -> Callable[[Assembly], Tensor]:
    """The build of an operator on `input`."""
    return lambda b: b.add(make(b), b.x())


def _unary(name: str, what: str, make: Callable[[Assembly], Operator], numbers: str = "") -> Constructor:
    return row(name, f"<input >output {numbers}", _one(make), what)


_INFINITE = float("inf")
ROWS = [
    row("ActiveOp", "function:ActiveFunction <input >output", _active, "sigmoid, ReLU, tanh, clip to -1..1 (RELU1) or 0..6 (RELU6), or nothing"),
    row("CustomizedActiveOp", "active_func_ptr:function param:CustomizedActiveOpParam <input >output", _customized,
        "a function of the user's as straight lines between segment_num + 1 points from x_start to x_end; y_min left of them", golden=None),
    row("DeviceMemcpyOp", "<input >output", _same, "the same values"),
    _unary("MaxTCOp", "max(x, cc)", lambda b: Unary("clip", b["cc"], _INFINITE), "cc:float"),
    _unary("MinTCOp", "min(x, cc)", lambda b: Unary("clip", -_INFINITE, b["cc"]), "cc:float"),
    _unary("ClipOp", "x held within lower_bound..upper_bound", lambda b: Unary("clip", b["lower_bound"], b["upper_bound"]),
           "lower_bound:float upper_bound:float"),
    row("PreluOp", "<input >output =prelu_param", _prelu, "x, below 0 times a slope for each channel or one for all"),
    _unary("SqrtOp", "square root", lambda b: Sqrt()),
    _unary("RsqrtOp", "1 / square root", lambda b: Elementwise("rsqrt")),
    _unary("ExpOp", "e to the power of x", lambda b: Unary("exp", 1, 1)),
    _unary("LogOp", "natural logarithm", lambda b: Unary("log", 1, 0, 1)),
    _unary("FloorOp", "largest whole number not above x", lambda b: Elementwise("floor")),
    _unary("PowerOp", "x to the power of power_c", lambda b: Unary("power", b["power_c"], 1, 0), "power_c:float"),
    _unary("AbsOp", "magnitude", lambda b: Unary("abs")),
    _unary("SoftplusOp", "log(1 + e to the power of x)", lambda b: Unary("bnll")),
    _unary("MinusOp", "-x", lambda b: Unary("power", 1, -1, 0)),
    _unary("FakeQuantOp", "what remains of x as an unsigned number of 8 bits: (clip(round(x / scale) + offset, 0, 255) - offset) * scale",
           lambda b: Elementwise("fake_quantize", b["scale"], b["offset"]), "scale:float offset:int"),
    row("CastOp", "cast_type:CastType <input >output", _cast, "the same values in another type"),
    _unary("SinOp", "sine", lambda b: Elementwise("sin")),
    _unary("CosOp", "cosine", lambda b: Elementwise("cos")),
    row("ThrsOp", "threshold:float <input >output", _one(lambda b: Unary("threshold", b["threshold"])), "1 where x > threshold, else 0", golden=None),
]
