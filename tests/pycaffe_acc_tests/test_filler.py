from __future__ import annotations

import numpy as np
import pytest

import pycaffe_acc as caffe
from pycaffe_acc.filler import fill
from pycaffe_acc.proto import caffe_pb2


def made(shape, **fields):
    return fill(caffe_pb2.FillerParameter(**fields), shape)


def test_constant_and_uniform():
    assert np.all(made((2, 3), type="constant", value=2.5) == 2.5)
    u = made((1000,), type="uniform", min=-1, max=3)
    assert u.dtype == np.float32 and -1 <= u.min() < -0.9 and 2.9 < u.max() <= 3


def test_gaussian_and_sparse():
    g = made((100, 100), type="gaussian", mean=1, std=2)
    assert abs(g.mean() - 1) < 0.1 and abs(g.std() - 2) < 0.1
    assert 0.05 < (made((100, 100), type="gaussian", std=1, sparse=10) != 0).mean() < 0.15


def test_xavier_and_msra_by_fan():
    limit = np.sqrt(3 / (5 * 9))
    x = made((40, 5, 3, 3), type="xavier")
    assert np.abs(x).max() <= limit and np.abs(x).max() > 0.95 * limit
    out = made((40, 5, 3, 3), type="xavier", variance_norm=caffe_pb2.FillerParameter.FAN_OUT)
    assert np.abs(out).max() <= np.sqrt(3 / (40 * 9)) * 1.0001
    m = made((400, 50), type="msra", variance_norm=caffe_pb2.FillerParameter.AVERAGE)
    assert abs(m.std() - np.sqrt(2 / 225)) < 0.01


def test_positive_unitball_and_bilinear():
    p = made((4, 10), type="positive_unitball")
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(made((2, 1, 4, 4), type="bilinear")[1, 0], np.outer(*[[0.25, 0.75, 0.75, 0.25]] * 2))
    np.testing.assert_allclose(made((1, 1, 3, 3), type="bilinear")[0, 0], np.outer(*[[0.5, 1, 0.5]] * 2))
    with pytest.raises(caffe.CheckError, match="square kernel"):
        made((1, 1, 3, 4), type="bilinear")


def test_unknown_type():
    with pytest.raises(caffe.CheckError, match="unknown filler type 'glorot'.*xavier"):
        made((1,), type="glorot")


def test_the_seed():
    caffe.set_random_seed(7)
    first = made((5,), type="gaussian", std=1)
    caffe.set_random_seed(7)
    np.testing.assert_array_equal(first, made((5,), type="gaussian", std=1))
