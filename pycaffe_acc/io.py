"""pycaffe's `caffe.io`: images in, arrays to and from protobuf messages."""
from __future__ import annotations

from pycaffe_acc.blob_conversion import (
    array_to_blobproto,
    array_to_datum,
    arraylist_to_blobprotovector_str,
    blobproto_to_array,
    blobprotovector_str_to_arraylist,
    datum_to_array,
)
from pycaffe_acc.image_load import load_image
from pycaffe_acc.oversample import oversample
from pycaffe_acc.proto import caffe_pb2
from pycaffe_acc.pycaffe_resize import resize_image
from pycaffe_acc.transformer import Transformer

__all__ = [
    "Transformer",
    "array_to_blobproto",
    "array_to_datum",
    "arraylist_to_blobprotovector_str",
    "blobproto_to_array",
    "blobprotovector_str_to_arraylist",
    "caffe_pb2",
    "datum_to_array",
    "load_image",
    "oversample",
    "resize_image",
]
