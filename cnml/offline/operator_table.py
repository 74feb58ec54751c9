"""The operators that a program may hold, by name. Adding one here is all it takes to store it."""
from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cnml.codes import Codes, LayerCodes
from cnml.epilogue import Activation, Fold
from cnml.offline import operator_form as of
from cnml.offline.fields import Flag, Later, Many, Maybe, Positive, Quantized, Real, Record, Whole, Word
from cnml.offline.operator_form import Form
from cnml.operator import Operator
from cnml.ops.arg_max import ArgMax
from cnml.ops.arithmetic import CODES, Arithmetic, Axpy, ChannelArithmetic
from cnml.ops.batch_norm import BatchNorm
from cnml.ops.bias import Bias
from cnml.ops.channel_affine import ChannelAffine
from cnml.ops.colour import YuvToRgb
from cnml.ops.concat import Concat
from cnml.ops.convolution import Convolution, ConvolutionGeometry
from cnml.ops.crelu import CRelu
from cnml.ops.crop import Crop
from cnml.ops.deconvolution import Deconvolution
from cnml.ops.eltwise import Eltwise
from cnml.ops.embed import Embed
from cnml.ops.hard_swish import HardSwish
from cnml.ops.inner_product import InnerProduct
from cnml.ops.interp import Interp, InterpSize
from cnml.ops.lrn import Lrn
from cnml.ops.lstm import LSTM
from cnml.ops.lstm_unit import LSTMUnit
from cnml.ops.mvn import MVN
from cnml.ops.normalize import Normalize
from cnml.ops.pad import Pad
from cnml.ops.permute import Permute
from cnml.ops.pool import Pool
from cnml.ops.position_scale import PositionScale
from cnml.ops.prelu import PRelu
from cnml.ops.prior_box import PriorBox
from cnml.ops.reduction import OPERATIONS, Reduction
from cnml.ops.reverse import Reverse
from cnml.ops.rnn import RNN
from cnml.ops.scale import Scale
from cnml.ops.shuffle_channel import ShuffleChannel
from cnml.ops.slice import Slice
from cnml.ops.softmax import Softmax
from cnml.ops.sqrt import Sqrt
from cnml.ops.tile import Tile
from cnml.ops.unary import FUNCTIONS, Unary
from cnml.ops.unpooling import UnPooling, UnPoolingWindow
from cnml.ops.upsample import UpsampleMask, UpsampleNearest
from cnml.ops.view import View
from cnml.reference.colour import FORMS
from cnml.reference.prior_box import PriorBoxOptions

AXES = 32
ANY = 1 << 16

axis = Whole(0, AXES - 1)
extent = Whole(1)
whole = Whole()
signed = Whole(-(1 << 40))
real = Real()
flag = Flag()
pair = Many(whole, 2, 2)
positive_pair = Many(extent, 2, 2)
extents = Many(extent, 0, AXES)
wholes = Many(whole, 0, AXES)
activation = Record(Activation, {"kind": Word(("none", "relu", "clip")), "a": real, "b": real})
folds = Many(Record(Fold, {"kind": Word(("batch_norm", "scale", "bias", "bn")), "parameters": Whole(1, 4), "eps": real}), 0, 64)
geometry = Record(ConvolutionGeometry, {"num_output": extent, "kernel": extents, "stride": extents, "pad": wholes, "pad_end": wholes,
                                        "dilation": extents, "group": extent, "axis": axis, "bias": flag})
interp_size = Record(InterpSize, {"height": whole, "width": whole, "zoom": Maybe(extent), "shrink": Maybe(extent), "pad_begin": Whole(-(1 << 20), 0),
                                  "pad_end": Whole(-(1 << 20), 0)})
int8 = Maybe(Record(LayerCodes, {"data": Record(Codes, {"unit": Positive(), "zero": Whole(0, 255)}), "weights": Quantized()}))
sparse = Later(flag, False)
window = Record(UnPoolingWindow, {"kernel": positive_pair, "stride": positive_pair, "pad": pair})
reals = Many(real)
prior_boxes = Record(PriorBoxOptions, {"min_sizes": reals, "max_sizes": reals, "aspect_ratios": reals, "variances": Many(real, 1, 4), "clip": flag,
                                       "image": pair, "step": Many(real, 2, 2), "offset": real, "inner_scale": whole, "whole_sizes": flag,
                                       "reserved": Whole(1, 64), "interpolated_last": flag, "rows_first": flag})
function = Word(tuple(CODES))

_FORMS = (
    Form(ArgMax, {"k": extent, "axis": Maybe(axis), "values": flag}),
    Form(Arithmetic, {"function": function}, (2, 2)),
    Form(Axpy, {}, (3, 3)),
    Form(BatchNorm, {"eps": real, "use_global_stats": flag, "fraction": real, "activation": activation}, parameters=of.of_batch_norm),
    Form(Bias, {"axis": axis, "num_axes": Whole(0, AXES)}, (1, 2), of.checked_by_itself),
    Form(CRelu, {"axis": axis, "slope": real}),
    Form(ChannelAffine, {"eps": real}, parameters=of.checked_by_itself),
    Form(ChannelArithmetic, {"function": function}, (2, 2)),
    Form(Concat, {"axis": axis}, (1, ANY)),
    Form(Convolution, {"geometry": geometry, "folds": folds, "activation": activation, "residual": flag, "ahead": folds, "int8": int8,
                       "sparse": sparse}, (1, 2), of.of_convolution),
    Form(Crop, {"offsets": wholes, "sizes": wholes}),
    Form(Deconvolution, {"geometry": geometry}, parameters=of.of_deconvolution),
    Form(Eltwise, {"operation": Word(("SUM", "PROD", "MAX")), "coeff": reals, "activation": activation}, (2, ANY)),
    Form(Embed, {"bias": flag}, parameters=of.of_embed),
    Form(HardSwish),
    Form(InnerProduct, {"num_output": extent, "axis": axis, "bias": flag, "transpose": flag, "folds": folds, "activation": activation,
                        "ahead": folds, "int8": int8, "sparse": sparse}, parameters=of.of_inner_product),
    Form(Interp, {"size": interp_size, "align_corners": flag}, attributes={"size": "options"}),
    Form(LSTM, {"static": flag, "exposed": flag}, (2, 5), of.of_lstm),
    Form(LSTMUnit, {}, (3, 3)),
    Form(Lrn, {"region": Word(("ACROSS_CHANNELS", "WITHIN_CHANNEL")), "size": extent, "alpha": real, "beta": real, "k": real}),
    Form(MVN, {"across_channels": flag, "normalize_variance": flag, "eps": real}),
    Form(Normalize, {"across_spatial": flag, "eps": real}, parameters=of.one_checked_by_itself),
    Form(PRelu, {}, parameters=of.one_checked_by_itself),
    Form(Pad, {"before": Many(signed, 0, AXES), "after": Many(signed, 0, AXES), "value": real}),
    Form(Permute, {"order": Many(axis, 0, AXES)}),
    Form(Pool, {"method": Word(("MAX", "AVE", "STOCHASTIC")), "kernel": Maybe(positive_pair), "stride": positive_pair, "pad": pair, "ceil": flag,
                "mask": flag}),
    Form(PositionScale, {"factors": Many(Many(real))}),
    Form(PriorBox, {"options": prior_boxes}, (2, 2)),
    Form(RNN, {"static": flag, "exposed": flag}, (2, 4), of.of_rnn),
    Form(Reduction, {"axis": axis, "operation": Word(tuple(OPERATIONS)), "coeff": real}),
    Form(Reverse, {"axis": axis}),
    Form(Scale, {"axis": axis, "num_axes": Whole(0, AXES), "bias_term": flag, "activation": activation}, (1, 2), of.checked_by_itself),
    Form(ShuffleChannel, {"group": extent}),
    Form(Slice, {"axis": axis, "sizes": Many(whole, 1)}),
    Form(Softmax, {"axis": axis}),
    Form(Sqrt),
    Form(Tile, {"axis": axis, "tiles": extent}),
    Form(UnPooling, {"method": Word(("FIXED", "DIV", "REP")), "window": window}),
    Form(Unary, {"function": Word(tuple(FUNCTIONS)), "params": Many(real, 0, 8)}, variadic="params"),
    Form(UpsampleMask, {"height": extent, "width": extent}, (2, 2)),
    Form(UpsampleNearest, {"height": whole, "width": whole, "scale_h": whole, "scale_w": whole, "rounded_corners": flag}),
    Form(View, {"shape": Maybe(wholes), "outputs": Whole(1, ANY)}),
    Form(YuvToRgb, {"swapped": flag, "form": Word(tuple(FORMS))}),
)

#: name in a program → how it stands there
OPERATORS: Mapping[str, Form] = MappingProxyType({f.cls.__name__: f for f in _FORMS})
_BY_CLASS: Mapping[type[Operator], str] = MappingProxyType({f.cls: f.cls.__name__ for f in _FORMS})


def name_of(op: Operator) -> str | None:
    """The name of an operator's class in programs; None if there is none."""
    return _BY_CLASS.get(type(op))
