"""A depthwise and a pointwise convolution as one operator."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.compiled import check_half, check_operator, run_operator

from cnml.cpu import isa
from cnml.epilogue import Activation, Fold
from cnml.kernels.conv_plan_f32 import Conv2dShape, Pixels
from cnml.kernels.separable_plan_f32 import band_lines, gains_separable, plan_separable, takes_separable
from cnml.ops.convolution import Convolution, ConvolutionGeometry
from cnml.ops.separable import SeparableConvolution

LANES = isa().lanes
RELU = Activation("relu")


def pair(channels, outputs, kernel=(3, 3), stride=(1, 1), pad=(1, 1), activation=RELU, ahead=(), residual=False, bias=True):
    """The operator and the shapes of its weights and biases."""
    first = Convolution(ConvolutionGeometry(channels, kernel, stride, pad, pad, (1, 1), channels, bias=bias), "dw", activation=activation)
    second = Convolution(ConvolutionGeometry(outputs, (1, 1), (1, 1), (0, 0), (0, 0), (1, 1)), "pw", activation=Activation("clip", -1.0, 6.0),
                         residual=residual, ahead=ahead)
    shapes = [(channels, 1, *kernel), *[(channels,)] * bias, (outputs, channels, 1, 1), (outputs,), *[(channels,)] * sum(f.parameters for f in ahead)]
    return SeparableConvolution(first, second, 1 + bias, "dw+pw"), shapes


def arrays(rng, shapes):
    return [rng.standard_normal(s) for s in shapes]


@pytest.mark.parametrize("channels", [2, LANES - 1, LANES, 2 * LANES + 3])
@pytest.mark.parametrize("outputs", [1, 4 * LANES, 4 * LANES + 5])
def test_channels(rng, channels, outputs):
    op, shapes = pair(channels, outputs)
    check_operator(op, [rng.standard_normal((1, channels, 9, 8))], arrays(rng, shapes), 1e-4, 1e-4)


@pytest.mark.parametrize(("kernel", "stride", "pad", "size"), [
    ((3, 3), (2, 2), (1, 1), (14, 15)), ((5, 5), (1, 1), (2, 2), (11, 9)), ((4, 4), (2, 1), (3, 0), (9, 12)), ((1, 3), (3, 2), (0, 1), (10, 10)),
    ((7, 5), (1, 2), (6, 4), (5, 6)), ((3, 3), (1, 1), (1, 1), (1, 1)), ((3, 3), (1, 1), (0, 0), (40, 3))])
def test_geometry_and_images(rng, kernel, stride, pad, size):
    op, shapes = pair(20, 24, kernel, stride, pad)
    check_operator(op, [rng.standard_normal((3, 20, *size))], arrays(rng, shapes), 1e-4, 1e-4)


def test_a_sum_and_steps_before_the_pointwise_convolution(rng):
    op, shapes = pair(20, 24, activation=Activation("relu", 0.1), ahead=(Fold("scale", 2),), residual=True, bias=False)
    check_operator(op, [rng.standard_normal((2, 20, 7, 6)), rng.standard_normal((2, 24, 7, 6))], arrays(rng, [*shapes, (20,)]), 1e-4, 1e-4)


@pytest.mark.parametrize("stride", [1, 2])
def test_half(rng, stride):
    op, shapes = pair(24, 40, stride=(stride, stride))
    check_half(op, [rng.standard_normal((2, 24, 12, 12))], arrays(rng, shapes), 1e-3)


def test_many_bands_give_what_one_gives(rng):
    op, shapes = pair(32, 64)
    x, params = rng.standard_normal((1, 32, 112, 112)).astype(np.float32), [a.astype(np.float32) for a in arrays(rng, shapes)]
    whole = run_operator(op, [x], params)[0]
    for cores in (2, 3):
        np.testing.assert_array_equal(run_operator(op, [x], params, cores=cores)[0], whole)
    between = run_operator(op.depthwise, [x], params[:2])[0]
    np.testing.assert_array_equal(run_operator(op.pointwise, [between], params[2:])[0], whole)


def depthwise(channels, size, stride=1, batch=1):
    return Conv2dShape(batch, channels, size, size, channels, (3, 3), (stride, stride), (1, 1), group=channels)


def pointwise(shape, outputs, **changed):
    return Conv2dShape(shape.batch, shape.outputs, *shape.out, outputs, (1, 1))._replace(**changed)


def test_what_can_be_one():
    first = depthwise(32, 28)
    assert takes_separable(first, pointwise(first, 64))
    assert takes_separable(first, pointwise(first, 64, pad_end=(0, 0)))
    for change in ({"kernel": (3, 3), "pad": (1, 1)}, {"stride": (2, 2)}, {"group": 2}, {"pad": (1, 1)}, {"pad_end": (1, 0)}):
        assert not takes_separable(first, pointwise(first, 64, **change))
    assert not takes_separable(first._replace(dilation=(2, 2)), pointwise(first._replace(dilation=(2, 2)), 64))


def test_what_should_be_one():
    """Enough lines for every processor, and enough pixels for heavy weights."""
    for channels, size, outputs, cpus, yes in ((32, 112, 64, 1, True), (32, 112, 64, 16, True), (32, 112, 64, 17, False), (512, 14, 512, 2, True),
                                               (512, 14, 512, 3, False), (1024, 7, 1024, 1, False), (64, 7, 128, 1, True)):
        first = depthwise(channels, size)
        assert gains_separable(first, pointwise(first, outputs), cpus) is yes, (channels, size, outputs, cpus)
    first = depthwise(64, 7, batch=8)
    assert gains_separable(first, pointwise(first, 64), 8)


def test_bands_fit_the_cache_and_the_tables():
    for size in range(1, 130, 7):
        for channels in (8, 32, 512):
            first = depthwise(channels, size)
            lines = band_lines(first, pointwise(first, 64))
            assert 1 <= lines <= min(16, size) and (lines == 1 or 4 * lines * size * channels <= 400 * 1024)
            plan = plan_separable(first, pointwise(first, 64), pixels=Pixels(channels + 1, 70, 80))
            assert plan.lines == lines and plan.scratch_bytes > plan.depthwise_scratch + plan.pointwise.scratch_bytes + 4 * lines * size * channels
