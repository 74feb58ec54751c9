"""Convolutions and inner products in INT8."""
from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from cnml.codes import Codes
from cnml.cpu import isa
from cnml.emitter import Emitter
from cnml.epilogue import Activation, fold_affine
from cnml.errors import expect
from cnml.kernels.conv_pack_qs8 import pack_ends_qs8, pack_weights_qs8
from cnml.kernels.conv_plan_qs8 import WORD, Bytes, ConvPlanInt8, plan_conv2d_qs8, takes_int8
from cnml.kernels.conv_shape import Conv2dShape
from cnml.kernels.depthwise_plan_qs8 import MOST_TAPS, DepthwisePlanInt8, pack_depthwise_ends_qs8, pack_depthwise_qs8, plan_depthwise_qs8
from cnml.kernels.sparse_choice_qs8 import SparseChoiceInt8, choose_sparse_qs8, rows_run_sparse
from cnml.kernels.sparse_pack_qs8 import live_words, pack_sparse_ends_qs8, pack_sparse_qs8
from cnml.kernels.sparse_plan_qs8 import SparsePlanInt8, SparseTile, plan_sparse_qs8
from cnml.kernels.sparse_rows_pack_qs8 import pack_rows_qs8
from cnml.kernels.winograd_pack_qs8 import pack_winograd_ends_qs8, pack_winograd_qs8
from cnml.kernels.winograd_plan_f32 import WinogradPlan
from cnml.kernels.winograd_plan_qs8 import chooses_winograd_qs8, plan_winograd_qs8, winograd_cost_qs8
from cnml.operator import Operator
from cnml.ops.convolution import Convolution
from cnml.ops.inner_product import InnerProduct
from cnml.quantization import INT8_LIMIT, quantize
from cnml.reference.codes import decode, encode
from cnml.reference.convolution_int8 import convolution_sums, end_convolution
from cnml.reference.half import round_half
from cnml.tensor import Layout, Shape, Tensor

#: ranges may be cut for the sake of smaller weights, but not to a quarter
MOST_CUT = 4.0
#: kinds of what is added, as in `cnml.ukernels.conv_qs8`
NOTHING, CODES, FLOATS = range(3)


class ConvolutionInt8(Operator):
    """y = activation(factor * (integer convolution of the codes) + bias + what is added), float32 or codes again.

    Parameters
    ----------
    source : Convolution or InnerProduct
        With `int8`; an inner product is a convolution with a kernel as large as the image.
    codes : Codes or None
        Of the result; None for float32.
    added : Codes or None
        Of the second input of a source with a sum; None for float32.
    """

    kind = "ConvolutionInt8"
    results = "computed"
    value_inputs = 0
    strided_input = True

    def __init__(self, source: Convolution | InnerProduct, codes: Codes | None = None, added: Codes | None = None):
        super().__init__(source.name)
        if source.int8 is None:
            raise ValueError(f"failed to make {source.kind} '{source.name}' compute in INT8: nothing says how its input and weights are quantized")
        self.source, self.codes, self.added, self.int8 = source, codes, added, source.int8
        self.residual = isinstance(source, Convolution) and source.residual
        self.strided_output = isinstance(source, Convolution)  # type: ignore[misc]

    def image(self, shape: Shape) -> Conv2dShape | None:
        """The geometry for an input of `shape`, if the kernels can run it."""
        return int8_image(self.source, shape)

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """As in floats."""
        expect(self.image(inputs[0]) is not None, self, f"input {inputs[0]}", "INT8 kernels take images, and groups of whole words of four channels")
        return self.source.reshape(inputs, parameters)

    # ---- numbers ----------------------------------------------------------------------------------------------------------------------------

    def weight_codes(self, arrays: Sequence[np.ndarray], image: Conv2dShape) -> np.ndarray:
        """(O, C / group, KH, KW) int8.

        Raises
        ------
        CnmlError
            The parameters were made for other weights: they would cut off more than `MOST_CUT` allows.
        """
        w = arrays[0].T if isinstance(self.source, InnerProduct) and self.source.transpose else arrays[0]
        most = np.abs(w.reshape(len(w), -1)).max(1, initial=0)
        held = np.broadcast_to(np.ldexp(INT8_LIMIT / np.asarray(self.int8.weights.scale, np.float64), self.int8.weights.position), most.shape)
        worst = int(np.argmax(most / held))
        expect(most[worst] <= MOST_CUT * held[worst], self, f"weights up to {most[worst]:.4g} in output {worst} and a position and scale that hold "
               f"{held[worst]:.4g}", "the prototxt was quantized for other weights; quantize the net again with these")
        return quantize(w, self.int8.weights).reshape(image.outputs, image.channels // image.group, *image.kernel)

    def ends(self, arrays: Sequence[np.ndarray], codes: np.ndarray, half: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What becomes of the sums of an output channel: int32 start, float32 factor and bias.

        Parameters
        ----------
        arrays : sequence of ndarray
            The node's parameters.
        codes : (O, ...) int8 ndarray
            Of the weights.
        half : bool
            The bias is a half.
        """
        source, outputs = self.source, len(codes)
        has_bias = source.geometry.bias if isinstance(source, Convolution) else source.bias
        n, unit = 2 if has_bias else 1, self.codes.unit if self.codes else 1.0
        factor, shift = fold_affine(source.folds, arrays[n:], outputs)
        bias = shift + (np.asarray(arrays[1], np.float64).reshape(-1) * factor if has_bias else 0.0)
        position, scale = (np.broadcast_to(np.asarray(v), (outputs,)) for v in self.int8.weights)
        weight_units = np.ldexp(1.0 / np.asarray(scale, np.float32).astype(np.float64), np.asarray(position, np.int64))
        if half:
            bias = round_half(np.asarray(bias, np.float32)).astype(np.float64)
        starts = -self.int8.data.zero * codes.reshape(outputs, -1).sum(1, dtype=np.int64)
        return (starts.astype(np.int32), (self.int8.data.unit * weight_units * factor / unit).astype(np.float32), (bias / unit).astype(np.float32))

    def ending(self) -> Activation:
        """The activation in units of the result."""
        a = self.source.activation
        if a.kind != "clip" or self.codes is None:
            return a
        return Activation("clip", float(np.float32(a.a / self.codes.unit)), float(np.float32(a.b / self.codes.unit)))

    def _add_factor(self) -> float:
        unit = self.codes.unit if self.codes else 1.0
        return float(np.float32((self.added.unit if self.added else 1.0) / unit))

    # ---- definition -------------------------------------------------------------------------------------------------------------------------

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """Whole numbers up to the sums, float32 from there on, see `cnml.reference.convolution_int8`."""
        return [self._define(inputs, parameters, False)]

    def reference_half(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """With a bias in half precision, and so the result."""
        y = self._define(inputs, parameters, True)
        return [y if self.codes else round_half(y)]

    def _define(self, inputs: list[np.ndarray], parameters: list[np.ndarray], half: bool) -> np.ndarray:
        x = inputs[0]
        s = self.image(x.shape)
        assert s is not None
        w = self.weight_codes(parameters, s)
        starts, factors, biases = self.ends(parameters, w, half)
        codes = x.reshape(s.batch, s.channels, s.height, s.width).transpose(0, 2, 3, 1)
        sums = convolution_sums(codes, w, self.int8.data.zero, starts, s.out, s.stride, s.pad, s.dilation, s.group)
        more = None
        if self.residual:
            more = decode(inputs[1], self.added.zero) if self.added else np.asarray(inputs[1], np.float32)
            more = more.transpose(0, 2, 3, 1)
        t = end_convolution(sums, factors, biases, more, self._add_factor()).transpose(0, 3, 1, 2)
        a = self.ending()
        t = np.asarray(a._replace(a=np.float32(a.a), b=np.float32(a.b)).apply(t), np.float32)
        t = t.reshape(self.source.reshape([x.shape, *(i.shape for i in inputs[1:])], [p.shape for p in parameters])[0])
        return encode(t, self.codes.least, self.codes.most, self.codes.zero) if self.codes else t

    # ---- kernels ----------------------------------------------------------------------------------------------------------------------------

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """Images lie channels last."""
        layouts = [Layout.NHWC if len(s) == 4 else Layout.PLAIN for s in shapes]
        return layouts, [Layout.NHWC if isinstance(self.source, Convolution) else Layout.PLAIN]

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """The kernel that skips words of weights, an exact Winograd convolution, or the register tile of byte products."""
        x, y, add = inputs[0], outputs[0], inputs[1] if self.residual else None
        image = self.image(x.shape)
        assert image is not None
        pixels = Bytes(x.pitch or x.width, (y.pitch or y.width) * y.item, (add.pitch or add.width) * add.item if add is not None else 0)
        macs = self.macs([x.shape], [y.shape])
        if is_depthwise(image):
            emit.count(emit.parameters[0], macs)
            self._lower_depthwise(emit, plan_depthwise_qs8(image, pixels, self.int8.data.zero, y.item), x, y)
            return
        plan = plan_conv2d_qs8(image, pixels, self.int8.data.zero)
        why = chooses_winograd_qs8(image, plan.cost)
        words = self._words(emit, image)
        few = rows_run_sparse(image, words, plan.cost)
        sparse = self._choose_sparse(words, image, pixels, plan.cost if why is None else min(plan.cost, winograd_cost_qs8(image)))
        skips = bool(few) or sparse.tile is not None
        emit.count(emit.parameters[0], macs, skipped=min(WORD * (words[1] - words[0]), emit.parameters[0].zeros()) if skips else 0)
        if few:
            self._lower_sparse_rows(emit, pixels, image, x, add, y)
            emit.note(f"{emit.notes}, {few}")
            return
        if sparse.tile is not None:
            self._lower_sparse(emit, plan_sparse_qs8(image, pixels, self.int8.data.zero, sparse.tile), image, x, add, y)
            emit.note(f"{emit.notes}, {sparse.reason}")
            return
        if why is not None:
            exact = plan_winograd_qs8(image, pixels, self.int8.data.zero)
            self._lower_winograd(emit, exact._replace(reason=f"{exact.reason}, {why}"), image, x, add, y)
        else:
            self._lower_direct(emit, plan, image, x, add, y)
        if sparse.reason:
            emit.note(f"{emit.notes}, {sparse.reason}")

    def _lower_direct(self, emit: Emitter, plan: ConvPlanInt8, image: Conv2dShape, x: Tensor, add: Tensor | None, y: Tensor) -> None:
        def pack(*arrays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            codes = self.weight_codes(arrays, image)
            return pack_weights_qs8(plan, codes, image.group), pack_ends_qs8(plan, *self.ends(arrays, codes, emit.half), group=image.group)
        key = ("conv2d int8", plan.nr, image.kernel, image.group, self.int8, self.codes, self.source.folds, emit.half)
        weights, ends = emit.packed(key, pack, *emit.parameters)
        emit.call(f"conv2d_nhwc_qs8_{self._result()}_{plan.tile.mr}x{plan.nr}", x, weights, ends, add, y, plan.table,
                  emit.scratch(plan.scratch_bytes), *self._end(emit), len(ends) // 3, *self._more(add))
        emit.note(plan.reason)

    def _words(self, emit: Emitter, image: Conv2dShape) -> tuple[int, int]:
        """Words of four input channels with weights other than zero, and all words; counted once per version of the weights."""
        def count(w: np.ndarray) -> tuple[int, int]:
            rows = w.T if isinstance(self.source, InnerProduct) and self.source.transpose else w
            return live_words(rows.reshape(image.outputs, image.channels // image.group, *image.kernel))
        words: tuple[int, int] = emit.packed(("live words", image.kernel), count, emit.parameters[0])
        return words

    def _choose_sparse(self, words: tuple[int, int], image: Conv2dShape, pixels: Bytes, cost: float) -> SparseChoiceInt8:
        dense_input = pixels.x == -(-image.channels // WORD) * WORD
        return choose_sparse_qs8(image, words, cost, dense_input=dense_input, net=self.source.sparse)

    def _lower_sparse(self, emit: Emitter, plan: SparsePlanInt8, image: Conv2dShape, x: Tensor, add: Tensor | None, y: Tensor) -> None:
        def pack(*arrays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            codes = self.weight_codes(arrays, image)
            return pack_sparse_qs8(plan, codes, image.group), pack_sparse_ends_qs8(plan, *self.ends(arrays, codes, emit.half), y.item, image.group)
        key = ("sparse int8", plan.nr, plan.tile, image.kernel, image.group, self.int8, self.codes, self.source.folds, emit.half)
        weights, ends = emit.packed(key, pack, *emit.parameters)
        emit.call("sparse_nhwc_qs8", x, weights, ends, add, y, plan.table, emit.scratch(plan.scratch_bytes), *self._end(emit), len(ends) // 3,
                  *self._more(add), y.item)
        emit.note(plan.reason)

    def _lower_sparse_rows(self, emit: Emitter, pixels: Bytes, image: Conv2dShape, x: Tensor, add: Tensor | None, y: Tensor) -> None:
        plan = plan_sparse_qs8(image, pixels, self.int8.data.zero, SparseTile(1))

        def pack(*arrays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            codes = self.weight_codes(arrays, image)
            return pack_rows_qs8(plan, codes, pixels.x), pack_sparse_ends_qs8(plan, *self.ends(arrays, codes, emit.half), y.item)
        key = ("sparse rows int8", plan.nr, pixels.x, image.kernel, self.int8, self.codes, self.source.folds, emit.half)
        weights, ends = emit.packed(key, pack, *emit.parameters)
        emit.call("sparse_rows_qs8", x, weights, ends, add, y, plan.table, emit.scratch(plan.scratch_bytes), *self._end(emit), len(ends) // 3,
                  *self._more(add), y.item, pixels.x * image.height * image.width)
        emit.note(f"sparse rows int8, {isa().name}: lists of {isa().lanes} words")

    def _lower_winograd(self, emit: Emitter, plan: WinogradPlan, image: Conv2dShape, x: Tensor, add: Tensor | None, y: Tensor) -> None:
        """Products of transformed windows, in one or two instructions."""
        def pack(*arrays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            codes = self.weight_codes(arrays, image)
            return pack_winograd_qs8(plan, codes), pack_winograd_ends_qs8(plan, *self.ends(arrays, codes, emit.half)[1:])
        key = ("winograd int8", plan.blocks, self.int8, self.codes, self.source.folds, emit.half)
        weights, ends = emit.packed(key, pack, *emit.parameters)
        for step in plan.steps:
            emit.call(f"{plan.kernel}_{self._result()}", x, weights, ends, add, y, plan.table, emit.scratch(plan.scratch_bytes), *self._end(emit),
                      step, *self._more(add), len(ends) // 2)
        emit.note(plan.reason)

    def _result(self) -> str:
        return "x8" if self.codes else "f32"

    def _more(self, add: Tensor | None) -> tuple[int | float, ...]:
        """Kind, factor and code of 0 of what is added, smallest and largest result and its code of 0."""
        kind = NOTHING if add is None else CODES if self.added else FLOATS
        codes = self.codes or Codes(1.0)
        return kind, self._add_factor(), self.added.zero if self.added else 0, float(codes.least), float(codes.most), codes.zero

    def _lower_depthwise(self, emit: Emitter, plan: DepthwisePlanInt8, x: Tensor, y: Tensor) -> None:
        def pack(*arrays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            codes = self.weight_codes(arrays, plan.shape)
            return pack_depthwise_qs8(plan, codes), pack_depthwise_ends_qs8(plan, *self.ends(arrays, codes, emit.half))
        key = ("depthwise int8", plan.blocks, plan.lined, plan.shape.kernel, self.int8, self.codes, self.source.folds, emit.half)
        weights, ends = emit.packed(key, pack, *emit.parameters)
        codes = self.codes or Codes(1.0)
        emit.call(plan.kernel, x, weights, ends, y, plan.table, emit.scratch(plan.scratch_bytes), *self._end(emit), float(codes.least),
                  float(codes.most), codes.zero)
        emit.note(plan.reason)

    def _end(self, emit: Emitter) -> tuple[int, float, float]:
        return self.ending().words() if self.codes else emit.ending(self.ending())

    def macs(self, inputs: list[Shape], outputs: list[Shape]) -> int:
        """As in floats."""
        return self.source.macs(inputs, outputs)


def int8_image(source: Convolution | InnerProduct, shape: Shape) -> Conv2dShape | None:
    """The two-dimensional convolution that an operator is for an input of `shape`, if the INT8 kernels can run it."""
    if isinstance(source, Convolution):
        image = source.image_shape(shape)
        if image is not None and is_depthwise(image):
            return image if not source.residual and prod(image.kernel) <= MOST_TAPS else None
    else:
        if source.axis != 1 or len(shape) not in (2, 4) or not prod(shape):
            return None
        n, c, h, w = (*shape, 1, 1)[:4]
        image = Conv2dShape(n, c, h, w, source.num_output, (h, w), (1, 1), (0, 0))
    return image if image is not None and takes_int8(image) else None


def is_depthwise(image: Conv2dShape) -> bool:
    """Whether every channel has a group and an output of its own."""
    return image.group == image.channels == image.outputs > 1
