"""Convolution over any number of spatial axes."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from cnml.codes import LayerCodes
from cnml.emitter import Emitter
from cnml.epilogue import Activation, Fold, fold_affine
from cnml.errors import expect
from cnml.kernels.conv_nd_table import conv_nd_table
from cnml.kernels.conv_pack_f32 import pack_conv2d_f32
from cnml.kernels.conv_plan_f32 import Conv2dShape, ConvPlan, Pixels, plan_conv2d, takes_plain
from cnml.kernels.sparse_choice import WORTHWHILE, SparseChoice, choose_sparse
from cnml.kernels.sparse_pack_f32 import pack_sparse_f32
from cnml.kernels.sparse_plan_f32 import SparsePlan, plan_sparse
from cnml.kernels.winograd_choice import plan_chosen
from cnml.kernels.winograd_pack_f32 import pack_winograd_f32
from cnml.kernels.winograd_plan_f32 import WinogradPlan
from cnml.operator import Operator
from cnml.parameter import Parameter
from cnml.reference.convolution import convolution
from cnml.reference.half import round_half
from cnml.tensor import Layout, Shape, Tensor


def truncated(a: int, b: int) -> int:
    """a / b rounded toward zero, as C divides."""
    return -(-a // b) if a < 0 else a // b


def halved(parameters: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Parameters with the first, the weights, in half precision: what FP16 begins with, and what an offline model keeps."""
    return [round_half(parameters[0]), *parameters[1:]]


@dataclass(frozen=True)
class ConvolutionGeometry:
    """The numbers of a convolution that do not depend on the input.

    Attributes
    ----------
    num_output, group : int
    kernel, stride, dilation : tuple of int
        One per spatial axis.
    pad, pad_end : tuple of int
        Before the first and behind the last element.
    axis : int
        The channel axis; those before it are batch, those behind it spatial.
    bias : bool
    """

    num_output: int
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    pad: tuple[int, ...]
    pad_end: tuple[int, ...]
    dilation: tuple[int, ...]
    group: int = 1
    axis: int = 1
    bias: bool = True


class Convolution(Operator):
    """Parameters: weights (O, C/group, kernel…), bias (O,) if any, then those of the affine steps behind and before it.

    Parameters
    ----------
    geometry : ConvolutionGeometry
    name : str
    folds : tuple of Fold
        Affine steps per output channel after the convolution.
    activation : Activation
    residual : bool
        Whether a second input of the output's shape is added before the activation.
    ahead : tuple of Fold
        Affine steps per input channel before the convolution.
    int8 : LayerCodes, optional
        How it computes in INT8, where the graph does.
    sparse : bool
        Whether the net asks for a kernel that skips weights of zero.
    """

    kind = "Convolution"
    strided_output = True
    strided_input = True

    def __init__(self, geometry: ConvolutionGeometry, name: str = "", folds: tuple[Fold, ...] = (), activation: Activation = Activation(),
                 residual: bool = False, ahead: tuple[Fold, ...] = (), int8: LayerCodes | None = None, sparse: bool = False):
        super().__init__(name)
        self.geometry = geometry
        self.folds = folds
        self.activation = activation
        self.residual = residual
        self.ahead = ahead
        self.int8 = int8
        self.sparse = sparse

    def fused(self, fold: Fold | None = None, activation: Activation | None = None, name: str | None = None,
              residual: bool | None = None) -> Convolution:
        """This operator with one more step behind it."""
        return type(self)(self.geometry, self.name if name is None else name, (*self.folds, fold) if fold else self.folds,
                          activation or self.activation, self.residual if residual is None else residual, self.ahead, self.int8,
                          self.sparse)

    def in_floats(self) -> Convolution:
        """This operator without INT8."""
        return type(self)(self.geometry, self.name, self.folds, self.activation, self.residual, self.ahead, sparse=self.sparse)

    def preceded(self, folds: tuple[Fold, ...], name: str) -> Convolution:
        """This operator with affine steps before it."""
        return type(self)(self.geometry, name, self.folds, self.activation, self.residual, folds, self.int8, self.sparse)

    def takes_folds(self, shape: Shape) -> bool:
        """Whether steps along axis 1 of an output of `shape` are along its channels: not behind a sum."""
        return self.geometry.axis == 1 and not self.residual

    def takes_sum(self, shape: Shape) -> bool:
        """Whether a tensor can be added to the result for an input of `shape`: in the kernels for images, before any activation."""
        return self.image_shape(shape) is not None and not self.residual and self.activation.kind == "none"

    def takes_fold_ahead(self, shape: Shape, folds: tuple[Fold, ...]) -> bool:
        """Whether affine steps before it can go into the weights. Zeros are padded behind the steps, so a shift needs a convolution without them."""
        g = self.geometry
        if self.int8 is not None:  # its codes are those of the values as they come
            return False
        factors_only = all(f.kind == "scale" and f.parameters == 1 for f in folds)
        return self.image_shape(shape) is not None and not self.ahead and (factors_only or not any((*g.pad, *g.pad_end)))

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """out = (in + pad + pad_end - (dilation * (kernel - 1) + 1)) / stride + 1, divided toward zero as C does."""
        g = self.geometry
        shape = inputs[0]
        expect(len(shape) - g.axis - 1 == len(g.kernel), self, f"input {shape}", f"it needs {len(g.kernel)} spatial axes behind axis {g.axis}")
        expect(shape[g.axis] % g.group == 0, self, f"{shape[g.axis]} input channels", f"they must be divisible by group {g.group}")
        want = (g.num_output, shape[g.axis] // g.group, *g.kernel)
        expect(tuple(parameters[0]) == want, self, f"weights {tuple(parameters[0])} and input {shape}", f"the weights must have the shape {want}")
        spatial = tuple(truncated(i + p + q - (d * (k - 1) + 1), s) + 1
                        for i, p, q, d, k, s in zip(shape[g.axis + 1:], g.pad, g.pad_end, g.dilation, g.kernel, g.stride, strict=True))
        expect(all(e > 0 for e in spatial), self, f"input {shape} and kernel {g.kernel}",
               f"its output would have the spatial extents {spatial}; they must be positive")
        out = (*shape[:g.axis], g.num_output, *spatial)
        if self.residual:
            expect(tuple(inputs[1]) == out, self, f"a tensor of shape {inputs[1]} to add", f"it must have the output's shape {out}")
        return [out]

    def _after_ahead(self, arrays: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray | None]:
        """Weights and bias with the affine steps before the convolution in them."""
        w, b = arrays[0], arrays[1] if self.geometry.bias else None
        if not self.ahead:
            return w, b
        channels, group = w.shape[1] * self.geometry.group, self.geometry.group
        factor, shift = fold_affine(self.ahead, arrays[-sum(f.parameters for f in self.ahead):], channels)
        grouped = np.asarray(w, np.float64).reshape(group, w.shape[0] // group, w.shape[1], -1)
        more = np.einsum("goct,gc->go", grouped, shift.reshape(group, -1)).reshape(-1)
        scaled = grouped * factor.reshape(group, 1, -1, 1)
        return scaled.reshape(w.shape), more if b is None else np.asarray(b, np.float64).reshape(-1) + more

    def folded(self, arrays: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray | None]:
        """Weights and bias with the affine steps in them (float64 when there are any)."""
        n = 2 if self.geometry.bias else 1
        w, b = self._after_ahead(arrays)
        if not self.folds:
            return w, b
        factor, shift = fold_affine(self.folds, arrays[n:], self.geometry.num_output)
        b = shift if b is None else np.asarray(b, np.float64).reshape(-1) * factor + shift
        return np.asarray(w, np.float64) * factor.reshape(-1, *[1] * (w.ndim - 1)), b

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.convolution`."""
        return [self._apply(inputs, *self.folded(parameters))]

    def reference_half(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """With weights in half precision, also after steps were folded into them."""
        w, b = self.folded(halved(parameters))
        return [round_half(self._apply(inputs, round_half(w), b))]

    def _apply(self, inputs: list[np.ndarray], w: np.ndarray, b: np.ndarray | None) -> np.ndarray:
        g, x = self.geometry, inputs[0]
        out = self.reshape([x.shape, *(i.shape for i in inputs[1:])], [w.shape])[0]
        y = convolution(x.reshape(prod(x.shape[:g.axis]), *x.shape[g.axis:]), w, b, out[g.axis + 1:], g.stride, g.pad, g.dilation, g.group)
        y = y.reshape(out)
        return self.activation.apply(y + inputs[1] if self.residual else y)

    def image_shape(self, shape: Shape) -> Conv2dShape | None:
        """The geometry for the two-dimensional kernels, if they can run it."""
        g = self.geometry
        if len(shape) != 4 or g.axis != 1:
            return None
        n, c, h, w = shape
        return Conv2dShape(n, c, h, w, g.num_output, g.kernel, g.stride, g.pad, g.dilation, g.group, g.pad_end)  # type: ignore[arg-type]

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """Images are NHWC; a first layer of few channels reads Caffe's order as it comes."""
        image = self.image_shape(shapes[0])
        if image is None:
            return [Layout.PLAIN], [Layout.PLAIN]
        plain = given[0] is Layout.PLAIN and takes_plain(image)
        return [Layout.PLAIN if plain else Layout.NHWC, *[Layout.NHWC] * self.residual], [Layout.NHWC]

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """The register-tile kernel for images, plain loops for other numbers of axes."""
        image = self.image_shape(inputs[0].shape)
        if image is None:
            self._lower_nd(emit, inputs[0], outputs[0])
            return
        x, y = inputs[0], outputs[0]
        add = inputs[1] if self.residual else None
        pixels = Pixels(x.pitch or None, y.pitch or None, add.pitch or None if add is not None else None)
        sparse = self.choose_sparse(image, emit.parameters) if x.layout is Layout.NHWC else SparseChoice(None)
        emit.count(emit.parameters[0], self.macs([x.shape], [y.shape]), skips=sparse.cut is not None)
        if sparse.cut is not None:
            self._lower_sparse(emit, image, plan_sparse(image, sparse.cut, pixels=pixels), x, add, y)
        else:
            self._lower_dense(emit, image, pixels, x, add, y)
        if sparse.cut is not None or self.sparse and sparse.reason:
            emit.note(f"{emit.notes}, {sparse.reason}")

    def _lower_dense(self, emit: Emitter, image: Conv2dShape, pixels: Pixels, x: Tensor, add: Tensor | None, y: Tensor) -> None:
        fast = plan_chosen(image, pixels=pixels) if x.layout is Layout.NHWC else None
        if fast is not None:
            self._lower_winograd(emit, fast, x, add, y)
            return
        plan = plan_conv2d(image, plain_input=x.layout is Layout.PLAIN and takes_plain(image), pixels=pixels, item=emit.item)
        weights, bias = self.packed(emit, plan, emit.parameters)
        emit.call(emit.stored(plan.kernel), x, weights, bias, add, y, plan.table, emit.scratch(plan.scratch_bytes), *emit.ending(self.activation))
        emit.note(plan.reason)

    def choose_sparse(self, image: Conv2dShape, parameters: list[Parameter], worthwhile: float = WORTHWHILE) -> SparseChoice:
        """Whether a kernel should skip the zeros that the weights have now; `worthwhile` is the share of the dense kernel's time it may take."""
        weights = parameters[0]
        return choose_sparse(image, weights.zeros(), weights.array.size, self.sparse, worthwhile)

    def _lower_sparse(self, emit: Emitter, image: Conv2dShape, plan: SparsePlan, x: Tensor, add: Tensor | None, y: Tensor) -> None:
        def pack(*arrays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            weights, bias = self.folded(halved(arrays) if emit.half else arrays)
            return pack_sparse_f32(plan, image, round_half(weights) if emit.half else weights, bias)
        key = ("sparse", emit.half, plan.cut, plan.part, plan.depth_block, self.geometry.group, self.folds, self.ahead)
        weights, bias = emit.packed(key, pack, *emit.parameters)
        emit.call(plan.kernel, x, weights, bias, add, y, plan.table, emit.scratch(plan.scratch_bytes), *emit.ending(self.activation))
        emit.note(plan.reason)

    def packed(self, emit: Emitter, plan: ConvPlan, parameters: list[Parameter]) -> tuple[np.ndarray, np.ndarray]:
        """Weights and bias as a direct kernel reads them."""
        def pack(*arrays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            weights, bias = self.folded(arrays)
            return pack_conv2d_f32(plan, weights, bias, self.geometry.group)
        key = ("conv2d", plan.nr, plan.variant, self.geometry.group, self.folds, self.ahead)
        made: tuple[np.ndarray, np.ndarray] = emit.packed_weights(key, pack, *parameters)
        return made

    def _lower_winograd(self, emit: Emitter, plan: WinogradPlan, x: Tensor, add: Tensor | None, y: Tensor) -> None:
        single = emit.item == 4 or not plan.form.halves  # weights are rounded before their transform

        def pack(*arrays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            if not single or not emit.half:
                return pack_winograd_f32(plan, *self.folded(arrays))
            weights, bias = self.folded(halved(arrays))
            return pack_winograd_f32(plan, round_half(weights), bias)
        key = ("winograd", emit.half, plan.form.tag, self.geometry.group, self.folds, self.ahead)
        weights, bias = (emit.packed if single else emit.packed_weights)(key, pack, *emit.parameters)
        kernel = plan.kernel if single else emit.stored(plan.kernel)
        for step in plan.steps:
            emit.call(kernel, x, weights, bias, add, y, plan.table, emit.scratch(plan.scratch_bytes), *emit.ending(self.activation), step)
        emit.note(plan.reason)

    def _lower_nd(self, emit: Emitter, x: Tensor, y: Tensor) -> None:
        g = self.geometry
        table = conv_nd_table(prod(x.shape[:g.axis]), x.shape[g.axis], g.num_output, g.group, x.shape[g.axis + 1:], y.shape[g.axis + 1:], g.kernel,
                              g.stride, g.pad, g.dilation)

        def pack(*arrays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            weights, bias = self.folded(halved(arrays) if emit.half else arrays)
            if emit.half:
                weights = round_half(weights)
            return (np.ascontiguousarray(weights, np.float32),
                    np.zeros(g.num_output, np.float32) if bias is None else np.ascontiguousarray(np.reshape(bias, -1), np.float32))
        weights, bias = emit.packed(("conv_nd", emit.half, self.folds), pack, *emit.parameters)
        emit.count(emit.parameters[0], self.macs([x.shape], [y.shape]))
        emit.call("conv_nd_f32", x, weights, bias, y, table, *self.activation.words())
        emit.note(f"plain loops over {len(g.kernel)} spatial axes")

    def macs(self, inputs: list[Shape], outputs: list[Shape]) -> int:
        """Output elements x kernel taps x input channels of a group."""
        g = self.geometry
        return prod(outputs[0]) * prod(g.kernel) * inputs[0][g.axis] // g.group
