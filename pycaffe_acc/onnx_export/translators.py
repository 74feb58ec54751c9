"""Which function writes which of the engine's operators."""
from __future__ import annotations

from collections.abc import Callable

from cnml.operator import Operator
from cnml.ops.arg_max import ArgMax
from cnml.ops.arithmetic import Arithmetic, Axpy, ChannelArithmetic
from cnml.ops.batch_affine import BatchAffine
from cnml.ops.batch_norm import BatchNorm
from cnml.ops.batch_reindex import BatchReindex
from cnml.ops.bias import Bias
from cnml.ops.broadcast_arithmetic import BroadcastArithmetic
from cnml.ops.channel_affine import ChannelAffine
from cnml.ops.concat import Concat
from cnml.ops.concat_int8 import ConcatInt8
from cnml.ops.convolution import Convolution
from cnml.ops.convolution3d import Convolution3d, Pooling3d
from cnml.ops.convolution_int8 import ConvolutionInt8
from cnml.ops.crelu import CRelu
from cnml.ops.crop import Crop
from cnml.ops.deconvolution import Deconvolution
from cnml.ops.eltwise import Eltwise
from cnml.ops.embed import Embed
from cnml.ops.hard_swish import HardSwish
from cnml.ops.host_call import HostCall
from cnml.ops.im2col import Im2col
from cnml.ops.inner_product import InnerProduct
from cnml.ops.interp import Interp
from cnml.ops.lrn import Lrn
from cnml.ops.lstm import LSTM
from cnml.ops.lstm_unit import LSTMUnit
from cnml.ops.mvn import MVN
from cnml.ops.normalize import Normalize
from cnml.ops.pad import Pad
from cnml.ops.permute import Permute
from cnml.ops.pool import Pool
from cnml.ops.pool_int8 import PoolInt8
from cnml.ops.position_scale import PositionScale
from cnml.ops.prelu import PRelu
from cnml.ops.prior_box import PriorBox
from cnml.ops.quantize import Quantize
from cnml.ops.reduction import Reduction
from cnml.ops.reverse import Reverse
from cnml.ops.rnn import RNN
from cnml.ops.roi import CheckRois, RoiAlign, RoiMaxPooling
from cnml.ops.scale import Scale
from cnml.ops.shuffle_channel import ShuffleChannel
from cnml.ops.slice import Slice
from cnml.ops.softmax import Softmax
from cnml.ops.sqrt import Sqrt
from cnml.ops.sum_int8 import SumInt8
from cnml.ops.tile import Tile
from cnml.ops.unary import Unary
from cnml.ops.unpooling import UnPooling
from cnml.ops.upsample import UpsampleMask, UpsampleNearest
from cnml.ops.view import View
from pycaffe_acc.onnx_export import (
    activations,
    arithmetic,
    convolutions,
    movements,
    normalizations,
    pooling,
    products,
    quantized,
    recurrent,
    regions,
    resampling,
    selections,
)
from pycaffe_acc.onnx_export.onnx_graph import OnnxGraph, Step
from pycaffe_acc.onnx_export.refusal import Refusal

Translator = Callable[[OnnxGraph, Step], list[str]]

TRANSLATORS: dict[type[Operator], Translator] = {
    ArgMax: selections.arg_max,
    Arithmetic: arithmetic.arithmetic,
    Axpy: arithmetic.axpy,
    BatchAffine: normalizations.batch_affine,
    BatchNorm: normalizations.batch_norm,
    BatchReindex: selections.batch_reindex,
    Bias: arithmetic.bias,
    BroadcastArithmetic: arithmetic.arithmetic,
    ChannelAffine: normalizations.channel_affine,
    CheckRois: regions.check_rois,
    ChannelArithmetic: arithmetic.channel_arithmetic,
    Concat: movements.concat,
    ConcatInt8: quantized.concat,
    Convolution: convolutions.convolution,
    Convolution3d: convolutions.convolution3d,
    ConvolutionInt8: quantized.convolution,
    CRelu: activations.crelu,
    Crop: movements.crop,
    Deconvolution: convolutions.deconvolution,
    Eltwise: arithmetic.eltwise,
    Embed: products.embed,
    HardSwish: activations.hard_swish,
    Im2col: convolutions.im2col,
    InnerProduct: products.inner_product,
    Interp: resampling.interp,
    Lrn: normalizations.lrn,
    LSTM: recurrent.lstm,
    LSTMUnit: recurrent.lstm_unit,
    MVN: normalizations.mvn,
    Normalize: normalizations.normalize,
    Pad: movements.pad,
    Permute: movements.permute,
    Pool: pooling.pool,
    Pooling3d: pooling.pooling3d,
    PoolInt8: quantized.pooling,
    PositionScale: pooling.position_scale,
    PRelu: activations.prelu,
    PriorBox: products.prior_box,
    Quantize: quantized.quantize,
    Reduction: selections.reduction,
    Reverse: movements.reverse,
    RNN: recurrent.rnn,
    RoiAlign: regions.roi_align,
    RoiMaxPooling: regions.roi_pooling,
    Scale: arithmetic.scale,
    ShuffleChannel: movements.shuffle_channel,
    Slice: movements.slice_,
    Softmax: activations.softmax,
    Sqrt: activations.sqrt,
    SumInt8: quantized.total,
    Tile: movements.tile,
    Unary: activations.unary,
    UnPooling: resampling.unpooling,
    UpsampleMask: resampling.upsample_mask,
    UpsampleNearest: resampling.nearest,
    View: movements.view,
}


def translate(g: OnnxGraph, s: Step) -> list[str]:
    """Write one operator.

    Raises
    ------
    Refusal
    """
    known = TRANSLATORS.get(type(s.op))
    if known is not None:
        return known(g, s)
    if isinstance(s.op, HostCall) and s.op.kind == "Parameter":
        return products.parameter(g, s)
    why = f" ({s.op.host_reason})" if s.op.host_reason else ""
    raise Refusal(f"its operator {s.op.kind} has no translation{why}")
