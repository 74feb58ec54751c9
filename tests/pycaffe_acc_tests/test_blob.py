from __future__ import annotations

import numpy as np
import pytest

from cnml.parameter import Parameter
from cnrt.device import current_device
from pycaffe_acc.blob import Blob, ParameterBlob
from pycaffe_acc.errors import CheckError


@pytest.fixture
def blob():
    return Blob((2, 3, 4), current_device(), "b")


def test_starts_with_zeros_and_is_writable(blob):
    assert blob.data.shape == (2, 3, 4) and blob.data.dtype == np.float32 and blob.data.flags.c_contiguous
    assert not blob.data.any()
    blob.data[1] = 3
    blob.data = blob.data + 1
    assert blob.data[1, 0, 0] == 4 and blob.data[0, 0, 0] == 1


def test_shape_properties(blob):
    assert (blob.num, blob.channels, blob.height, blob.width, blob.count) == (2, 3, 4, 1, 24)
    five = Blob((1, 2, 3, 4, 5), current_device())
    assert five.count == 120
    with pytest.raises(CheckError, match="at most four axes"):
        _ = five.width


def test_reshape_keeps_memory_when_shrinking(blob):
    blob.data[...] = np.arange(24).reshape(2, 3, 4)
    address = blob.data.ctypes.data
    blob.reshape(2, 3)
    assert blob.data.ctypes.data == address and blob.data[1, 2] == 5
    blob.reshape(10, 10)
    assert blob.data.shape == (10, 10) and blob.data[0, 5] == 5 and blob.data[9, 9] == 0
    blob.reshape((4, 2))
    assert tuple(blob.shape) == (4, 2)


@pytest.mark.parametrize("dims", [(-1, 2), (1.5, 2), tuple([1] * 33)])
def test_bad_shapes(blob, dims):
    with pytest.raises(CheckError):
        blob.reshape(*dims)
    assert blob.shape == (2, 3, 4)


def test_diff_is_zeros_of_the_shape(blob):
    assert blob.diff.shape == (2, 3, 4) and not blob.diff.any()
    blob.diff[...] = 1
    blob.diff = 2
    assert blob.diff[0, 0, 0] == 2
    blob.reshape(2)
    assert blob.diff.shape == (2,)


def test_scalar_blob():
    b = Blob((), current_device())
    b.data[...] = 5
    assert b.data.shape == () and float(b.data) == 5 and b.count == 1


def test_parameter_blob():
    b = ParameterBlob(Parameter((2, 2), "l/0"))
    b.data[...] = 1
    b.data = b.data * 2
    assert b.data.sum() == 8 and tuple(b.shape) == (2, 2) and b.num == 2 and "l/0" in repr(b)
    b.reshape(4)
    assert b.data.shape == (4,)


def test_held_arrays_are_interest_until_they_are_gone(blob):
    other = Blob((24,), current_device(), "other")
    assert not blob.take_interest()
    held = other.data
    other.take_interest()
    assert other.take_interest() and other.place.watched()
    other.join(blob)
    assert blob.take_interest(), "an array of a blob that shares the bytes"
    del held
    assert not blob.take_interest() and not other.take_interest() and not blob.place.watched()
    assert blob.data is not None
    assert blob.take_interest() and not blob.take_interest()
