"""Convolution: shared weights over the spatial axes behind the channels."""
from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from cnml.graph import Graph
from cnml.ops.channel_affine import ChannelAffine
from cnml.ops.convolution import Convolution as ConvolutionOp
from cnml.ops.convolution import ConvolutionGeometry
from cnml.ops.pad import Pad
from cnml.parameter import Parameter
from cnml.tensor import Shape, Tensor
from pycaffe_acc.first_convolution import COLOURS, PIXEL_CHANNELS, first_convolution
from pycaffe_acc.layer import Layer, NetContext, layer
from pycaffe_acc.layer_codes import layer_codes
from pycaffe_acc.side_padding import SidePadding, side_padding


@dataclass(frozen=True)
class ConvolutionParams:
    """convolution_param.

    Attributes
    ----------
    kernel, stride, pad, dilation : tuple of int
        As given: none, one, or one per spatial axis (pad also two per axis, in the vendor's order top, left, bottom, right).
    kernel_hw, stride_hw, pad_hw : tuple of int or None
        From the `_h` and `_w` fields.
    sides : SidePadding or None
        Padding in the words of TensorFlow converters.
    """

    num_output: int
    bias_term: bool
    group: int
    axis: int
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    pad: tuple[int, ...]
    dilation: tuple[int, ...]
    kernel_hw: tuple[int, int] | None
    stride_hw: tuple[int, int] | None
    pad_hw: tuple[int, int] | None
    same_mode: bool
    weight_filler: Any
    bias_filler: Any
    sides: SidePadding | None


def _pair(p: Any, name: str) -> tuple[int, int] | None:
    h, w = f"{name}_h", f"{name}_w"
    if p.HasField(h) or p.HasField(w):
        return int(getattr(p, h)), int(getattr(p, w))
    return None


def parse_convolution(p: Any) -> ConvolutionParams:
    """ConvolutionParameter → ConvolutionParams."""
    return ConvolutionParams(int(p.num_output), bool(p.bias_term), int(p.group), int(p.axis), tuple(p.kernel_size), tuple(p.stride), tuple(p.pad),
                             tuple(p.dilation),
                             _pair(p, "kernel"), _pair(p, "stride"), _pair(p, "pad"), bool(p.same_mode), p.weight_filler, p.bias_filler,
                             side_padding(p))


class ConvolutionBase(Layer):
    """What Convolution and Deconvolution share: reading the extents, weights, one top for each bottom."""

    exact_bottoms = None
    min_bottoms = 1
    exact_tops = None
    min_tops = 1
    equal_bottoms_tops = True
    params: ConvolutionParams

    @classmethod
    def parse(cls, message: Any) -> ConvolutionParams:
        """Read convolution_param."""
        return parse_convolution(message.convolution_param)

    def _extents(self, what: str, given: tuple[int, ...], pair: tuple[int, int] | None, spatial: int, default: int | None) -> tuple[int, ...]:
        if pair is not None:
            self.check(spatial == 2, f"{what}_h and {what}_w are for two spatial axes, the bottom has {spatial}; use {what} with one value per axis")
            self.check(not given, f"both {what if what != 'kernel' else 'kernel_size'} and {what}_h/{what}_w are given; use one of them")
            return pair
        name = "kernel_size" if what == "kernel" else what
        if not given:
            self.check(default is not None or spatial == 0, f"{name} is missing (or {what}_h and {what}_w)")
            return (default or 0,) * spatial
        self.check(len(given) in (1, spatial), f"{name} is given {len(given)} times; it must be once, or once for each of the {spatial} spatial axes")
        return given * spatial if len(given) == 1 else given

    def geometry(self, shape: Shape) -> ConvolutionGeometry:
        """The convolution's numbers for a bottom shape.

        Raises
        ------
        CheckError
            For missing, contradictory or impossible values.
        """
        p = self.params
        axis = self.axis(p.axis, len(shape))
        spatial = len(shape) - axis - 1
        kernel = self._extents("kernel", p.kernel, p.kernel_hw, spatial, None)
        stride = self._extents("stride", p.stride, p.stride_hw, spatial, 1)
        dilation = self._extents("dilation", p.dilation, None, spatial, 1)
        four_way = spatial > 0 and len(p.pad) == 2 * spatial and p.pad_hw is None
        pad = p.pad[:spatial] if four_way else self._extents("pad", p.pad, p.pad_hw, spatial, 0)
        pad_end = p.pad[spatial:] if four_way else pad
        self.check(all(k > 0 for k in kernel), f"kernel {kernel} must be positive on every axis")
        self.check(all(s > 0 for s in stride), f"stride {stride} must be positive on every axis")
        self.check(all(d > 0 for d in dilation), f"dilation {dilation} must be positive on every axis")
        self.check(p.num_output > 0, f"num_output is {p.num_output}; it must be positive")
        group = self.groups(shape[axis])
        self.check(group > 0, f"group is {group}; it must be positive")
        self.check(shape[axis] % group == 0, f"the bottom has {shape[axis]} channels, which group {group} does not divide")
        self.check(p.num_output % group == 0, f"num_output {p.num_output} is not divisible by group {group}")
        if p.same_mode and (any(pad) or not self.context.vendor_exact):  # the vendor's CPU path looks at it only where there is padding
            pad, pad_end = self._same(shape[axis + 1:], kernel, stride, dilation)
        if p.sides is not None:
            self.check(spatial == 2, f"pad_type, pad_t, pad_l, pad_b and pad_r are for two spatial axes, the bottom has {spatial}; use pad")
            pad, pad_end = p.sides.extents(shape[axis + 1:], kernel, stride, dilation)
        return ConvolutionGeometry(p.num_output, kernel, stride, pad, pad_end, dilation, group, axis, p.bias_term)

    @staticmethod
    def _same(spatial: Shape, kernel: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The vendor's same_mode: ceil(in / stride) outputs, the smaller half of the padding in front."""
        total = [max(0, (-(-i // s) - 1) * s + d * (k - 1) + 1 - i) for i, k, s, d in zip(spatial, kernel, stride, dilation, strict=True)]
        return tuple(t // 2 for t in total), tuple(t - t // 2 for t in total)

    def groups(self, channels: int) -> int:
        """The number of groups for a bottom with that many channels."""
        return self.params.group

    def weight_shape(self, g: ConvolutionGeometry, channels: int) -> Shape:
        """Shape of blob 0."""
        raise TypeError("Convolution and Deconvolution differ here")

    def setup(self, bottoms: list[Shape]) -> None:
        """Weights and, with bias_term, a bias."""
        g = self.geometry(bottoms[0])
        for i, shape in enumerate(bottoms[1:], 1):
            self.check(shape[g.axis:g.axis + 1] == bottoms[0][g.axis:g.axis + 1],
                       f"bottom {i} has the shape {shape}, bottom 0 {bottoms[0]}; all need the same channels")
        self.add_blob(self.weight_shape(g, bottoms[0][g.axis]), self.params.weight_filler)
        if self.params.bias_term:
            self.add_blob((g.num_output,), self.params.bias_filler)


@layer("Convolution")
class Convolution(ConvolutionBase):
    """top = weights * bottom + bias; with the vendor's first-layer fields the bottom is normalized before."""

    def __init__(self, message: Any, context: NetContext):
        super().__init__(message, context)
        self._first = first_convolution(message.convolution_param)
        self.int8 = layer_codes(message)
        self.sparse = bool(message.convolution_param.sparse_mode)
        self._normalization: list[Parameter] = []

    def weight_shape(self, g: ConvolutionGeometry, channels: int) -> Shape:
        """(O, C/group, kernel…)."""
        return (g.num_output, channels // g.group, *g.kernel)

    def takes_three_channels(self, have: Shape, want: Shape) -> bool:
        """Whether weights of another net for B, G and R serve here: in a first convolution over pixels of four channels (R, G, B and nothing)."""
        return self._first is not None and len(want) == 4 and want[1] == PIXEL_CHANNELS and have == (want[0], COLOURS, *want[2:])

    def setup(self, bottoms: list[Shape]) -> None:
        """Weights, bias, and the constants of the input's normalization."""
        super().setup(bottoms)
        if self._first is not None:
            self._normalization = self._first.parameters(bottoms[0][self.axis(self.params.axis, len(bottoms[0]))], self.name)

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One Convolution operator for each bottom."""
        if self._normalization:
            bottoms = [graph.add(ChannelAffine(name=f"{self.name}/input"), [b], self._normalization)[0] for b in bottoms]
        return [self._convolve(graph, b) for b in bottoms]

    def _convolve(self, graph: Graph, bottom: Tensor) -> Tensor:
        """The operator; padding that differs by side is written out before it, because the kernels for images know one padding an axis."""
        g, shape = self.geometry(bottom.shape), bottom.shape
        if g.pad != g.pad_end and len(shape) == 4 and g.axis == 1:
            bottom = graph.add(Pad((0, 0, *g.pad), (0, 0, *g.pad_end), 0.0, f"{self.name}/pad"), [bottom])[0]
            g = replace(g, pad=(0, 0), pad_end=(0, 0))
        return graph.add(ConvolutionOp(g, self.name, int8=self.int8, sparse=self.sparse), [bottom], self.blobs)[0]
