"""Convolution over any number of spatial axes."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from cnml.epilogue import Activation, Fold, fold_affine
from cnml.errors import expect
from cnml.operator import Operator
from cnml.reference.convolution import convolution
from cnml.tensor import Shape


def truncated(a: int, b: int) -> int:
    """a / b rounded toward zero, as C divides."""
    return -(-a // b) if a < 0 else a // b


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
    """Parameters: weights (O, C/group, kernel…), bias (O,) if any, then those of the folded affine steps.

    Parameters
    ----------
    geometry : ConvolutionGeometry
    name : str
    folds : tuple of Fold
        Affine steps per output channel after the convolution.
    activation : Activation
    """

    kind = "Convolution"

    def __init__(self, geometry: ConvolutionGeometry, name: str = "", folds: tuple[Fold, ...] = (), activation: Activation = Activation()):
        super().__init__(name)
        self.geometry = geometry
        self.folds = folds
        self.activation = activation

    def fused(self, fold: Fold | None = None, activation: Activation | None = None, name: str | None = None) -> Convolution:
        """This operator with one more step behind it."""
        return type(self)(self.geometry, self.name if name is None else name, (*self.folds, fold) if fold else self.folds, activation or self.activation)

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
        expect(all(e > 0 for e in spatial), self, f"input {shape} and kernel {g.kernel}", f"its output would have the spatial extents {spatial}; they must be positive")
        return [(*shape[:g.axis], g.num_output, *spatial)]

    def folded(self, arrays: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray | None]:
        """Weights and bias with the affine steps in them (float64 when there are any)."""
        n = 2 if self.geometry.bias else 1
        w, b = arrays[0], arrays[1] if self.geometry.bias else None
        if not self.folds:
            return w, b
        factor, shift = fold_affine(self.folds, arrays[n:], self.geometry.num_output)
        b = shift if b is None else np.asarray(b, np.float64).reshape(-1) * factor + shift
        return np.asarray(w, np.float64) * factor.reshape(-1, *[1] * (w.ndim - 1)), b

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.convolution`."""
        g = self.geometry
        x = inputs[0]
        w, b = self.folded(parameters)
        out = self.reshape([x.shape], [p.shape for p in parameters])[0]
        y = convolution(x.reshape(prod(x.shape[:g.axis]), *x.shape[g.axis:]), w, b, out[g.axis + 1:], g.stride, g.pad, g.dilation, g.group)
        return [self.activation.apply(y.reshape(out))]

    def macs(self, inputs: list[Shape], outputs: list[Shape]) -> int:
        """Output elements x kernel taps x input channels of a group."""
        g = self.geometry
        return prod(outputs[0]) * prod(g.kernel) * inputs[0][g.axis] // g.group
