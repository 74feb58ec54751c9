"""The codes of blobs that a prototxt states for layers that read them."""
from __future__ import annotations

from cnml.codes import Codes
from pycaffe_acc.net import Net
from pycaffe_acc.proto import caffe_pb2
from pycaffe_acc.quantize.dtype_fields import DT_INT8, read_param


def stated_codes(net: Net) -> dict[str, Codes]:
    """Blob → codes by the first reader whose `bottom_mlu_dtype` says them, also of layers that compute in floats (Eltwise, Pooling, Concat).

    Parameters
    ----------
    net : Net

    Raises
    ------
    CheckError
        For a field that is no use, naming the layer.
    """
    origins: dict[str, str] = {}
    found: dict[str, Codes] = {}
    for message in net.source.layers:
        if message.type == "Split":
            origins.update(dict.fromkeys(message.top, origins.get(message.bottom[0], message.bottom[0])))
        for j, (blob, field) in enumerate(zip(message.bottom, message.bottom_mlu_dtype, strict=False)):
            if field.type not in (DT_INT8, caffe_pb2.DT_UINT8):
                continue
            param = read_param(field, f"layer '{message.name}' ({message.type}): bottom_mlu_dtype {j}")
            if param is not None and not param.per_channel:
                found.setdefault(origins.get(blob, blob), Codes.of(param, unsigned=field.type == caffe_pb2.DT_UINT8))
    return found
