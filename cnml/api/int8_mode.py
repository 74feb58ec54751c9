"""INT8 switches of operators, and products computed on codes of eight bits.

A switched operator quantizes its input and its filter with the positions and scales of their tensors, adds up products of codes exactly, and
multiplies the sum by what one unit is worth (float32); the bias is added to that. Between operators whose results are stored as halves, values are
halves; in a chain with results in float32 they may stay codes.
"""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cnml.api.assembly import Assembly
from cnml.api.base_ops import BaseOp, base_op
from cnml.api.session import unsupported, vendor_call
from cnml.codes import Codes, LayerCodes
from cnml.errors import CnmlError, Status
from cnml.operator import Operator
from cnml.ops.convolution import Convolution
from cnml.ops.convolution_int8 import int8_image
from cnml.ops.inner_product import InnerProduct
from cnml.quantization import QuantParam, quantize
from cnml.tensor import Shape, Tensor

REASON = "exact sums of codes in NumPy: the kernels take images, and groups of whole words of channels"


def product(b: Assembly, make: Callable[[bool], Operator], x: Tensor, slot: str, shape: Shape, channel_axis: int = 0) -> Tensor:
    """A convolution or inner product, on codes if the operator's INT8 switch is on.

    Parameters
    ----------
    b : Assembly
    make : callable
        Gets whether there is a bias parameter; gives the cnml operator.
    x : Tensor
    slot : str
        The filter's argument.
    shape : tuple of int
        Of the operator's weight parameter.
    channel_axis : int
        Where its output channels lie.

    Returns
    -------
    Tensor

    Raises
    ------
    CnmlError
        INVALIDPARAM in INT8 for a tensor without a position.
    """
    op = make(b.has("bias"))
    channels = shape[channel_axis]
    parameters = [b.parameter(slot, shape)]
    if b.has("bias"):
        parameters.append(b.parameter("bias", (channels,)))
    if not b.int8:
        return b.add(op, x, parameters)
    given, weights = _quant(b, "input"), _quant(b, slot)
    b.expect(not given.per_channel, "a position or scale by channel for the input", "an input has one position and one scale")
    b.expect(not weights.per_channel or channel_axis == 0, f"a position or scale by channel for '{slot}'", "its N is not the output's channels")
    if isinstance(op, (Convolution, InnerProduct)) and int8_image(op, x.shape) is not None:
        op.int8 = LayerCodes(Codes.of(given), weights)
        b.coded = True
        return b.add(op, x, parameters)
    bare = make(False)
    bare.name = b.name
    out = bare.reshape([x.shape], [shape])[0]
    unit = (_worth(given, 1) * _worth(weights, channels)).astype(np.float32)

    def on_codes(values: np.ndarray, w: np.ndarray, *bias: np.ndarray) -> np.ndarray:
        q, qw = quantize(values, given), quantize(w, weights, axis=channel_axis)
        total = np.asarray(bare.reference([q.astype(np.float64)], [qw.astype(np.float64)])[0])
        spread = (1, -1) + (1,) * (total.ndim - 2)
        y = total.astype(np.float32) * unit.reshape(spread)
        return y + bias[0].reshape(spread) if bias else y
    return b.host(f"Int8{bare.kind}", on_codes, [x], out, REASON, parameters)


def _quant(b: Assembly, slot: str) -> QuantParam:
    found = b.operand(slot).quant
    if found is None:
        raise CnmlError(f"failed to build {b.name} in INT8: the tensor '{slot}' has no position; call cnmlSetQuantizedPosition on it",
                        Status.INVALIDPARAM)
    return found


def _worth(param: QuantParam, channels: int) -> np.ndarray:
    """What one unit is worth, for each channel."""
    position, scale = np.asarray(param.position, np.int64), np.asarray(np.asarray(param.scale, np.float32), np.float64)
    return np.broadcast_to(np.ldexp(1.0 / scale, position), (channels,))


def _switch(op: BaseOp, names: tuple[str, ...], function: str) -> BaseOp:
    if base_op(op).constructor.name not in names:
        raise CnmlError(f"failed to switch {op!r} with {function}: it is for {' and '.join(names)}", Status.INVALIDARG)
    if op.program is not None:
        raise CnmlError(f"failed to switch {op!r} with {function}: it is compiled already", Status.INVALIDARG)
    return op


def _switches(names: tuple[str, ...], functions: tuple[str, ...]) -> dict[str, Callable[..., Any]]:
    made: dict[str, Callable[..., Any]] = {}
    for function in functions:
        def enable(op: BaseOp, *numbers: float, function: str = function) -> None:
            _switch(op, names, function).int8 = True
        enable.__name__ = enable.__qualname__ = function
        enable.__doc__ = f"Let {' or '.join(names)} compute in INT8; before it is compiled."
        made[function] = vendor_call(enable)
    return made


@vendor_call
def cnmlEnableLrnOpInt8Mode(op: BaseOp, position: int, offset: float) -> None:
    """Remember the position of an LRN's input. Here the LRN computes with the values that its input holds."""
    _switch(op, ("LrnOp",), "cnmlEnableLrnOpInt8Mode").arguments["int8"] = (int(position), float(offset))


@vendor_call
def cnmlEnableLrnOpInt8ScaleMode(op: BaseOp, scale: float) -> None:
    """Remember the scale of an LRN's input, as `cnmlEnableLrnOpInt8Mode` does its position."""
    _switch(op, ("LrnOp",), "cnmlEnableLrnOpInt8ScaleMode").arguments["int8_scale"] = float(scale)


@vendor_call
def cnmlEnableReorgOpInt8Mode(op: BaseOp, position: int, scale: float) -> None:
    """Remember position and scale of a Reorg's input; it moves values and changes none."""
    _switch(op, ("ReorgOp",), "cnmlEnableReorgOpInt8Mode").arguments["int8"] = (int(position), float(scale))


cnmlEnableReorgOpFix8Mode = cnmlEnableReorgOpInt8Mode


@vendor_call
def cnmlEnableMlpOpBinaryMode(op: BaseOp) -> None:
    """Not built: weights of one bit; UNSUPPORT."""
    raise unsupported("cnmlEnableMlpOpBinaryMode", "weights of one bit are not built")


@vendor_call
def cnmlEnableConvFirstOpBgraMode(op: BaseOp) -> None:
    """Not built: pixels of four channels under a filter of three; UNSUPPORT."""
    raise unsupported("cnmlEnableConvFirstOpBgraMode", "give the input three channels")


@vendor_call
def cnmlEnableConvFirstOpFusionPadMode(op: BaseOp) -> None:
    """Padding is always part of the convolution here, so nothing changes."""
    _switch(op, ("ConvFirstOp",), "cnmlEnableConvFirstOpFusionPadMode")


def functions() -> dict[str, Callable[..., Any]]:
    """cnmlEnable…Int8Mode of the operators that compute on codes, and their older names."""
    made: dict[str, Callable[..., Any]] = {}
    for name in ("Conv", "ConvFirst", "Deconv", "Mlp", "XwPlusB"):
        made.update(_switches((f"{name}Op",), (f"cnmlEnable{name}OpInt8Mode", f"cnmlEnable{name}OpFix8Mode")))
    return made


