"""V1 layers (`layers { type: CONVOLUTION }`) → V2 (`layer { type: "Convolution" }`)."""
from __future__ import annotations

from typing import Any

from pycaffe_acc.errors import CheckError
from pycaffe_acc.proto import caffe_pb2

#: V1 enum names whose type name is not the same words in camel case
_SPECIAL = {
    "ABSVAL": "AbsVal", "ARGMAX": "ArgMax", "BNLL": "BNLL", "BN": "BN", "CRELU": "CReLU", "ELU": "ELU", "HDF5_DATA": "HDF5Data",
    "HDF5_OUTPUT": "HDF5Output", "IM2COL": "Im2col", "LRN": "LRN", "MVN": "MVN", "NORM": "Normalize", "PRELU": "PReLU", "PRIORBOX": "PriorBox",
    "PSROI_POOLING": "PSROIPooling", "RELU": "ReLU", "RESIZE_CROP": "MLUResizecrop", "ROI_ALIGN": "ROIAlign", "ROI_POOLING": "ROIPooling",
    "SOFTMAX_LOSS": "SoftmaxWithLoss", "SPP": "SPP", "TANH": "TanH", "UNPOOLING": "UnPooling", "YOLOV3": "Yolov3Detection",
    "YUVTONORMALIZEDGRAY": "MLUGrayNormalized", "YUVTORGB": "MLUYUVtoRGB", "NMS": "NMS", "RPN": "RPN", "NONE": "",
}
#: fields with one meaning and one name in both forms
_OWN = {"bottom", "top", "name", "include", "exclude", "blobs", "loss_weight", "bottom_mlu_dtype", "blobs_dtype", "sparsity", "engine",
        "external_output"}
_DATA = {"DATA": "data_param", "IMAGE_DATA": "image_data_param", "WINDOW_DATA": "window_data_param"}
_MOVED = ("scale", "mean_file", "crop_size", "mirror")


def v2_type(v1: int) -> str:
    """The type name of a V1 enum value: 4 → "Convolution"."""
    name = caffe_pb2.V1LayerParameter.LayerType.Name(v1)
    return _SPECIAL.get(name, "".join(word.capitalize() for word in name.split("_")))


def move_transform_fields(layer: Any) -> None:
    """scale, mean_file, crop_size and mirror of a V1 data layer's own parameters → transform_param, in place.

    Parameters
    ----------
    layer : V1LayerParameter
    """
    place = _DATA.get(caffe_pb2.V1LayerParameter.LayerType.Name(layer.type))
    if place is None or not layer.HasField(place):
        return
    old = getattr(layer, place)
    for field in _MOVED:
        if not old.HasField(field):
            continue
        value = getattr(old, field)
        if field == "mean_file":
            layer.transform_param.mean_file = value
        else:
            setattr(layer.transform_param, field, value)
        old.ClearField(field)


def upgrade_v1_layer(old: Any, new: Any) -> None:
    """Copy a V1 layer into an empty V2 layer.

    Parameters
    ----------
    old : V1LayerParameter
        Without a V0 layer inside.
    new : LayerParameter

    Raises
    ------
    CheckError
        For more sharing modes than names and the like.
    """
    for field, value in old.ListFields():
        name = field.name
        if name == "type":
            new.type = v2_type(value)
        elif name in _OWN or name.endswith("_param") or name == "priorbox_params":
            _copy(new, field, value)
        elif name == "layer":
            raise CheckError(f"layer '{old.name or old.layer.name}': a V0 layer stands inside a V1 layer that has fields of its own")
    for i, shared in enumerate(old.param):
        _spec(new, i).name = shared
    for i, mode in enumerate(old.blob_share_mode):
        _spec(new, i).share_mode = mode
    for i, rate in enumerate(old.blobs_lr):
        _spec(new, i).lr_mult = rate
    for i, decay in enumerate(old.weight_decay):
        _spec(new, i).decay_mult = decay


def _copy(new: Any, field: Any, value: Any) -> None:
    target = getattr(new, field.name)
    if hasattr(target, "MergeFrom") and hasattr(value, "MergeFrom"):
        target.MergeFrom(value)
        if hasattr(target, "SetInParent"):
            target.SetInParent()
    else:
        setattr(new, field.name, value)


def _spec(layer: Any, i: int) -> Any:
    while len(layer.param) <= i:
        layer.param.add()
    return layer.param[i]
