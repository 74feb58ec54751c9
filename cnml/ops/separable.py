"""A depthwise convolution and the pointwise one behind it as one operator."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.emitter import Emitter
from cnml.kernels.conv_plan_f32 import ConvPlan, Pixels
from cnml.kernels.separable_plan_f32 import gains_separable, plan_separable, takes_separable
from cnml.operator import Operator
from cnml.ops.convolution import Convolution
from cnml.parameter import Parameter
from cnml.tensor import Layout, Shape, Tensor
from cnrt.function import KernelAddress


class SeparableConvolution(Operator):
    """Parameters: the depthwise convolution's, then the pointwise one's. A second input is added by the latter, if it adds one.

    Parameters
    ----------
    depthwise, pointwise : Convolution
    count : int
        How many of the parameters are the depthwise convolution's.
    name : str
    """

    kind = "SeparableConvolution"
    strided_output = True
    strided_input = True

    def __init__(self, depthwise: Convolution, pointwise: Convolution, count: int, name: str = ""):
        super().__init__(name)
        self.depthwise, self.pointwise, self.count = depthwise, pointwise, count

    @staticmethod
    def gains(depthwise: Convolution, pointwise: Convolution, shape: Shape, between: Shape) -> bool:
        """Whether two operators, from an input of `shape` to one of the shape `between`, can and should be one."""
        first, second = depthwise.image_shape(shape), pointwise.image_shape(between)
        if first is None or second is None or depthwise.residual or any(getattr(op, "int8", None) is not None for op in (depthwise, pointwise)):
            return False
        return takes_separable(first, second) and gains_separable(first, second)

    def _between(self, shape: Shape, parameters: list[Shape]) -> Shape:
        return self.depthwise.reshape([shape], parameters[:self.count])[0]

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """The two rules, one behind the other."""
        return self.pointwise.reshape([self._between(inputs[0], parameters), *inputs[1:]], parameters[self.count:])

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """The two definitions, one behind the other."""
        between = self.depthwise.reference(inputs[:1], parameters[:self.count])
        return self.pointwise.reference([*between, *inputs[1:]], parameters[self.count:])

    def reference_half(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """What lies between the two is rounded too."""
        between = self.depthwise.reference_half(inputs[:1], parameters[:self.count])
        return self.pointwise.reference_half([*between, *inputs[1:]], parameters[self.count:])

    def choose_layouts(self, given: list[Layout], shapes: list[Shape]) -> tuple[list[Layout], list[Layout]]:
        """Channels last."""
        return [Layout.NHWC] * len(given), [Layout.NHWC]

    def lower(self, emit: Emitter, inputs: list[Tensor], outputs: list[Tensor]) -> None:
        """One kernel that calls the two convolutions' kernels on bands of lines."""
        x, y = inputs[0], outputs[0]
        add = inputs[1] if len(inputs) > 1 else None
        first = self.depthwise.image_shape(x.shape)
        between = self._between(x.shape, [p.shape for p in emit.parameters])
        second = self.pointwise.image_shape(between)
        assert first is not None and second is not None
        pixels = Pixels(x.pitch or None, y.pitch or None, add.pitch or None if add is not None else None)
        plan = plan_separable(first, second, pixels=pixels, item=emit.item)
        emit.call("separable_f32", x, *self._half(emit, self.depthwise, plan.depthwise, emit.parameters[:self.count], plan.depthwise_scratch),
                  *self._half(emit, self.pointwise, plan.pointwise, emit.parameters[self.count:], plan.pointwise.scratch_bytes, (add, y)),
                  plan.lines, emit.scratch(plan.scratch_bytes))
        for op, weights, tensors in ((self.depthwise, emit.parameters[0], ([x.shape], [between])),
                                     (self.pointwise, emit.parameters[self.count], ([between], [y.shape]))):
            emit.count(weights, op.macs(*tensors))
        emit.note(f"{plan.lines} lines a band; {plan.depthwise.reason.split(':')[1].split(',')[0].strip()}; {plan.pointwise.reason}")

    @staticmethod
    def _half(emit: Emitter, op: Convolution, plan: ConvPlan, parameters: list[Parameter], scratch: int,
              tensors: tuple[Tensor | None, ...] = ()) -> tuple[object, ...]:
        """The arguments of one of the two convolutions."""
        weights, bias = op.packed(emit, plan, parameters)
        return (weights, bias, *tensors, plan.table, len(plan.table), *emit.ending(op.activation), scratch, KernelAddress(emit.stored(plan.kernel)))

    def macs(self, inputs: list[Shape], outputs: list[Shape]) -> int:
        """Of both."""
        g = self.depthwise.geometry
        n, _, h, w = outputs[0]
        between = (n, g.num_output, h, w)
        return self.depthwise.macs(inputs[:1], [between]) + self.pointwise.macs([between], outputs)
