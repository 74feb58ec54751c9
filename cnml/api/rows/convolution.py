"""Convolutions and their inverse. Constants are filters (O, C / group, height, width); for the inverse (C, O, height, width)."""
from __future__ import annotations

import numpy as np

from cnml.api.assembly import Assembly
from cnml.api.constructor import row
from cnml.api.int8_mode import product
from cnml.ops.bias import Bias
from cnml.ops.convolution import Convolution, ConvolutionGeometry
from cnml.ops.deconvolution import Deconvolution
from cnml.ops.pad import Pad
from cnml.ops.scale import Scale
from cnml.tensor import Shape, Tensor, count

Pair = tuple[int, int]


def halves(total: int) -> Pair:
    """A sum of paddings as those of the two sides; of an odd sum the far side gets more."""
    return total // 2, total - total // 2


def _dilation(b: Assembly) -> Pair:
    """0 stands for not set."""
    return max(1, b.param.dilation_height), max(1, b.param.dilation_width)


def _convolve(b: Assembly, x: Tensor, weights: Shape, pads: tuple[Pair, Pair], dilation: Pair = (1, 1), group: int = 1) -> Tensor:
    """A convolution with the strides of the parameter object; `pads` are those above and below, left and right."""
    stride = (b.param.stride_height, b.param.stride_width)
    b.expect(min(stride) > 0 and min(map(min, pads)) >= 0, f"stride {stride} and padding {pads}", "strides must be positive, paddings not negative")

    def make(bias: bool) -> Convolution:
        return Convolution(ConvolutionGeometry(weights[0], weights[2:], stride, (pads[0][0], pads[1][0]), (pads[0][1], pads[1][1]), dilation, group,
                                               bias=bias))
    return product(b, make, x, "filter", weights)


def _conv(b: Assembly) -> Tensor:
    p = b.param
    return _convolve(b, b.x(), b.shape("filter"), (halves(p.pad_height), halves(p.pad_width)), _dilation(b))


def _conv_group(b: Assembly) -> Tensor:
    p = b.param
    b.expect(b["group"] > 0 and b.shape("filter")[0] % b["group"] == 0, f"group {b['group']} and {b.shape('filter')[0]} filters",
             "the group must divide the filters")
    return _convolve(b, b.x(), b.shape("filter"), (halves(p.pad_height), halves(p.pad_width)), _dilation(b), b["group"])


def _conv_depthwise(b: Assembly) -> Tensor:
    channels, (n, c, h, w) = b.shape("input")[1], b.shape("filter")
    b.expect((n, c) in ((channels, 1), (1, channels)), f"a filter {(n, c, h, w)} for {channels} channels",
             f"it must be ({channels}, 1, {h}, {w}) or (1, {channels}, {h}, {w})")
    pads = halves(b.param.get("pad_height", 0)), halves(b.param.get("pad_width", 0))
    return _convolve(b, b.x(), (channels, 1, h, w), pads, group=channels)


def _conv_first(b: Assembly) -> Tensor:
    p, x, channels = b.param, b.x(), b.shape("input")[1]
    mean = b.shape("mean")
    per_channel = count(mean) == channels
    b.expect(per_channel or count(mean) == count(x.shape[1:]), f"a mean {mean} for the input {x.shape}",
             f"it must have one value for each of the {channels} channels or one for each of {x.shape[1:]}")
    shape = (channels,) if per_channel else tuple(x.shape[1:])
    x = b.add(Bias(1, len(shape)), x, [b.parameter("mean", shape, lambda v: -v.reshape(shape))])
    if b.has("stdt"):
        b.expect(count(b.shape("stdt")) == channels, f"stdt {b.shape('stdt')}", f"it must have one value for each of the {channels} channels")
        with np.errstate(all="ignore"):
            x = b.add(Scale(1, 1, False), x, [b.parameter("stdt", (channels,), lambda v: 1 / v.reshape(channels))])
    return _convolve(b, x, b.shape("filter"), ((p.pad_t, p.pad_b), (p.pad_l, p.pad_r)))


def _deconv(b: Assembly) -> Tensor:
    p, shape = b.param, b.shape("filter")
    stride = (p.stride_height, p.stride_width)
    b.expect(min(stride) > 0, f"stride {stride}", "it must be positive")

    def make(bias: bool) -> Deconvolution:
        return Deconvolution(ConvolutionGeometry(shape[1], shape[2:], stride, (0, 0), (0, 0), (1, 1), bias=bias))
    y = product(b, make, b.x(), "filter", shape, channel_axis=1)
    crops = (p.hu_crop, p.hd_crop, p.wl_crop, p.wr_crop)
    b.expect(min(crops) >= 0, f"crops {crops}", "they must not be negative")
    if any(crops):
        y = b.add(Pad((0, 0, -p.hu_crop, -p.wl_crop), (0, 0, -p.hd_crop, -p.wr_crop)), y)
    return y


_CONV = "param input filter output bias"
ROWS = [
    row("DeconvOp", "param:DeconvOpParam <input >output =filter =bias? opt:DeconvOptLevel", _deconv,
        "the inverse convolution, its result cropped on four sides", compute="DeConvOp", golden=_CONV),
    row("ConvOp", "param:ConvOpParam <input >output =filter =bias?", _conv, "convolution; paddings are sums of both sides", golden=_CONV),
    row("ConvFirstOp", "param:ConvFirstOpParam <input =mean >output =filter =bias? =stdt?", _conv_first,
        "convolution of (x - mean) / stdt, paddings left, right, top, bottom", golden="param input mean filter output bias stdt"),
    row("ConvGroupOp", "param:ConvOpParam <input >output =filter =bias? group:int", _conv_group, "convolution in groups of channels",
        golden=f"{_CONV} group"),
    row("ConvDepthwiseOp", "param:ConvDepthwiseOpParam <input >output =filter =bias?", _conv_depthwise,
        "one filter a channel; paddings are sums of both sides", golden=_CONV),
]
