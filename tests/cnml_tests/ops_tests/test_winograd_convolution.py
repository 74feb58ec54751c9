"""Convolutions through the compiler with every size of Winograd tile: folds, activations, residual sums, layouts and task counts."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.compiled import check_operator

from cnml.epilogue import Activation, Fold
from cnml.ops.convolution import Convolution, ConvolutionGeometry


@pytest.fixture(params=["winograd2", "winograd4", "winograd6"], autouse=True)
def forced(request, monkeypatch):
    monkeypatch.setenv("PYCAFFE_ACC_CONV", request.param)


def convolution(kernel, pad, **changes):
    return Convolution(ConvolutionGeometry(40, kernel, (1, 1), pad, pad, (1, 1), 2), "c", **changes)


@pytest.mark.parametrize(("kernel", "pad"), [((3, 3), (1, 1)), ((5, 5), (2, 2)), ((1, 7), (0, 3)), ((7, 1), (3, 0)), ((1, 3), (0, 1)),
                                             ((3, 1), (0, 0))])
def test_against_the_reference(rng, kernel, pad):
    op = convolution(kernel, pad, folds=(Fold("batch_norm", 3, 1e-5), Fold("scale", 2)), activation=Activation("relu", 0.1))
    params = [rng.standard_normal((40, 20, *kernel)) / np.sqrt(20 * kernel[0] * kernel[1]), rng.standard_normal(40), rng.standard_normal(40),
              rng.uniform(0.5, 2, 40), np.array([2.0]), rng.standard_normal(40), rng.standard_normal(40)]
    check_operator(op, [rng.standard_normal((2, 40, 11, 9))], params, rtol=0, atol=2e-4)


def test_residual_sum(rng):
    op = convolution((3, 3), (1, 1)).fused(residual=True).fused(activation=Activation("relu"))
    x, other = rng.standard_normal((2, 2, 40, 11, 9))
    check_operator(op, [x, other], [rng.standard_normal((40, 20, 3, 3)) / 13, rng.standard_normal(40)], rtol=0, atol=1e-4)
