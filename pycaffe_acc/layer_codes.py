"""How a layer's prototxt says that it computes in INT8."""
from __future__ import annotations

from typing import Any

from cnml.codes import Codes, LayerCodes
from pycaffe_acc.errors import CheckError
from pycaffe_acc.proto import caffe_pb2
from pycaffe_acc.quantize.dtype_fields import DT_INT8, read_param


def layer_codes(message: Any) -> LayerCodes | None:
    """The quantization of a layer's first bottom and of its weights.

    Parameters
    ----------
    message : LayerParameter
        `blobs_dtype` 0 of type DT_INT8 makes the layer compute in INT8, by the position and scale there and in `bottom_mlu_dtype` 0, whose type may
        also be DT_UINT8: values that are never negative, scaled to 255.

    Returns
    -------
    LayerCodes or None

    Raises
    ------
    CheckError
        Weights in INT8 and a bottom without a range, or one with a range per channel.
    """
    if not message.blobs_dtype or message.blobs_dtype[0].type != DT_INT8:
        return None
    what = f"layer '{message.name}' ({message.type})"
    weights = read_param(message.blobs_dtype[0], f"{what}: blobs_dtype 0")
    if not message.bottom_mlu_dtype or message.bottom_mlu_dtype[0].type not in (DT_INT8, caffe_pb2.DT_UINT8):
        raise CheckError(f"{what} has weights in INT8 (blobs_dtype), but no bottom_mlu_dtype of type DT_INT8 or DT_UINT8 that says the range of its "
                         "bottom; quantize the net again, or take blobs_dtype out")
    field = type(message.bottom_mlu_dtype[0])()
    field.CopyFrom(message.bottom_mlu_dtype[0])
    field.type = DT_INT8
    data = read_param(field, f"{what}: bottom_mlu_dtype 0")
    assert weights is not None and data is not None
    if data.per_channel:
        raise CheckError(f"{what}: bottom_mlu_dtype 0 has several positions or scales; a bottom has one of each")
    return LayerCodes(Codes.of(data, unsigned=message.bottom_mlu_dtype[0].type == caffe_pb2.DT_UINT8), weights)
