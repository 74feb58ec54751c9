"""`bottom_mlu_dtype` and `blobs_dtype` of a prototxt, and the quantization parameters they stand for."""
from __future__ import annotations

from typing import Any

import numpy as np

from cnml.codes import UINT8_LIMIT
from cnml.quantization import INT8_LIMIT, INT16_LIMIT, QuantParam
from pycaffe_acc.errors import CheckError
from pycaffe_acc.proto import caffe_pb2

DT_INT8 = caffe_pb2.DT_INT8
DT_INT16 = caffe_pb2.DT_INT16
#: of bottoms that are never negative
DT_UINT8 = caffe_pb2.DT_UINT8
DT_FLOAT32 = caffe_pb2.DT_FLOAT32
#: the fields of a layer that say in which types it computes
FIELDS = ("bottom_mlu_dtype", "blobs_dtype", "top_mlu_dtype")
#: types of whole numbers that a layer can compute in, and their largest codes
LIMITS = {DT_INT8: INT8_LIMIT, DT_INT16: INT16_LIMIT, DT_UINT8: UINT8_LIMIT}


def write_param(field: Any, param: QuantParam, dtype: int, with_scale: bool = True) -> None:
    """Fill a BlobDataType.

    Parameters
    ----------
    field : BlobDataType
        What it held is dropped.
    param : QuantParam
    dtype : int
        DT_INT8, DT_INT16 or DT_UINT8.
    with_scale : bool
        False leaves a scale of 1 out, as the vendor's tools do.
    """
    field.Clear()
    field.type = dtype
    field.position.extend(param.position if isinstance(param.position, tuple) else (param.position,))
    if with_scale or param.scale != 1.0:
        field.scale.extend(param.scale if isinstance(param.scale, tuple) else (param.scale,))


def read_param(field: Any, what: str) -> QuantParam | None:
    """The parameters that a BlobDataType holds.

    Parameters
    ----------
    field : BlobDataType
    what : str
        Opens the message ("layer 'conv1' (Convolution): blobs_dtype 0").

    Returns
    -------
    QuantParam or None
        None for types that are not in `LIMITS`. A missing scale is 1, a missing position 0.

    Raises
    ------
    CheckError
        Several positions and another number of scales; a scale that is not positive and finite.
    """
    if field.type not in LIMITS:
        return None
    positions, scales = tuple(int(p) for p in field.position) or (0,), tuple(float(s) for s in field.scale) or (1.0,)
    if not all(np.isfinite(s) and s > 0 for s in scales):
        raise CheckError(f"{what} has the scale {next(s for s in scales if not (np.isfinite(s) and s > 0)):g}; it must be positive and finite")
    if len(positions) > 1 and len(scales) > 1 and len(positions) != len(scales):
        raise CheckError(f"{what} has {len(positions)} positions and {len(scales)} scales; there must be one of each per output channel")
    return QuantParam(positions if len(positions) > 1 else positions[0], scales if len(scales) > 1 else scales[0])


def nth_field(fields: Any, index: int) -> Any:
    """Entry `index` of a repeated BlobDataType, which is made longer if need be."""
    while len(fields) <= index:
        fields.add()
    return fields[index]
