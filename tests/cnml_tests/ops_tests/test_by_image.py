"""A run of operators that goes through the kernels image by image."""
from __future__ import annotations

import pytest
from cnml_tests.compiled import check_half, check_operator, parameters

from cnml.emitter import Emitter
from cnml.epilogue import Activation
from cnml.errors import CnmlError
from cnml.graph import Graph, Node
from cnml.ops.by_image import ByImage, Step
from cnml.ops.convolution import Convolution, ConvolutionGeometry
from cnml.ops.pool import Pool
from cnml.ops.separable import SeparableConvolution
from cnml.ops.unary import Unary
from cnml.tensor import Layout, Tensor


def conv(outputs, kernel=3, group=1, residual=False, stride=1):
    pad = kernel // 2
    geometry = ConvolutionGeometry(outputs, (kernel, kernel), (stride, stride), (pad, pad), (pad, pad), (1, 1), group)
    return Convolution(geometry, f"conv{outputs}", activation=Activation("relu"), residual=residual)


def weights(rng, op, channels):
    g = op.geometry
    return [rng.standard_normal((g.num_output, channels // g.group, *g.kernel)) / channels, rng.standard_normal(g.num_output)]


def block(rng):
    """Few channels in, a pool, a residual block, a pair of convolutions: (operator, parameters)."""
    stem, main, last, dw, pw = conv(24), conv(24), conv(24, residual=True), conv(24, group=24), conv(40, 1)
    steps = [Step(stem, (0,), 2, (24, 12, 10)), Step(Pool("MAX", (2, 2), (2, 2)), (1,), 0, (24, 6, 5)), Step(main, (2,), 2, (24, 6, 5)),
             Step(last, (3, 2), 2, (24, 6, 5)), Step(SeparableConvolution(dw, pw, 2, "pair"), (4,), 4, (40, 6, 5))]
    arrays = [*weights(rng, stem, 3), *weights(rng, main, 24), *weights(rng, last, 24), *weights(rng, dw, 24), *weights(rng, pw, 24)]
    return ByImage(steps, 1, "run"), arrays


@pytest.mark.parametrize("images", [1, 2, 5])
def test_a_residual_block(rng, images):
    op, arrays = block(rng)
    check_operator(op, [rng.standard_normal((images, 3, 12, 10))], arrays, 1e-4, 1e-4)


def test_half(rng):
    op, arrays = block(rng)
    check_half(op, [rng.standard_normal((3, 3, 12, 10))], arrays, 5e-3)


def test_two_inputs_in_two_layouts(rng):
    """A first convolution reads Caffe's order where that is how its input lies, and the other input is of another size."""
    few, last = conv(16, stride=2), conv(16, 1, residual=True)
    op = ByImage([Step(few, (0,), 2, (16, 4, 4)), Step(last, (1, 2), 2, (16, 4, 4))], 2, "two")
    assert op.layouts([Layout.PLAIN] * 2, [(2, 3, 8, 8), (2, 12, 4, 4)]) == [Layout.PLAIN, *[Layout.NHWC] * 3]
    assert op.layouts([Layout.NHWC] * 2, [(2, 3, 8, 8), (2, 12, 4, 4)]) == [Layout.NHWC] * 4
    arrays = [*weights(rng, few, 3), *weights(rng, last, 12)]
    check_operator(op, [rng.standard_normal((2, 3, 8, 8)), rng.standard_normal((2, 12, 4, 4))], arrays, 1e-4, 1e-4)


def test_steps_that_want_a_value_in_two_layouts(rng):
    op = ByImage([Step(conv(16), (0,), 2, (16, 8, 8)), Step(Pool("MAX", (2, 2), (2, 2)), (0,), 0, (3, 4, 4))], 1, "both")
    assert op.layouts([Layout.NHWC], [(2, 3, 8, 8)]) == [Layout.NHWC] * 3
    plain = ByImage([Step(Pool("MAX", (2, 2), (2, 2)), (0,), 0, (3, 4, 4)), Step(conv(16), (1,), 2, (16, 4, 4)),
                     Step(conv(16, residual=True, stride=2), (0, 2), 2, (16, 4, 4)), Step(Pool("AVE", (8, 8)), (0,), 0, (3, 1, 1))], 1, "agree")
    assert plain.layouts([Layout.PLAIN], [(2, 3, 8, 8)]) == [Layout.PLAIN, Layout.PLAIN, Layout.NHWC, Layout.NHWC, Layout.PLAIN]
    between = ByImage([Step(Pool("MAX", (2, 2), (2, 2)), (0,), 0, (3, 4, 4)), Step(conv(16, group=3), (1,), 2, (15, 4, 4))], 1, "between")
    assert between.layouts([Layout.PLAIN], [(2, 3, 8, 8)]) is None
    with pytest.raises(CnmlError, match="two layouts"):
        between.choose_layouts([Layout.PLAIN], [(2, 3, 8, 8)])


def test_the_table_says_which_kernels_run(rng):
    op, arrays = block(rng)
    emit = Emitter(Node.of(op, [Tensor((2, 3, 12, 10), "x")], parameters(*arrays), [Tensor((2, 40, 6, 5), "y")]))
    emit.node.outputs[0].layout = Layout.NHWC
    op.lower(emit, emit.node.inputs, emit.node.outputs)
    assert [c.kernel for c in emit.calls] == ["by_image"] and len(emit.forms) == 10
    assert emit.notes.startswith("image by image, 5 steps: conv2d_") and "separable_f32" in emit.notes


def test_shapes_are_those_it_was_made_for(rng):
    op, arrays = block(rng)
    assert op.reshape([(7, 3, 12, 10)], [a.shape for a in arrays]) == [(7, 40, 6, 5)]
    with pytest.raises(CnmlError, match="must make"):
        op.reshape([(7, 3, 12, 12)], [a.shape for a in arrays])


def test_operators_on_the_host_are_refused(rng):
    op = ByImage([Step(Pool("STOCHASTIC", (2, 2), (2, 2)), (0,), 0, (3, 4, 4))], 1, "host")
    node = Node.of(op, [Tensor((2, 3, 8, 8), "x")], [], [Tensor((2, 3, 4, 4), "y")])
    with pytest.raises(CnmlError, match="runs on the host"):
        op.lower(Emitter(node), node.inputs, node.outputs)


def test_multiply_accumulates_are_those_of_the_steps(rng):
    op, arrays = block(rng)
    graph = Graph()
    x = graph.input((2, 3, 12, 10), "x")
    stem, *_ = graph.add(op.steps[0].op, [x], parameters(*arrays[:2]))
    assert op.macs([x.shape], [(2, 40, 6, 5)]) > op.steps[0].op.macs([x.shape], [stem.shape]) == 2 * 24 * 120 * 27
    assert ByImage([Step(Unary("relu", 0.0), (0,), 0, (3, 12, 10))], 1).macs([x.shape], [x.shape]) == 0
