from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.compiled import check_operator, parameters

from cnml.errors import CnmlError
from cnml.graph import Graph
from cnml.ops.convolution import ConvolutionGeometry
from cnml.ops.deconvolution import Deconvolution

CASES = {
    "upsample": ((2, 6, 4, 5), 6, (4, 4), (2, 2), (1, 1), (1, 1), 6),
    "plain": ((1, 8, 5, 5), 20, (3, 3), (1, 1), (0, 0), (1, 1), 1),
    "gaps": ((1, 4, 3, 4), 3, (2, 2), (3, 3), (0, 0), (1, 1), 1),
    "dilated": ((1, 4, 5, 4), 6, (3, 2), (2, 1), (1, 1), (2, 2), 2),
    "one dimension": ((2, 4, 7), 6, (3,), (2,), (1,), (1,), 1),
}


@pytest.mark.parametrize("case", CASES)
def test_against_the_reference(rng, case):
    shape, outputs, kernel, stride, pad, dilation, group = CASES[case]
    op = Deconvolution(ConvolutionGeometry(outputs, kernel, stride, pad, pad, dilation, group), case)
    check_operator(op, [rng.standard_normal(shape)], [rng.standard_normal((shape[1], outputs // group, *kernel)), rng.standard_normal(outputs)],
                   rtol=1e-4, atol=1e-4)


def test_refuses_an_empty_output():
    graph = Graph()
    op = Deconvolution(ConvolutionGeometry(2, (1, 1), (1, 1), (3, 3), (3, 3), (1, 1)), "d")
    with pytest.raises(CnmlError, match="must be positive"):
        graph.add(op, [graph.input((1, 4, 3, 3), "x")], parameters(np.zeros((4, 2, 1, 1)), np.zeros(2)))
