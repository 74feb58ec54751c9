"""One or two uses of every operator that a program may hold."""
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from cnml.epilogue import Activation, Fold
from cnml.offline.operator_table import OPERATORS
from cnml.operator import Operator
from cnml.ops.convolution import ConvolutionGeometry
from cnml.ops.interp import InterpSize
from cnml.ops.unpooling import UnPoolingWindow
from cnml.reference.prior_box import PriorBoxOptions
from cnml.tensor import Shape

RELU = Activation("relu", 0.125)
IMAGE = (2, 16, 6, 5)


class Case(NamedTuple):
    """An operator, and the shapes of what it takes."""

    op: Operator
    inputs: tuple[Shape, ...] = (IMAGE,)
    parameters: tuple[Shape, ...] = ()

    def values(self, rng: np.random.Generator) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Inputs and parameters that every operator can take."""
        inputs = [rng.standard_normal(s).astype(np.float32) for s in self.inputs]
        if type(self.op).__name__ == "UpsampleMask":
            inputs[1] = np.arange(inputs[1].size, dtype=np.float32).reshape(inputs[1].shape) % 30
        return inputs, [np.abs(rng.standard_normal(s)).astype(np.float32) + np.float32(0.5) for s in self.parameters]


def op(name: str, *args: Any, **kwargs: Any) -> Operator:
    """An operator by its name in programs."""
    return OPERATORS[name].cls(*args, name=f"a {name}", **kwargs)


def geometry(outputs: int, kernel: int, axes: int = 2, group: int = 1, pad: int = 0, **other: Any) -> ConvolutionGeometry:
    """A convolution with equal numbers along every axis."""
    return ConvolutionGeometry(outputs, (kernel,) * axes, (1,) * axes, (pad,) * axes, (pad,) * axes, (1,) * axes, group, **other)


PRIORS = PriorBoxOptions((30.0,), (60.0,), (1.0, 2.0, 0.5), (0.1, 0.1, 0.2, 0.2), clip=True)
CASES = (
    Case(op("ArgMax", 2, 1)),
    Case(op("ArgMax", 3, None, True)),
    Case(op("Arithmetic", "sub"), (IMAGE, IMAGE)),
    Case(op("Axpy"), ((2, 16), IMAGE, IMAGE)),
    Case(op("BatchNorm", 1e-5, True, activation=RELU), parameters=((16,), (16,), (1,))),
    Case(op("Bias", 1, 1), parameters=((16,),)),
    Case(op("CRelu", 1, 0.5)),
    Case(op("ChannelAffine", 1e-3), parameters=((1, 16, 1, 1),) * 4),
    Case(op("ChannelArithmetic", "mul"), (IMAGE, (2, 16))),
    Case(op("Concat", 1), (IMAGE, (2, 3, 6, 5))),
    Case(op("Convolution", geometry(32, 3, pad=1)), parameters=((32, 16, 3, 3), (32,))),
    Case(op("Convolution", geometry(8, 1, group=2, bias=False), activation=Activation("clip", 0.0, 6.0)), parameters=((8, 8, 1, 1),)),
    Case(op("Convolution", geometry(8, 3, axes=1, axis=2)), ((2, 3, 4, 9),), ((8, 4, 3), (8,))),
    Case(op("Convolution", geometry(16, 3), folds=(Fold("batch_norm", 3, 1e-5), Fold("scale", 2)), ahead=(Fold("scale", 1),)),
         parameters=((16, 16, 3, 3), (16,), (16,), (16,), (1,), (16,), (16,), (16,))),
    Case(op("Convolution", geometry(16, 1, bias=False), residual=True), (IMAGE, IMAGE), ((16, 16, 1, 1),)),
    Case(op("Crop", (0, 2, 1, 0), (2, 9, 4, 5))),
    Case(op("Deconvolution", geometry(6, 2, group=2)), parameters=((16, 3, 2, 2), (6,))),
    Case(op("Eltwise", "SUM", (1.0, -0.5), activation=RELU), (IMAGE, IMAGE)),
    Case(op("Eltwise", "MAX"), (IMAGE,) * 3),
    Case(op("Embed"), ((7,),), ((9, 4), (4,))),
    Case(op("HardSwish")),
    Case(op("InnerProduct", 24), parameters=((24, 480), (24,))),
    Case(op("InnerProduct", 5, 2, False, True), ((3, 2, 7),), ((7, 5),)),
    Case(op("Interp", InterpSize(zoom=2), False)),
    Case(op("LSTM", True, True), ((3, 2, 32), (3, 2), (2, 32), (1, 2, 8), (1, 2, 8)), ((32, 8),)),
    Case(op("LSTMUnit"), ((1, 2, 8), (1, 2, 32), (1, 2))),
    Case(op("Lrn", "ACROSS_CHANNELS", 5, 1e-4, 0.75)),
    Case(op("Lrn", "WITHIN_CHANNEL", 3, 1e-4, 0.75, 2.0)),
    Case(op("MVN", True, True, 1e-9)),
    Case(op("Normalize", False), parameters=((16,),)),
    Case(op("PRelu"), parameters=((16,),)),
    Case(op("Pad", (0, 0, 1, -1), (0, 1, 2, 0), -1.5)),
    Case(op("Permute", (0, 2, 3, 1))),
    Case(op("Permute", (1, 0, 3, 2))),
    Case(op("Pool", "MAX", (3, 3), (2, 2), (1, 1))),
    Case(op("Pool", "AVE", None)),
    Case(op("Pool", "MAX", (2, 2), (2, 2), mask=True)),
    Case(op("PositionScale", np.linspace(0.1, 3.0, 30).reshape(6, 5))),
    Case(op("PriorBox", PRIORS), (IMAGE, (2, 3, 60, 50))),
    Case(op("RNN", False, True), ((3, 2, 8), (3, 2), (1, 2, 8)), ((8, 8), (8, 8), (8,))),
    Case(op("Reduction", 1, "MEAN", 2.0)),
    Case(op("Reverse", 1)),
    Case(op("Scale", 1, 1, True, activation=RELU), parameters=((16,), (16,))),
    Case(op("Scale", 0, 2, False), (IMAGE, (2, 16))),
    Case(op("ShuffleChannel", 4)),
    Case(op("Slice", 1, (3, 13))),
    Case(op("Softmax", 1)),
    Case(op("Sqrt")),
    Case(op("Tile", 1, 3)),
    Case(op("UnPooling", "REP", UnPoolingWindow((2, 2), (2, 2)))),
    Case(op("Unary", "relu", 0.25)),
    Case(op("Unary", "sigmoid")),
    Case(op("Unary", "power", 2.0, 0.5, float("inf"))),
    Case(op("UpsampleMask", 12, 10), (IMAGE, IMAGE)),
    Case(op("UpsampleNearest", 0, 0, 2, 2)),
    Case(op("View", (2, 480))),
    Case(op("View", None, outputs=2)),
    Case(op("YuvToRgb", True, "BGR0"), ((2, 1, 6, 4),)),
)


def label(case: Case) -> str:
    """Test id."""
    return type(case.op).__name__
