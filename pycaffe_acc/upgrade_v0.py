"""V0 layers (`layers { layer { type: "conv" kernelsize: 5 } }`) → V1."""
from __future__ import annotations

import logging
from typing import Any

from pycaffe_acc.errors import CheckError
from pycaffe_acc.proto import caffe_pb2

_log = logging.getLogger("caffe")

_TYPES = {
    "accuracy": "ACCURACY", "bnll": "BNLL", "concat": "CONCAT", "conv": "CONVOLUTION", "data": "DATA", "dropout": "DROPOUT",
    "euclidean_loss": "EUCLIDEAN_LOSS", "flatten": "FLATTEN", "hdf5_data": "HDF5_DATA", "hdf5_output": "HDF5_OUTPUT", "im2col": "IM2COL",
    "images": "IMAGE_DATA", "infogain_loss": "INFOGAIN_LOSS", "innerproduct": "INNER_PRODUCT", "lrn": "LRN",
    "multinomial_logistic_loss": "MULTINOMIAL_LOGISTIC_LOSS", "pool": "POOLING", "relu": "RELU", "sigmoid": "SIGMOID", "softmax": "SOFTMAX",
    "softmax_loss": "SOFTMAX_LOSS", "split": "SPLIT", "tanh": "TANH", "window_data": "WINDOW_DATA",
}
_CONV, _IP, _POOL, _LRN = "convolution_param", "inner_product_param", "pooling_param", "lrn_param"
_SOURCES = {"data": "data_param", "images": "image_data_param", "window_data": "window_data_param", "hdf5_data": "hdf5_data_param"}
_WINDOW = {"window_data": "window_data_param"}
#: V0 field → (V1 field, {V0 type: V1 parameter block})
_FIELDS: dict[str, tuple[str, dict[str, str]]] = {
    "num_output": ("num_output", {"conv": _CONV, "innerproduct": _IP}),
    "biasterm": ("bias_term", {"conv": _CONV, "innerproduct": _IP}),
    "weight_filler": ("weight_filler", {"conv": _CONV, "innerproduct": _IP}),
    "bias_filler": ("bias_filler", {"conv": _CONV, "innerproduct": _IP}),
    "pad": ("pad", {"conv": _CONV, "pool": _POOL}),
    "kernelsize": ("kernel_size", {"conv": _CONV, "pool": _POOL}),
    "group": ("group", {"conv": _CONV}),
    "stride": ("stride", {"conv": _CONV, "pool": _POOL}),
    "pool": ("pool", {"pool": _POOL}),
    "dropout_ratio": ("dropout_ratio", {"dropout": "dropout_param"}),
    "local_size": ("local_size", {"lrn": _LRN}),
    "alpha": ("alpha", {"lrn": _LRN}),
    "beta": ("beta", {"lrn": _LRN}),
    "k": ("k", {"lrn": _LRN}),
    "source": ("source", {**_SOURCES, "infogain_loss": "infogain_loss_param"}),
    "batchsize": ("batch_size", _SOURCES),
    "rand_skip": ("rand_skip", {"data": "data_param", "images": "image_data_param"}),
    "shuffle_images": ("shuffle", {"images": "image_data_param"}),
    "new_height": ("new_height", {"images": "image_data_param"}),
    "new_width": ("new_width", {"images": "image_data_param"}),
    "concat_dim": ("concat_dim", {"concat": "concat_param"}),
    "det_fg_threshold": ("fg_threshold", _WINDOW),
    "det_bg_threshold": ("bg_threshold", _WINDOW),
    "det_fg_fraction": ("fg_fraction", _WINDOW),
    "det_context_pad": ("context_pad", _WINDOW),
    "det_crop_mode": ("crop_mode", _WINDOW),
}
#: whatever the type
_TRANSFORM = {"scale": "scale", "meanfile": "mean_file", "cropsize": "crop_size", "mirror": "mirror"}
_SAME = ("blobs", "blobs_lr", "weight_decay", "bottom_mlu_dtype", "blobs_dtype", "hdf5_output_param")
_VENDOR = ("split_num", "sparsity", "engine")


def upgrade_v0_layers(message: Any) -> None:
    """Turn the V0 layers of a net into V1 layers, in place. `padding` layers become the pad of the convolution or pooling behind them.

    Parameters
    ----------
    message : NetParameter

    Raises
    ------
    CheckError
        For an unknown V0 type, or padding in front of another layer.
    """
    if not any(layer.HasField("layer") for layer in message.layers):
        return
    _fold_padding(message)
    for layer in message.layers:
        if layer.HasField("layer"):
            _upgrade(layer)


def _fold_padding(message: Any) -> None:
    made_by: dict[str, Any] = {}
    for layer in message.layers:
        for j, blob in enumerate(layer.bottom):
            source = made_by.get(blob)
            if source is None or source.layer.type != "padding":
                continue
            kind = layer.layer.type
            if kind not in ("conv", "pool") or len(layer.bottom) != 1 or len(source.bottom) != 1 or len(source.top) != 1:
                raise CheckError(f"V0 layer '{layer.layer.name}' ({kind}): reads the padding layer '{source.layer.name}'; padding may stand only "
                                 "before one convolution or pooling with one bottom, and have one bottom and one top itself")
            layer.layer.pad = source.layer.pad
            layer.bottom[j] = source.bottom[0]
        for blob in layer.top:
            made_by[blob] = layer
    for i in reversed(range(len(message.layers))):
        if message.layers[i].layer.type == "padding":
            del message.layers[i]


def _upgrade(layer: Any) -> None:
    old = caffe_pb2.V0LayerParameter()
    old.CopyFrom(layer.layer)
    layer.ClearField("layer")
    if old.type not in _TYPES:
        raise CheckError(f"V0 layer '{old.name}': unknown type '{old.type}'; V0 has {', '.join(sorted(_TYPES))} and padding")
    layer.type = caffe_pb2.V1LayerParameter.LayerType.Value(_TYPES[old.type])
    for field, value in old.ListFields():
        name = field.name
        if name == "name":
            layer.name = value
        elif name in _SAME:
            getattr(layer, name).MergeFrom(value)
        elif name in _VENDOR:
            setattr(layer, name, value)
        elif name in _TRANSFORM:
            setattr(layer.transform_param, _TRANSFORM[name], value)
        elif name in _FIELDS:
            _place(layer, old, name, value)


def _place(layer: Any, old: Any, name: str, value: Any) -> None:
    target, blocks = _FIELDS[name]
    if old.type not in blocks:
        _log.warning("V0 layer '%s' (%s): the field '%s' has no meaning for this type and is dropped", old.name, old.type, name)
        return
    block = getattr(layer, blocks[old.type])
    place = getattr(block, target)
    if hasattr(place, "MergeFrom") and hasattr(value, "MergeFrom"):
        place.MergeFrom(value)
        if hasattr(place, "SetInParent"):
            place.SetInParent()
    elif hasattr(place, "append"):
        place.append(value)
    else:
        setattr(block, target, value)
