"""BlobDataType messages."""
from __future__ import annotations

import math

import pytest

from cnml.quantization import QuantParam
from pycaffe_acc.errors import CheckError
from pycaffe_acc.proto import caffe_pb2
from pycaffe_acc.quantize.dtype_fields import DT_INT8, DT_INT16, nth_field, read_param, write_param

PARAMS = [QuantParam(-3), QuantParam(2, 1.5), QuantParam((1, 2), (1.0, 1.25)), QuantParam(1, (1.0, 2.0)), QuantParam((1, -1))]


@pytest.mark.parametrize("param", PARAMS)
@pytest.mark.parametrize("dtype", [DT_INT8, DT_INT16])
def test_what_is_written_is_read(param, dtype):
    """Also over older contents."""
    field = caffe_pb2.BlobDataType(type=caffe_pb2.DT_FLOAT32, position=[9, 9, 9], scale=[9])
    write_param(field, param, dtype)
    assert field.type == dtype
    assert read_param(field, "x") == param


def test_without_a_scale():
    """As the vendor's tools write it."""
    field = caffe_pb2.BlobDataType()
    write_param(field, QuantParam(-5), DT_INT8, with_scale=False)
    assert list(field.position) == [-5] and not field.scale


def test_other_types_are_none():
    """FLOAT16 is the default."""
    assert read_param(caffe_pb2.BlobDataType(position=[1]), "x") is None
    assert read_param(caffe_pb2.BlobDataType(type=DT_INT8), "x") == QuantParam(0, 1.0)


@pytest.mark.parametrize("scale", [0.0, -1.0, math.nan, math.inf])
def test_impossible_scales(scale):
    """Named by what is read."""
    with pytest.raises(CheckError, match="layer 'c' has the scale .*must be positive and finite"):
        read_param(caffe_pb2.BlobDataType(type=DT_INT8, scale=[1, scale]), "layer 'c'")


def test_numbers_that_differ():
    """One position and one scale per channel."""
    with pytest.raises(CheckError, match="2 positions and 3 scales"):
        read_param(caffe_pb2.BlobDataType(type=DT_INT8, position=[1, 2], scale=[1, 1, 1]), "x")


def test_nth_field():
    """Makes the entries that are missing."""
    layer = caffe_pb2.LayerParameter()
    nth_field(layer.bottom_mlu_dtype, 1).position.append(4)
    assert [list(f.position) for f in layer.bottom_mlu_dtype] == [[], [4]]
