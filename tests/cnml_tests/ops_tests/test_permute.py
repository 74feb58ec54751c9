"""Permute: kernel against reference, and the orders that cost nothing."""
from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from cnml_tests.compiled import check_operator, run_graph

from cnml.errors import CnmlError
from cnml.executable import Executable
from cnml.graph import Graph
from cnml.ops.permute import Permute, merged_axes
from cnml.tensor import Layout
from cnrt.device import current_device


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_four_axes(order, rng):
    check_operator(Permute(order), [rng.standard_normal((2, 6, 5, 4))], rtol=0, atol=0)


@pytest.mark.parametrize(("order", "shape"), [((1, 0), (70, 33)), ((0, 2, 1), (3, 70, 33)), ((2, 1, 0), (3, 1, 5)),
                                              ((0, 2, 4, 1, 3), (2, 3, 4, 5, 6)),
                                              ((5, 4, 3, 2, 1, 0), (2, 3, 2, 3, 2, 3)), ((0, 1, 2), (2, 3, 4))])
def test_other_numbers_of_axes(order, shape, rng):
    check_operator(Permute(order), [rng.standard_normal(shape)], rtol=0, atol=0)


def test_seven_axes_that_do_not_merge_run_on_the_host(rng):
    check_operator(Permute((6, 5, 4, 3, 2, 1, 0)), [rng.standard_normal((2,) * 7)], rtol=0, atol=0)


def test_neighbours_merge():
    assert merged_axes((2, 3, 4, 5), (0, 2, 3, 1)) == ([2, 20, 3], [60, 1, 20])
    assert merged_axes((1, 3, 1, 1), (3, 2, 1, 0)) == ([3], [1])
    assert merged_axes((1, 1), (1, 0)) == ([1], [1])


def test_channels_last_of_an_nhwc_tensor_is_no_copy(rng):
    """SSD permutes every head to (0, 2, 3, 1): between NHWC operators that must cost no instruction."""
    graph = Graph()
    x = graph.input((2, 6, 5, 4), "x")
    back = graph.add(Permute((0, 3, 1, 2)), graph.add(Permute((0, 2, 3, 1)), [x]))[0]
    value = rng.standard_normal((2, 6, 5, 4)).astype(np.float32)
    np.testing.assert_array_equal(run_graph(graph, {x: value}, [back])[0], value)
    device = current_device()
    memory = device.malloc(x.nbytes)
    executable = Executable(graph, [back], {x: memory}, lambda t: None, device)
    assert [n.op.kind for n in executable.nodes] == ["ConvertLayout"]
    assert back.layout is Layout.NHWC


def test_bad_order_is_refused():
    with pytest.raises(CnmlError, match="each of the axes"):
        Permute((0, 0, 1)).reshape([(2, 3, 4)], [])
