"""Arrays to and from BlobProto, BlobProtoVector and Datum messages, as pycaffe converts them."""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from pycaffe_acc.image_error import ImageError
from pycaffe_acc.proto import caffe_pb2

_LEGACY = ("num", "channels", "height", "width")


def blobproto_to_array(blob: Any, return_diff: bool = False) -> np.ndarray:
    """The values of a BlobProto.

    Parameters
    ----------
    blob : BlobProto
    return_diff : bool
        The diff instead of the data.

    Returns
    -------
    array of float64
        4-D when the blob has legacy num/channels/height/width fields, else of the blob's `shape`.

    Raises
    ------
    ImageError
        When shape and number of values disagree.
    """
    single, double = (blob.diff, blob.double_diff) if return_diff else (blob.data, blob.double_data)
    values = np.array(double if len(double) else single, dtype=np.float64)
    legacy = any(blob.HasField(f) for f in _LEGACY)
    shape = tuple(getattr(blob, f) for f in _LEGACY) if legacy else tuple(blob.shape.dim)
    count = 1
    for extent in shape:
        count *= extent
    if count != values.size or any(extent < 0 for extent in shape):
        raise ImageError(f"blobproto_to_array: the blob's shape {shape} means {count} values, it has {values.size}; the message is damaged or has no "
                         f"{'diff' if return_diff else 'data'}")
    return values.reshape(shape)


def array_to_blobproto(arr: np.ndarray, diff: np.ndarray | None = None) -> Any:
    """A BlobProto with the array's shape, its values as float32, and optionally a diff.

    Parameters
    ----------
    arr : array of any shape
    diff : array of the same number of values, optional

    Returns
    -------
    BlobProto
    """
    arr = np.asarray(arr)
    blob = caffe_pb2.BlobProto()
    blob.shape.dim.extend(arr.shape)
    blob.data.extend(arr.astype(np.float32).ravel().tolist())
    if diff is not None:
        blob.diff.extend(np.asarray(diff, dtype=np.float32).ravel().tolist())
    return blob


def arraylist_to_blobprotovector_str(arraylist: Iterable[np.ndarray]) -> bytes:
    """Arrays → serialized BlobProtoVector."""
    vector = caffe_pb2.BlobProtoVector()
    vector.blobs.extend([array_to_blobproto(arr) for arr in arraylist])
    return bytes(vector.SerializeToString())


def blobprotovector_str_to_arraylist(text: bytes) -> list[np.ndarray]:
    """Serialized BlobProtoVector → arrays."""
    return [blobproto_to_array(blob) for blob in caffe_pb2.BlobProtoVector.FromString(text).blobs]


def array_to_datum(arr: np.ndarray, label: int | None = None) -> Any:
    """A Datum of a (C, H, W) array: uint8 as bytes, everything else as float_data.

    Parameters
    ----------
    arr : (C, H, W) array
    label : int, optional

    Returns
    -------
    Datum

    Raises
    ------
    ImageError
        When the array has not three axes.
    """
    if arr.ndim != 3:
        raise ImageError(f"array_to_datum: the array has the shape {arr.shape}; a Datum is (channels, height, width)")
    datum = caffe_pb2.Datum()
    datum.channels, datum.height, datum.width = arr.shape
    if arr.dtype == np.uint8:
        datum.data = arr.tobytes()
    else:
        datum.float_data.extend(arr.astype(np.float32).ravel().tolist())
    if label is not None:
        datum.label = int(label)
    return datum


def datum_to_array(datum: Any) -> np.ndarray:
    """The (C, H, W) array of a Datum: uint8, or float64 when it has float_data. The label is not part of it.

    Raises
    ------
    ImageError
        When the number of values is not channels * height * width, or the datum is an encoded image.
    """
    shape = (datum.channels, datum.height, datum.width)
    if datum.encoded:
        raise ImageError("datum_to_array: the datum holds an encoded image file, not pixels; decode datum.data with load_image(bytes)")
    values = np.frombuffer(datum.data, dtype=np.uint8).copy() if len(datum.data) else np.array(datum.float_data, dtype=np.float64)
    if min(shape) < 0 or shape[0] * shape[1] * shape[2] != values.size:
        raise ImageError(f"datum_to_array: the datum says {shape[0]} x {shape[1]} x {shape[2]} values and has {values.size}; the record is damaged")
    return values.reshape(shape)
