"""The net that calibration runs: the user's, with a data layer in front."""
from __future__ import annotations

from typing import Any

from pycaffe_acc.errors import CheckError
from pycaffe_acc.proto import caffe_pb2
from pycaffe_acc.quantize.settings import Calibration
from pycaffe_acc.text_format import read_net
from pycaffe_acc.upgrade import upgrade_net

_LMDB = caffe_pb2.DataParameter.LMDB
#: layers that bring their own images
DATA_TYPES = ("ImageData", "Data")


class InputBlob:
    """The blob that images go into.

    Attributes
    ----------
    name : str
    batch, channels : int
    """

    def __init__(self, name: str, batch: int, channels: int):
        self.name, self.batch, self.channels = name, batch, channels


def own_net(path: str) -> Any:
    """A net that begins with a data layer, as it is, named "default" as the vendor's tools name their result.

    Raises
    ------
    MissingFileError, PrototxtError
    CheckError
        For a net without a data layer: it would be calibrated with zeros.
    """
    net = upgrade_net(read_net(path).message)
    if not any(layer.type in DATA_TYPES for layer in net.layer):
        raise CheckError(f"{path}: the net has no {' or '.join(DATA_TYPES)} layer to calibrate it with; add one, or describe the images in an "
                         "ini file (-ini_file)")
    net.name = "default"
    return net


def calibration_net(path: str, calibration: Calibration) -> Any:
    """A net whose input is replaced by a data layer, as the vendor's tools do it.

    The new layer is called "data" and has the input blob and "label" as tops. A second graph input becomes an Input layer of its own (two axes). With
    `first_convolution`, mean and std become fields of the layer behind the inputs.

    Parameters
    ----------
    path : str
        Prototxt that begins with graph inputs, an Input layer or a data layer.
    calibration : Calibration

    Returns
    -------
    NetParameter
        In today's form, without a name.

    Raises
    ------
    MissingFileError, PrototxtError
    CheckError
        When the net begins with something else, or `first_convolution` finds none.
    """
    given = read_net(path).message
    second = _second_input(given)
    net = upgrade_net(given)
    if not net.layer:
        raise CheckError(f"{path}: the net has no layers; there is nothing to quantize")
    blob = _input_blob(net.layer[0], path)
    made = caffe_pb2.NetParameter()
    made.layer.append(_data_layer(blob, calibration))
    if second is not None:
        made.layer.append(second)
    made.layer.extend(net.layer[1:])
    if calibration.first_convolution:
        fill_first_convolution(made.layer[1:], calibration.mean, calibration.std, path)
    return made


def _second_input(net: Any) -> Any | None:
    """An Input layer for the second of two graph inputs."""
    if len(net.input) != 2:
        return None
    if len(net.input_shape) != 2:
        raise CheckError(f"net '{net.name}' has the inputs {', '.join(net.input)}; give an input_shape block for each of them")
    layer = caffe_pb2.LayerParameter(name=net.input[1], type="Input", top=[net.input[1]])
    layer.input_param.shape.add().CopyFrom(net.input_shape[1])
    return layer


def _input_blob(first: Any, path: str) -> InputBlob:
    if not first.top:
        raise CheckError(f"{path}: the first layer '{first.name}' ({first.type}) has no top; the net must begin with its input")
    if first.type == "Input":
        dims = list(first.input_param.shape[0].dim) if first.input_param.shape else []
        if len(dims) != 4:
            raise CheckError(f"{path}: input '{first.top[0]}' has the shape {tuple(dims)}; images need four axes (batch, channels, height, width)")
        return InputBlob(first.top[0], dims[0], dims[1])
    if first.type == "ImageData":
        return InputBlob(first.top[0], int(first.image_data_param.batch_size), 3 if first.image_data_param.is_color else 1)
    if first.type == "Data":
        return InputBlob(first.top[0], 1, 3)
    raise CheckError(f"{path}: the net begins with '{first.name}' ({first.type}); it must begin with graph inputs or a layer of type Input, "
                     f"{' or '.join(DATA_TYPES)}")


def _data_layer(blob: InputBlob, calibration: Calibration) -> Any:
    layer = caffe_pb2.LayerParameter(name="data", top=[blob.name, "label"])
    transform = layer.transform_param
    if not calibration.first_convolution:
        transform.mean_value.extend(calibration.mean)
        transform.scale = calibration.std
    transform.mirror = False
    if calibration.database:
        layer.type = "Data"
        if calibration.crop:
            transform.crop_size = calibration.crop
        layer.data_param.source = calibration.database
        layer.data_param.batch_size = blob.batch
        layer.data_param.backend = _LMDB
        return layer
    layer.type = "ImageData"
    images = layer.image_data_param
    images.source, images.batch_size = calibration.images, blob.batch
    if calibration.size is not None:
        images.new_height, images.new_width = calibration.size
    if blob.channels == 1:
        images.is_color = False
    return layer


def fill_first_convolution(layers: Any, mean: tuple[float, ...], factor: float, path: str) -> None:
    """Make mean and std fields of the first layer that is no Input; those that it has are replaced.

    Parameters
    ----------
    layers : sequence of LayerParameter
    mean : tuple of float
        One a channel, or one for all.
    factor : float
        Multiplies, after the mean.
    path : str
        The net's file, for the message.

    Raises
    ------
    CheckError
        When that layer is no Convolution.
    """
    layer = next((layer for layer in layers if layer.type != "Input"), None)
    if layer is None or layer.type != "Convolution":
        found = "nothing" if layer is None else f"'{layer.name}' ({layer.type})"
        raise CheckError(f"{path}: behind the input comes {found}; only a Convolution can take mean and std into itself, so leave them to the input "
                         "(use_firstconv = 0)")
    p = layer.convolution_param
    p.ClearField("mean_file")
    p.ClearField("mean_value")
    p.mean_value.extend(mean)
    p.std = factor


def input_layer(data: Any) -> Any:
    """The Input layer that stands in the result for a data layer.

    Parameters
    ----------
    data : LayerParameter
        Of type ImageData or Data.

    Returns
    -------
    LayerParameter
        Named "data". For a Data layer the shape is 1 x 3 and twice its crop_size (0 without one), as the vendor's tools write it.
    """
    layer = caffe_pb2.LayerParameter(name="data", type="Input", top=[data.top[0]])
    if data.type == "Data":
        side = int(data.transform_param.crop_size)
        dims = [1, 3, side, side]
    else:
        p = data.image_data_param
        dims = [int(p.batch_size), 3 if p.is_color else 1, int(p.new_height), int(p.new_width)]
    layer.input_param.shape.add().dim.extend(dims)
    return layer
