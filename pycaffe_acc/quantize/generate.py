"""The vendor's tools generate_int8_pt and generate_quantized_pt: calibrate a net, write its quantized description."""
from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from cnrt.whole_file import whole_file
from pycaffe_acc.errors import CheckError, MissingFileError
from pycaffe_acc.proto import caffe_pb2
from pycaffe_acc.quantize.dtype_fields import DT_FLOAT32, DT_INT8
from pycaffe_acc.quantize.observed_net import ObservedNet
from pycaffe_acc.quantize.settings import Settings
from pycaffe_acc.quantize.source_net import calibration_net, input_layer, own_net
from pycaffe_acc.quantize.vendor_ranges import COMMON, VendorRanges
from pycaffe_acc.text_format import format_message

_log = logging.getLogger("caffe")


def generate(settings: Settings, dtype: int = DT_INT8, mode: str = COMMON, float_tops: bool = False) -> int:
    """Run the float net over calibration images and write the prototxt with positions.

    With an ini file the result has an Input layer named "data" in front and no name; without one it keeps its data layer and is named "default".

    Parameters
    ----------
    settings : Settings
    dtype : int
        DT_INT8 or DT_INT16.
    mode : str
        See `VendorRanges`.
    float_tops : bool
        See `VendorRanges`; the Input layer is marked too.

    Returns
    -------
    int
        How many forwards were run.

    Raises
    ------
    CaffeError
        Nothing is written then.
    """
    if mode != COMMON:
        _log.warning("mode '%s' gives empty entries for all layers but LRN, as the vendor's tool does; use mode '%s'", mode, COMMON)
    message, iterations = _net(settings)
    if iterations < 1:
        raise CheckError(f"{iterations} iterations were asked for, so no range would be seen and no file written; set used_images_num (or "
                         "-iterations) to at least 1")
    net = ObservedNet(message, settings.weights)
    ranges = VendorRanges(net, dtype, mode, float_tops)
    for _ in range(iterations):
        net.forward()
        ranges.see()
    if ranges.silent:
        _log.warning("only zeros reached %s in all calibration images; their positions are 0", ", ".join(f"'{n}'" for n in ranges.silent))
    layers = ranges.result()
    result = caffe_pb2.NetParameter(name=message.name) if settings.calibration is None else caffe_pb2.NetParameter()
    if settings.calibration is not None:
        layers[0] = input_layer(layers[0])
        if float_tops:
            layers[0].top_mlu_dtype = DT_FLOAT32
    result.layer.extend(layers)
    with whole_file(settings.output) as part:
        part.write_text(format_message(result), encoding="utf-8")
    return iterations


def _net(settings: Settings) -> tuple[Any, int]:
    """What to run, and how often: a net's own ImageData layer says so itself."""
    if not Path(settings.weights).is_file():
        raise MissingFileError(settings.weights, "weights")
    if settings.calibration is not None:
        return calibration_net(settings.model, settings.calibration), settings.iterations
    message = own_net(settings.model)
    first = message.layer[0]
    return message, int(first.image_data_param.iterations) if first.type == "ImageData" else settings.iterations
