"""CReLU, ChannelAffine, BatchAffine, ShuffleChannel, Reverse, Sqrt, HardSwish: kernels against references."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.compiled import check_operator, parameters, run_graph

from cnml.errors import CnmlError
from cnml.graph import Graph
from cnml.ops.batch_affine import BatchAffine
from cnml.ops.channel_affine import ChannelAffine
from cnml.ops.convolution import Convolution, ConvolutionGeometry
from cnml.ops.crelu import CRelu
from cnml.ops.hard_swish import HardSwish
from cnml.ops.reverse import Reverse
from cnml.ops.shuffle_channel import ShuffleChannel
from cnml.ops.sqrt import Sqrt


@pytest.mark.parametrize("axis", range(4))
def test_crelu(axis, rng):
    check_operator(CRelu(axis, 0.25), [rng.standard_normal((2, 3, 4, 5))])


def test_crelu_definition():
    assert CRelu().reference([np.array([[1.0, -2.0]])], [])[0].tolist() == [[1, 0, 0, 2]]


@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (4, 3)])
@pytest.mark.parametrize("blobs", [2, 4])
def test_channel_affine(shape, blobs, rng):
    check_operator(ChannelAffine(1e-3), [rng.standard_normal(shape)], [*rng.standard_normal((3, 3)), rng.random(3)][4 - blobs:])


@pytest.mark.parametrize("blobs", [2, 4])
def test_channel_affine_folds_into_a_convolution(blobs, rng):
    graph = Graph()
    x = graph.input((1, 4, 6, 6), "x")
    geometry = ConvolutionGeometry(5, (3, 3), (1, 1), (1, 1), (1, 1), (1, 1))
    weights = [rng.standard_normal((5, 4, 3, 3)), rng.standard_normal(5)]
    own = [*rng.standard_normal((3, 5)), rng.random(5)][4 - blobs:]
    between = graph.add(Convolution(geometry), [x], parameters(*weights))
    y = graph.add(ChannelAffine(1e-3), between, parameters(*own))[0]
    value = rng.standard_normal((1, 4, 6, 6)).astype(np.float32)
    plain, folded = (run_graph(graph, {x: value}, [y], fusion=f)[0] for f in (False, True))
    np.testing.assert_allclose(folded, plain, rtol=1e-4, atol=1e-5)


def test_batch_affine_has_mean_and_deviation_of_its_parameters(rng):
    y = BatchAffine(1e-9).reference([rng.standard_normal((3, 2, 4, 5))], [np.array([2.0, 3.0]), np.array([1.0, -1.0])])[0]
    np.testing.assert_allclose(y.mean(axis=(0, 2, 3)), [1, -1], atol=1e-12)
    np.testing.assert_allclose(y.std(axis=(0, 2, 3)), [2, 3], rtol=1e-6)


@pytest.mark.parametrize("group", [1, 2, 3, 6])
def test_shuffle_channel(group, rng):
    check_operator(ShuffleChannel(group), [rng.standard_normal((2, 6, 4, 5))], rtol=0, atol=0)
    check_operator(ShuffleChannel(group), [rng.standard_normal((2, 6))], rtol=0, atol=0)


def test_shuffle_channel_definition():
    assert ShuffleChannel(2).reference([np.arange(6.0)[None]], [])[0].tolist() == [[0, 3, 1, 4, 2, 5]]


@pytest.mark.parametrize("axis", range(4))
def test_reverse(axis, rng):
    check_operator(Reverse(axis), [rng.standard_normal((2, 3, 4, 5))], rtol=0, atol=0)


@pytest.mark.parametrize("op", [Sqrt(), HardSwish()])
def test_elementwise(op, rng):
    check_operator(op, [5 * rng.random((2, 3, 4, 5))])
    check_operator(op, [np.array([0.0, 1.0, 9.0])])


def test_values_of_elementwise_operators():
    assert Sqrt().reference([np.array([4.0])], [])[0][0] == 2
    np.testing.assert_allclose(HardSwish().reference([np.array([-4.0, -1.0, 0.0, 3.0, 5.0])], [])[0], [0, -1 / 3, 0, 3, 5])


@pytest.mark.parametrize(("op", "shape", "blobs"), [
    (CRelu(4), (2, 3), []), (ChannelAffine(), (2,), [(2,), (2,)]), (ChannelAffine(), (2, 3), [(3,)]), (ChannelAffine(), (2, 3), [(3,), (2,)]),
    (BatchAffine(0), (2, 3), [(3,), (2,)]), (ShuffleChannel(4), (1, 6), []), (ShuffleChannel(0), (1, 6), []), (Reverse(2), (2, 3), [])])
def test_bad_numbers_are_refused(op, shape, blobs):
    with pytest.raises(CnmlError):
        op.reshape([shape], blobs)
