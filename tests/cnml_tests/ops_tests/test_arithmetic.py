"""Arithmetic on pairs, channels and broadcast shapes; Axpy."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.compiled import check_operator

from cnml.errors import CnmlError
from cnml.ops.arithmetic import Arithmetic, Axpy, ChannelArithmetic
from cnml.ops.broadcast_arithmetic import BroadcastArithmetic


@pytest.mark.parametrize("function", ["add", "sub", "mul"])
@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (7,), (2, 3)])
def test_pairs(function, shape, rng):
    check_operator(Arithmetic(function), [rng.standard_normal(shape), rng.standard_normal(shape)])


@pytest.mark.parametrize("function", ["add", "sub", "mul"])
@pytest.mark.parametrize("values", [(1, 3, 1, 1), (2, 3, 1, 1), (2, 3), (3,)])
def test_channels(function, values, rng):
    check_operator(ChannelArithmetic(function), [rng.standard_normal((2, 3, 4, 5)), rng.standard_normal(values)])


def test_channels_without_positions(rng):
    check_operator(ChannelArithmetic("sub"), [rng.standard_normal((4, 3)), rng.standard_normal(3)])


@pytest.mark.parametrize("scale", [(2, 3), (2, 3, 1, 1)])
def test_axpy(scale, rng):
    x = (2, 3, 4, 5)
    check_operator(Axpy(), [rng.standard_normal(scale), rng.standard_normal(x), rng.standard_normal(x)])


def test_broadcast(rng):
    check_operator(BroadcastArithmetic("mul"), [rng.standard_normal((2, 3, 4, 5)), rng.standard_normal((2, 1, 1, 5))])
    assert BroadcastArithmetic("add").reshape([(5,), (2, 1)], []) == [(2, 5)]


@pytest.mark.parametrize(("op", "shapes"), [
    (Arithmetic("add"), [(2, 3), (3, 2)]), (ChannelArithmetic("add"), [(2, 3, 4), (4,)]), (ChannelArithmetic("add"), [(2,), (2,)]),
    (Axpy(), [(2, 3), (2, 3, 4), (2, 3, 5)]), (Axpy(), [(2, 4), (2, 3, 4), (2, 3, 4)]), (BroadcastArithmetic("mul"), [(2, 3), (2, 2)])])
def test_shapes_that_do_not_fit_are_refused(op, shapes):
    with pytest.raises(CnmlError):
        op.reshape(shapes, [])


def test_definitions():
    a, b = np.array([[1.0, 2.0]]), np.array([[3.0, 5.0]])
    assert Arithmetic("sub").reference([a, b], [])[0].tolist() == [[-2, -3]]
    assert Axpy().reference([a, b, b], [])[0].tolist() == [[6, 15]]
