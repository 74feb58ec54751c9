"""Operators in INT8: every value that the engine keeps as codes goes through a QuantizeLinear and a DequantizeLinear right behind it.

Between those pairs stand the float operators, which runtimes fuse with them into their INT8 kernels.
"""
from __future__ import annotations

import numpy as np

from cnml.codes import Codes
from cnml.epilogue import Activation
from cnml.ops.concat_int8 import ConcatInt8
from cnml.ops.convolution import Convolution
from cnml.ops.convolution_int8 import ConvolutionInt8
from cnml.ops.pool_int8 import PoolInt8
from cnml.ops.quantize import Quantize
from cnml.ops.sum_int8 import SumInt8
from pycaffe_acc.onnx_export.activations import FUNCTIONS
from pycaffe_acc.onnx_export.arithmetic import eltwise
from pycaffe_acc.onnx_export.convolutions import write_convolution
from pycaffe_acc.onnx_export.onnx_graph import OnnxGraph, Step
from pycaffe_acc.onnx_export.pooling import pool
from pycaffe_acc.onnx_export.products import write_product
from pycaffe_acc.onnx_export.refusal import Refusal

#: largest magnitude of a bias in units of the sums: the sums of a kernel of 2**14 weights still fit beside it
BIAS_LIMIT = 1 << 30


def through_codes(g: OnnxGraph, x: str, codes: Codes | None, source: str = "") -> str:
    """The values that are left of x when it was held as codes; x itself without any. A `source` is x as a value of the net."""
    if codes is None:
        return x
    unit, zero = g.constant(np.float32(codes.unit)), g.constant(np.uint8(codes.zero), np.uint8)
    y = g.add("DequantizeLinear", g.add("QuantizeLinear", x, unit, zero), unit, zero)
    g.coded[y] = codes, source
    return y


def quantize(g: OnnxGraph, s: Step) -> list[str]:
    """A value of floats, for a reader of codes."""
    assert isinstance(s.op, Quantize)
    return [through_codes(g, s.inputs[0], s.op.codes, s.inputs[0])]


def concat(g: OnnxGraph, s: Step) -> list[str]:
    """Concat of values of one kind of codes."""
    assert isinstance(s.op, ConcatInt8)
    return [through_codes(g, g.add("Concat", *s.inputs, axis=1), s.op.codes)]


def pooling(g: OnnxGraph, s: Step) -> list[str]:
    """As of floats, and codes again."""
    assert isinstance(s.op, PoolInt8)
    return [through_codes(g, pool(g, s._replace(op=s.op.source))[0], s.op.codes)]


def total(g: OnnxGraph, s: Step) -> list[str]:
    """As of floats, with the activation behind it, and codes again."""
    assert isinstance(s.op, SumInt8)
    y = eltwise(g, s._replace(op=s.op.source))[0]
    return [through_codes(g, _activated(g, y, s.op.source.activation), s.op.codes)]


class ChannelWeights:
    """Weights, their units and the bias per output channel, as the file holds them.

    Parameters
    ----------
    op : ConvolutionInt8
    s : Step

    Attributes
    ----------
    codes : (O, ...) int8 ndarray
        In [-127, 127], in the shape of an image's kernel.
    units : (O,) float32 ndarray
        Positive: a channel whose affine steps turn its sign has the sign in its codes.
    bias : (O,) int32 ndarray
        In products of these units and the input's.

    Raises
    ------
    Refusal
        For factors or biases that are not finite.
    """

    def __init__(self, op: ConvolutionInt8, s: Step):
        image = op.image(s.shapes[0])
        assert image is not None
        arrays = [p.array for p in s.parameters]
        with np.errstate(all="ignore"):  # refused below
            codes = op.weight_codes(arrays, image)
            _, factors, biases = op.ends(arrays, codes)
        unit = op.codes.unit if op.codes else 1.0
        factors, biases = factors.astype(np.float64) * unit / op.int8.data.unit, biases.astype(np.float64) * unit
        if not (np.isfinite(factors).all() and np.isfinite(biases).all()):
            raise Refusal("the factor or bias of one of its output channels (with BatchNorm, Scale and Bias behind it) is not finite, and scales in "
                          "ONNX must be")
        codes = codes * np.where(factors < 0, -1, 1).astype(np.int8).reshape(-1, *[1] * (codes.ndim - 1))
        self.codes, self.units = _wide_enough(codes, np.abs(factors), np.abs(biases) / op.int8.data.unit)
        self.bias = np.rint(biases / (op.int8.data.unit * self.units.astype(np.float64))).astype(np.int32)


def _wide_enough(codes: np.ndarray, units: np.ndarray, biases: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Codes and units with which every bias fits: a channel whose weights are nothing beside its bias gets greater units and smaller codes.

    Parameters
    ----------
    codes : (O, ...) int8 ndarray
    units, biases : (O,) float64 ndarray
        Not negative.
    """
    smallest = np.maximum(biases / BIAS_LIMIT, np.finfo(np.float32).tiny)
    grown = np.where(units < smallest, np.exp2(np.ceil(np.log2(smallest))), units)
    ratio = (units / grown).reshape(-1, *[1] * (codes.ndim - 1))
    return np.rint(codes * ratio).astype(np.int8), grown.astype(np.float32)


def convolution(g: OnnxGraph, s: Step) -> list[str]:
    """Conv or Gemm of values and weights that come from codes, the sum and the activation behind it, and codes again."""
    op = s.op
    assert isinstance(op, ConvolutionInt8)
    names = _operands(g, s, op)
    if isinstance(op.source, Convolution):
        y = write_convolution(g, s, op.source.geometry, names)
    else:
        y = write_product(g, s, op.source, names)
    if op.residual:
        y = g.add("Add", y, s.inputs[1])
    return [through_codes(g, _activated(g, y, op.source.activation), op.codes)]


def _operands(g: OnnxGraph, s: Step, op: ConvolutionInt8) -> list[str]:
    """Weights and bias, each with its DequantizeLinear along the output channels."""
    channels, name = ChannelWeights(op, s), s.parameters[0].name
    shape = s.parameters[0].shape if isinstance(op.source, Convolution) else (len(channels.codes), -1)
    names = [_dequantized(g, channels.codes.reshape(shape), channels.units, f"{name}/int8")]
    if channels.bias.any():
        unit = np.float32(op.int8.data.unit)
        names.append(_dequantized(g, channels.bias, channels.units * unit, f"{name.rpartition('/')[0] or name}/bias"))
    return names


def _dequantized(g: OnnxGraph, codes: np.ndarray, units: np.ndarray, name: str) -> str:
    zeros = g.constant(np.zeros(units.shape, codes.dtype), codes.dtype)
    return g.add("DequantizeLinear", g.named(codes, name), g.named(units, f"{name}/unit"), zeros, axis=0)


def _activated(g: OnnxGraph, y: str, activation: Activation) -> str:
    if activation.kind == "relu":
        return FUNCTIONS["relu"](g, y, activation.a)
    return FUNCTIONS["clip"](g, y, activation.a, activation.b) if activation.kind == "clip" else y
