"""Arrays in BlobProto messages, and the wire format below them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pycaffe_acc import wire
from pycaffe_acc.blob_proto import array_to_blob, blob_to_array, decode_blob, encode_blob
from pycaffe_acc.errors import BinaryProtoError
from pycaffe_acc.proto import caffe_pb2


def blob(**fields):
    dims = fields.pop("dims", None)
    message = caffe_pb2.BlobProto(**fields)
    if dims is not None:
        message.shape.SetInParent()
        message.shape.dim.extend(dims)
    return message


def unpacked(number: int, values: np.ndarray) -> bytes:
    tag = wire.write_varint(number << 3 | (wire.FIXED32 if values.itemsize == 4 else wire.FIXED64))
    return b"".join(tag + v.tobytes() for v in values)


SHAPE_3 = blob(dims=[3]).SerializeToString()


@pytest.mark.parametrize(
    ("message", "want"),
    [
        (blob(dims=[2, 3], data=range(6)), np.arange(6).reshape(2, 3)),
        (blob(dims=[], data=[7]), np.array(7.0)),
        (blob(dims=[0, 4]), np.zeros((0, 4))),
        (blob(num=1, channels=1, height=2, width=3, data=range(6)), np.arange(6).reshape(1, 1, 2, 3)),
        (blob(num=1, channels=2, height=1, width=1, dims=[2], data=[1, 2]), np.array([1, 2]).reshape(1, 2, 1, 1)),
        (blob(dims=[2], double_data=[0.1, 1e300]), np.array([0.1, np.inf])),
        (blob(dims=[2], double_data=[1, 2], data=[3]), np.array([1, 2])),
        (blob(dims=[2], raw_data_type=2, raw_data=np.array([1.5, -2], "<f2").tobytes()), np.array([1.5, -2])),
        (blob(dims=[2], raw_data_type=1, raw_data=np.array([1.5, -2], "<f4").tobytes()), np.array([1.5, -2])),
        (blob(dims=[2], raw_data_type=0, raw_data=np.array([1.5, -2], "<f8").tobytes()), np.array([1.5, -2])),
        (blob(dims=[2], raw_data_type=3, raw_data=np.array([5, -2], "<i4").tobytes()), np.array([5, -2])),
        (blob(dims=[1], raw_data_type=4, raw_data=np.array([2**31], "<u4").tobytes()), np.array([2.0**31])),
        (blob(dims=[1], raw_data_type=2, raw_data=b"\x00\x00", data=[4]), np.array([4])),
    ],
)
def test_every_way_to_store_an_array(message, want):
    got = blob_to_array(message)
    assert got.dtype == np.float32 and got.flags.writeable and got.shape == want.shape
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(got, want.astype(np.float32))


@pytest.mark.parametrize(
    ("message", "words"),
    [
        (blob(dims=[2, 3], data=range(5)), r"the shape \(2, 3\), which is 6 elements, but 5 are stored"),
        (blob(dims=[-1, -6], data=range(6)), "must not be negative"),
        (blob(dims=[1] * 33, data=[1]), "33 axes; Caffe allows 32"),
        (blob(dims=[1] * 200, data=[1]), "more than 128 axes"),
        (blob(dims=[2**40, 2**40], data=[1]), "1208925819614629174706176 elements"),
        (blob(dims=[2]), "but 0 are stored"),
        (blob(dims=[1], raw_data=b"123", raw_data_type=1), "3 bytes of 4-byte elements"),
        (blob(num=-2, channels=-1, data=[1, 2]), "must not be negative"),
    ],
)
def test_shapes_are_checked_before_anything_is_allocated(message, words):
    with pytest.raises(BinaryProtoError, match=words):
        blob_to_array(message)


def test_unknown_raw_type():
    data = blob(dims=[1], raw_data=b"1234").SerializeToString() + b"\x50\x63"
    with pytest.raises(BinaryProtoError, match="raw_data_type is 99"):
        decode_blob(memoryview(data)).array()


@pytest.mark.parametrize("kind", ["<f4", "<f8"])
@pytest.mark.parametrize("n", [1, 2, 3, 200_000])
def test_arrays_that_are_not_packed(kind, n):
    values = np.random.default_rng(n).normal(size=n).astype(kind)
    data = blob(dims=[n]).SerializeToString() + unpacked(5 if kind == "<f4" else 8, values)
    np.testing.assert_array_equal(decode_blob(memoryview(data)).array(), values.astype(np.float32))
    np.testing.assert_array_equal(blob_to_array(caffe_pb2.BlobProto.FromString(data)), values.astype(np.float32))


def test_pieces_of_an_array_are_joined():
    data = SHAPE_3 + blob(data=[1, 2]).SerializeToString() + unpacked(5, np.array([3], "<f4"))
    np.testing.assert_array_equal(decode_blob(memoryview(data)).array(), [1, 2, 3])


def test_shape_in_pieces_and_unpacked():
    data = b"\x3a\x02\x08\x02" + b"\x3a\x02\x08\x03" + blob(data=range(6)).SerializeToString()  # shape { 1: 2 } shape { 1: 3 }
    assert decode_blob(memoryview(data)).array().shape == tuple(caffe_pb2.BlobProto.FromString(data).shape.dim) == (2, 3)


def test_packed_data_lie_where_they_are():
    data = blob(dims=[1000], data=range(1000)).SerializeToString()
    assert np.shares_memory(decode_blob(memoryview(data)).array(), np.frombuffer(data, np.uint8))


@given(st.lists(st.integers(0, 4), max_size=5))
def test_arrays_round_trip(shape):
    array = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    message = array_to_blob(array, diff=array + 1)
    assert tuple(message.shape.dim) == array.shape and message.HasField("shape")
    np.testing.assert_array_equal(blob_to_array(message), array)
    np.testing.assert_array_equal(np.array(message.diff, np.float32), (array + 1).ravel())
    decoded = decode_blob(memoryview(b"".join(encode_blob(array))))
    np.testing.assert_array_equal(decoded.array(), array)
    assert decoded.count == array.size and not decoded.is_legacy and not decoded.is_raw


def test_arrays_in_any_memory_order():
    array = np.arange(24.0).reshape(2, 3, 4).transpose(2, 0, 1)[::-1]
    np.testing.assert_array_equal(blob_to_array(array_to_blob(array)), array)


@given(st.integers(0, 2**64 - 1))
def test_varints_round_trip(value):
    data = wire.write_varint(value)
    assert wire.varint(memoryview(data), 0) == (value, len(data))
    assert wire.signed(value) == int(np.array(value, np.uint64).view(np.int64))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x80", "ends inside a number"),
        (b"\xff" * 11, "longer than ten bytes"),
        (b"\x02", "field number 0"),
        (b"\x00\x00", "field number 0"),
        (b"\x0a\x05ab", "5 bytes where only 2 are left"),
        (b"\x0d\x00", "4 bytes where only 1"),
        (b"\x09\x00", "8 bytes where only 1"),
        (b"\x0b", "wire type 3"),
        (b"\x0f", "wire type 7"),
        (b"\xfa\xff\xff\xff\xff\x01\x00", "field number"),
        (b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "are left"),
    ],
)
def test_bytes_that_are_no_message(data, words):
    with pytest.raises(BinaryProtoError, match=words):
        list(wire.fields(memoryview(data)))


def test_fields_of_every_kind():
    data = b"\x08\x96\x01" + b"\x12\x02hi" + b"\x1d\x01\x00\x00\x00" + b"\x21" + bytes(8) + b"\x1d\x02\x00\x00\x00"
    got = [(n, k, bytes(v) if isinstance(v, memoryview) else v) for n, k, v in wire.fields(memoryview(data))]
    assert got == [(1, 0, 150), (2, 2, b"hi"), (3, 5, b"\x01\0\0\0"), (4, 1, bytes(8)), (3, 5, b"\x02\0\0\0")]


def test_odd_packed_length():
    with pytest.raises(BinaryProtoError, match="no whole number of 4-byte"):
        decode_blob(memoryview(b"\x2a\x03abc"))


def test_fields_of_another_wire_type_are_ignored():
    data = b"\x28\x05" + b"\x0a\x01a" + b"\x39" + bytes(8) + SHAPE_3 + blob(data=[1, 2, 3]).SerializeToString()
    np.testing.assert_array_equal(decode_blob(memoryview(data)).array(), [1, 2, 3])


def test_reading_is_fast(data_dir):
    path = data_dir / "models" / "googlenet" / "bvlc_googlenet.caffemodel"
    data = path.read_bytes()
    total = sum(
        decode_blob(value).count
        for n, k, layer in wire.fields(memoryview(data))
        if n in (2, 100)
        for f, k2, value in wire.fields(layer)
        if f in (6, 7) and k2 == 2
    )
    assert total > 6_000_000
