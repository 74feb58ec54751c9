"""Inner product of rows with a weight matrix."""
from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from cnml.codes import LayerCodes
from cnml.emitter import Emitter
from cnml.epilogue import Activation, Fold, fold_affine
from cnml.errors import expect
from cnml.kernels.inner_product_f32 import pack_inner_product_f32, plan_inner_product
from cnml.kernels.sparse_choice import inner_runs_sparse
from cnml.kernels.sparse_inner_pack_f32 import pack_sparse_inner_f32, plan_sparse_inner
from cnml.operator import Operator
from cnml.reference.half import round_half
from cnml.reference.inner_product import inner_product
from cnml.tensor import Layout, Shape, Tensor


class InnerProduct(Operator):
    """y = x wᵀ + bias over everything from `axis` on. Parameters: weights (N, K) or, with `transpose`, (K, N); bias (N,) if any; then those of the
    folds.

    Parameters
    ----------
    num_output : int
    axis : int
        Canonical; the axes from here on are the row.
    bias, transpose : bool
    name : str
    folds : tuple of Fold
    activation : Activation
    ahead : tuple of Fold
        Affine steps per channel (axis 1) of the input before the product.
    int8 : LayerCodes, optional
        How it computes in INT8, where the graph does.
    sparse : bool
        Whether the net asks for a kernel that skips weights of zero.
    """

    kind = "InnerProduct"

    def __init__(self, num_output: int, axis: int = 1, bias: bool = True, transpose: bool = False, name: str = "", folds: tuple[Fold, ...] = (),
                 activation: Activation = Activation(), ahead: tuple[Fold, ...] = (), int8: LayerCodes | None = None,
                 sparse: bool = False):
        super().__init__(name)
        self.sparse = sparse
        self.num_output, self.axis, self.bias, self.transpose = num_output, axis, bias, transpose
        self.folds, self.activation, self.ahead, self.int8 = folds, activation, ahead, int8

    def fused(self, fold: Fold | None = None, activation: Activation | None = None, name: str | None = None) -> InnerProduct:
        """This operator with one more step behind it."""
        return type(self)(self.num_output, self.axis, self.bias, self.transpose, self.name if name is None else name,
                          (*self.folds, fold) if fold else self.folds, activation or self.activation, self.ahead, self.int8, self.sparse)

    def preceded(self, folds: tuple[Fold, ...], name: str) -> InnerProduct:
        """This operator with affine steps before it."""
        return type(self)(self.num_output, self.axis, self.bias, self.transpose, name, self.folds, self.activation, folds, self.int8, self.sparse)

    def in_floats(self) -> InnerProduct:
        """This operator without INT8."""
        return type(self)(self.num_output, self.axis, self.bias, self.transpose, self.name, self.folds, self.activation, self.ahead,
                          sparse=self.sparse)

    def takes_fold_ahead(self, shape: Shape, folds: tuple[Fold, ...]) -> bool:
        """Whether affine steps per channel of an input of `shape` can go into the weights."""
        return self.axis == 1 and not self.ahead and shape[1] > 0 and self.int8 is None

    def takes_folds(self, shape: Shape) -> bool:
        """Whether steps along axis 1 of an output of `shape` are along its columns."""
        return self.axis == 1 and len(shape) == 2

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """The leading axes and num_output."""
        shape = inputs[0]
        k = prod(shape[self.axis:])
        want = (k, self.num_output) if self.transpose else (self.num_output, k)
        expect(tuple(parameters[0]) == want, self, f"input {shape} and weights {tuple(parameters[0])}",
               f"the input gives {k} values a row, so the weights must have the shape {want}; another input size in front of an InnerProduct needs "
               f"other weights")
        return [(*shape[:self.axis], self.num_output)]

    def folded(self, arrays: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray | None]:
        """Weights (N, K) and bias with the affine steps in them."""
        n = 2 if self.bias else 1
        w, b = arrays[0].T if self.transpose else arrays[0], arrays[1] if self.bias else None
        if self.ahead:
            w, b = self._after_ahead(w, b, arrays[-sum(f.parameters for f in self.ahead):])
        if not self.folds:
            return w, b
        factor, shift = fold_affine(self.folds, arrays[n:], self.num_output)
        b = shift if b is None else np.asarray(b, np.float64).reshape(-1) * factor + shift
        return np.asarray(w, np.float64) * factor[:, None], b

    def _after_ahead(self, w: np.ndarray, b: np.ndarray | None, arrays: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Weights and bias with the affine steps before the product in them; how many channels there are shows in the steps' parameters."""
        channels = max(np.size(a) for a in arrays)
        factor, shift = fold_affine(self.ahead, arrays, channels)
        by_channel = np.asarray(w, np.float64).reshape(w.shape[0], channels, -1)
        more = np.einsum("ncs,c->n", by_channel, shift)
        return (by_channel * factor[:, None]).reshape(w.shape), more if b is None else np.asarray(b, np.float64).reshape(-1) + more

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.inner_product`."""
        return [self._apply(inputs[0], *self.folded(parameters))]

    def reference_half(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """With weights in half precision, also after steps were folded into them."""
        w, b = self.folded([round_half(parameters[0]), *parameters[1:]])
        return [round_half(self._apply(inputs[0], round_half(w), b))]

    def _apply(self, x: np.ndarray, w: np.ndarray, b: np.ndarray | None) -> np.ndarray:
        lead = x.shape[:self.axis]
        y = inner_product(x.reshape(prod(lead), -1) if x.size else np.zeros((prod(lead), w.shape[1])), w, None if b is None else np.reshape(b, -1))
        return self.activation.apply(y.reshape(*lead, self.num_output))

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """An image is taken as it lies: the weights are packed in its order."""
        return [given[0] if self.axis == 1 else Layout.PLAIN], [Layout.PLAIN]

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """A 1 x 1 convolution over a line of rows, or output by output without the weights that are zero."""
        x, y, weights = inputs[0], outputs[0], emit.parameters[0]
        m, k = prod(x.shape[:self.axis]), prod(x.shape[self.axis:])
        image = x.shape[1:] if x.layout is Layout.NHWC else None
        why = inner_runs_sparse(m, k, self.num_output, weights.zeros(), self.sparse, emit.item)
        emit.count(weights, self.macs([x.shape], [y.shape]), skips=bool(why))
        if why:
            self._lower_sparse(emit, x, y, image, (m, k), why)
            return
        plan = plan_inner_product(m, k, self.num_output)

        def pack(*arrays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            return pack_inner_product_f32(plan, *self._in_order(arrays, image))
        packed, bias = emit.packed_weights(("inner_product", plan.nr, self.transpose, image, self.folds, self.ahead), pack, *emit.parameters)
        emit.call(emit.stored(plan.kernel), x, packed, bias, None, y, plan.table, emit.scratch(plan.scratch_bytes), *emit.ending(self.activation))
        emit.note(plan.reason)

    def _in_order(self, arrays: Sequence[np.ndarray], image: Shape | None) -> tuple[np.ndarray, np.ndarray | None]:
        """`folded`, with the columns as the values of a channels-last image lie."""
        weights, bias = self.folded(arrays)
        if image is not None:
            weights = weights.reshape(-1, *image).transpose(0, 2, 3, 1).reshape(self.num_output, -1)
        return weights, bias

    def _lower_sparse(self, emit: Emitter, x: Tensor, y: Tensor, image: Shape | None, size: tuple[int, int], why: str) -> None:
        plan = plan_sparse_inner(*size, self.num_output)

        def pack(*arrays: np.ndarray) -> tuple[np.ndarray, ...]:
            return pack_sparse_inner_f32(*self._in_order(arrays, image))
        values, bias, places, starts = emit.packed_weights(("sparse inner", self.transpose, image, self.folds, self.ahead), pack, *emit.parameters)
        emit.call(emit.stored(plan.kernel), x, values, bias, None, y, plan.table, emit.scratch(plan.scratch_bytes), *emit.ending(self.activation),
                  places, starts)
        emit.note(f"{plan.reason}, {emit.parameters[0].zeros() / emit.parameters[0].array.size:.0%} zeros, {why}")

    def macs(self, inputs: list[Shape], outputs: list[Shape]) -> int:
        """Input elements x num_output."""
        return prod(inputs[0]) * self.num_output
