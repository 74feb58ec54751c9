"""Functions element by element: activations, arithmetic, logic."""
from __future__ import annotations

import math

import numpy as np
from cnml_tests.api_tests.api_case import Case, values, whole

from cnml.api.enums import ActiveFunction, CastType, DataType

SHAPE = (2, 3, 4, 5)


def _x(name: str, **limits: float) -> np.ndarray:
    return values(name, *SHAPE, **limits)


def one(name: str, function, numbers=None, x=None, **more) -> Case:
    """A function of one tensor."""
    x = _x(name) if x is None else x
    return Case(name, {"input": x}, [np.asarray(function(x.astype(np.float64)), np.float32)], numbers or {}, **more)


def two(name: str, function, numbers=None, b_shape=SHAPE, make=values, **more) -> Case:
    """A function of two tensors."""
    a, b = make(f"{name} a", *SHAPE), make(f"{name} b", *b_shape)
    return Case(name, {"input_1": a, "input_2": b}, [np.asarray(function(a.astype(np.float64), b), np.float32)], numbers or {}, **more)


def _half_away(v):
    return np.sign(v) * np.floor(np.abs(v) + 0.5)


def _customized() -> Case:
    x = _x("customized", low=-4, high=4)
    points = np.linspace(-2, 2, 9)
    at = [math.erf(p) for p in points]
    y = np.where(x < -2, -1.5, np.interp(x, points, at))
    return Case("CustomizedActiveOp", {"input": x}, [y.astype(np.float32)],
                {"active_func_ptr": math.erf, "param": ("CustomizedActiveOpParam", -2.0, 2.0, -1.5, 8)})


def _prelu(slopes: np.ndarray, label: str) -> Case:
    x = _x("prelu")
    return Case("PreluOp", {"input": x, "prelu_param": slopes}, [np.where(x > 0, x, x * slopes).astype(np.float32)], label=label)


def _scale(alpha, beta, label: str) -> Case:
    x = _x("scale")
    y = x * (1 if alpha is None else alpha) + (0 if beta is None else beta)
    given = {k: v for k, v in (("alpha", alpha), ("beta", beta)) if v is not None}
    return Case("ScaleOp", {"input": x, **given}, [y.astype(np.float32)], label=label)


def _axpy() -> Case:
    a, x, y = values("axpy a", 2, 3, 1, 1), _x("axpy x"), _x("axpy y")
    return Case("AxpyOp", {"input_a": a, "input_x": x, "input_y": y}, [a * x + y])


def _broadcast(shape, label: str) -> Case:
    x = values("broadcast", *shape)
    return Case("BroadcastOp", {"input": x}, [np.broadcast_to(x, SHAPE).copy()], label=label)


COMPARISONS = {"Equal": np.equal, "NEqual": np.not_equal, "LessEqual": np.less_equal, "Less": np.less, "GreaterEqual": np.greater_equal,
               "Greater": np.greater, "And": np.logical_and, "Or": np.logical_or, "Xor": np.logical_xor}
FUNCTIONS = {ActiveFunction.NONE: lambda x: x, ActiveFunction.SIGMOID: lambda x: 1 / (1 + np.exp(-x)),
             ActiveFunction.RELU: lambda x: np.maximum(x, 0), ActiveFunction.TANH: np.tanh, ActiveFunction.RELU1: lambda x: np.clip(x, -1, 1),
             ActiveFunction.RELU6: lambda x: np.clip(x, 0, 6)}
CHANNELS = (1, 3, 1, 1)

CASES = [
    *[one("ActiveOp", f, {"function": k}, _x("active", low=-9, high=9), label=k.name) for k, f in FUNCTIONS.items()],
    _customized(),
    one("DeviceMemcpyOp", lambda x: x),
    one("MaxTCOp", lambda x: np.maximum(x, 0.25), {"cc": 0.25}),
    one("MinTCOp", lambda x: np.minimum(x, 0.25), {"cc": 0.25}),
    one("ClipOp", lambda x: np.clip(x, -0.5, 1.25), {"lower_bound": -0.5, "upper_bound": 1.25}),
    _prelu(values("slopes", 1, 3, 1, 1), "by channel"), _prelu(values("slope", 1, 1, 1, 1), "one"),
    one("SqrtOp", np.sqrt, x=_x("sqrt", low=0, high=9)),
    one("RsqrtOp", lambda x: 1 / np.sqrt(x), x=_x("rsqrt", low=0.5, high=9)),
    one("ExpOp", np.exp), one("LogOp", np.log, x=_x("log", low=0.5, high=9)), one("FloorOp", np.floor),
    one("PowerOp", lambda x: x ** 3, {"power_c": 3.0}), one("AbsOp", np.abs), one("SoftplusOp", lambda x: np.log(1 + np.exp(x))),
    one("MinusOp", np.negative), one("SinOp", np.sin), one("CosOp", np.cos),
    one("ThrsOp", lambda x: x > 0.5, {"threshold": 0.5}),
    one("FakeQuantOp", lambda x: (np.clip(_half_away(x / 0.125) + 3, 0, 255) - 3) * 0.125, {"scale": 0.125, "offset": 3}),
    one("CastOp", lambda x: np.clip(_half_away(x), 0, 255), {"cast_type": CastType.FLOAT32_TO_UINT8}, _x("cast", low=-9, high=300),
        dtypes={"output": DataType.UINT8}, label="uint8"),
    one("CastOp", lambda x: x, {"cast_type": CastType.UINT8_TO_FLOAT32}, whole("cast up", *SHAPE, low=0, high=255), dtypes={"input": DataType.UINT8},
        label="from uint8"),
    one("CastOp", lambda x: x, {"cast_type": CastType.FLOAT32_TO_FLOAT16}, dtypes={"output": DataType.FLOAT16}, label="half"),
    one("CastOp", lambda x: x, {"cast_type": CastType.FLOAT16_TO_FLOAT32}, dtypes={"input": DataType.FLOAT16}, label="from half"),
    one("NotOp", lambda x: x == 0, x=whole("not", *SHAPE, low=-1, high=1)),
    *[two(f"{n}Op", f, make=whole) for n, f in COMPARISONS.items()],
    *[two(f"Cycle{n}Op", f, b_shape=CHANNELS, make=whole) for n, f in COMPARISONS.items()],
    two("AddOp", np.add), two("SubOp", np.subtract), two("MultOp", np.multiply), two("MaxTTOp", np.maximum),
    two("RealDivOp", np.divide, make=lambda n, *s: values(n, *s, low=0.5, high=4)),
    two("CoeffAddOp", lambda a, b: 0.5 * a - 2 * b, {"coeff1": 0.5, "coeff2": -2.0}),
    *[two(f"Cycle{n}Op", f, b_shape=s, label=f"{s[0]}") for n, f in (("Add", np.add), ("Sub", np.subtract), ("Mult", np.multiply))
      for s in (CHANNELS, (2, 3, 1, 1))],
    *[two(f"Broadcast{n}Op", f, b_shape=(1, 3, 1, 5)) for n, f in (("Add", np.add), ("Sub", np.subtract), ("Mult", np.multiply))],
    _broadcast((1, 3, 1, 5), "two axes"), _broadcast((1, 1, 1, 1), "a number"), _broadcast(SHAPE, "nothing"),
    _scale(values("alpha", *CHANNELS), values("beta", *CHANNELS), "both"), _scale(values("alpha", *CHANNELS), None, "alpha"),
    _scale(None, values("beta", *CHANNELS), "beta"), _scale(values("alpha", 1, 1, 1, 1), values("beta", *CHANNELS), "one alpha"),
    _axpy(),
]
