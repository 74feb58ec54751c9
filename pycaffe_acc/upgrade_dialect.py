"""Binary files of the vendor's fork number some parameters differently: to the fields that everybody uses."""
from __future__ import annotations

from typing import Any

from pycaffe_acc.proto import caffe_pb2

_PREFIX = "vendor_"
_FIELDS = tuple(f.name for f in caffe_pb2.LayerParameter.DESCRIPTOR.fields if f.name.startswith(_PREFIX))


def has_vendor_fields(layer: Any) -> bool:
    """Whether a LayerParameter has a parameter under the vendor's number."""
    return any(layer.HasField(name) for name in _FIELDS)


def rename_vendor_fields(layer: Any) -> None:
    """Move parameters under the vendor's numbers to the usual fields, in place. A usual field that is set already wins.

    Parameters
    ----------
    layer : LayerParameter
    """
    for name in _FIELDS:
        if not layer.HasField(name):
            continue
        target, source = getattr(layer, name[len(_PREFIX):]), getattr(layer, name)
        merged = type(target)()
        for descriptor, value in source.ListFields():
            place = getattr(merged, descriptor.name)
            if hasattr(place, "MergeFrom"):
                place.MergeFrom(value)
            else:
                setattr(merged, descriptor.name, value)
        merged.MergeFrom(target)
        target.CopyFrom(merged)
        target.SetInParent()
        layer.ClearField(name)
