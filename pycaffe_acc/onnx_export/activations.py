"""Functions of single elements."""
from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cnml.ops.unary import Unary
from pycaffe_acc.onnx_export.onnx_graph import OnnxGraph, Step

Writer = Callable[..., str]


def _relu(g: OnnxGraph, x: str, slope: float) -> str:
    return g.add("Relu", x) if slope == 0 else g.add("LeakyRelu", x, alpha=slope)


def _relu_limit(g: OnnxGraph, x: str, slope: float, limit: float) -> str:
    return g.add("Min", _relu(g, x, slope), g.constant(np.float32(limit)))


def _clip(g: OnnxGraph, x: str, low: float, high: float) -> str:
    if low > high:  # ONNX leaves open which limit wins; in Caffe it is the lower one
        return g.add("Max", g.add("Min", x, g.constant(np.float32(high))), g.constant(np.float32(low)))
    return g.add("Clip", x, g.constant(np.float32(low)), g.constant(np.float32(high)))


def _swish(g: OnnxGraph, x: str, beta: float) -> str:
    return g.add("Mul", x, g.add("Sigmoid", g.scaled(x, beta)))


def _exp(g: OnnxGraph, x: str, inner: float, outer: float) -> str:
    return g.scaled(g.add("Exp", g.scaled(x, inner)), outer)


def _log(g: OnnxGraph, x: str, scale: float, shift: float, outer: float) -> str:
    return g.scaled(g.add("Log", g.shifted(g.scaled(x, scale), shift)), outer)


def _power(g: OnnxGraph, x: str, exponent: float, scale: float, shift: float) -> str:
    y = g.shifted(g.scaled(x, scale), shift)
    if exponent == 1:
        return y
    return g.add("Mul", y, y) if exponent == 2 else g.add("Pow", y, g.constant(np.float32(exponent)))


def _threshold(g: OnnxGraph, x: str, limit: float) -> str:
    return g.add("Cast", g.add("Greater", x, g.constant(np.float32(limit))), to=1)


FUNCTIONS: dict[str, Writer] = {
    "relu": _relu, "relu_limit": _relu_limit, "clip": _clip,
    "elu": lambda g, x, alpha: g.add("Elu", x, alpha=alpha),
    "sigmoid": lambda g, x: g.add("Sigmoid", x),
    "tanh": lambda g, x: g.add("Tanh", x),
    "abs": lambda g, x: g.add("Abs", x),
    "bnll": lambda g, x: g.add("Softplus", x),
    "swish": _swish, "exp": _exp, "log": _log, "power": _power, "threshold": _threshold,
}


def unary(g: OnnxGraph, s: Step) -> list[str]:
    """One of `FUNCTIONS`; a Power that ignores its bottom is a constant."""
    assert isinstance(s.op, Unary)
    params = s.op.params
    if s.op.function == "power" and params[0] * params[1] == 0:
        with np.errstate(all="ignore"):
            value = 1.0 if params[0] == 0 else np.float_power(params[2], params[0])
        return [g.constant(np.full(s.tops[0], value, np.float32))]
    return [FUNCTIONS[s.op.function](g, s.inputs[0], *params)]


def sqrt(g: OnnxGraph, s: Step) -> list[str]:
    """Sqrt."""
    return [g.add("Sqrt", *s.inputs)]


def hard_swish(g: OnnxGraph, s: Step) -> list[str]:
    """x * HardSigmoid(x): the form that runtimes know, also before opset 14's HardSwish."""
    return [g.add("Mul", s.inputs[0], g.add("HardSigmoid", s.inputs[0], alpha=1 / 6, beta=0.5))]


def prelu(g: OnnxGraph, s: Step) -> list[str]:
    """PRelu with the slopes along axis 1."""
    return [g.add("PRelu", s.inputs[0], g.column(s.parameters[0], len(s.shapes[0])))]


def crelu(g: OnnxGraph, s: Step) -> list[str]:
    """x and -x joined, then the ReLU."""
    both = g.add("Concat", s.inputs[0], g.add("Neg", s.inputs[0]), axis=s.op.axis)  # type: ignore[attr-defined]
    return [_relu(g, both, s.op.slope)]  # type: ignore[attr-defined]


def softmax(g: OnnxGraph, s: Step) -> list[str]:
    """Softmax along one axis, as ONNX has it since opset 13."""
    return [g.add("Softmax", s.inputs[0], axis=s.op.axis)]  # type: ignore[attr-defined]
