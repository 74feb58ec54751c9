"""Pixels of Datum messages."""
from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from pycaffe_acc.errors import BinaryProtoError, CheckError
from pycaffe_acc.image_load import decode_bgr
from pycaffe_acc.proto import caffe_pb2


def parse_datum(value: bytes, what: str) -> Any:
    """A Datum from its bytes.

    Parameters
    ----------
    value : bytes
    what : str
        Names the record in messages.

    Raises
    ------
    BinaryProtoError
    """
    datum = caffe_pb2.Datum()
    try:
        datum.ParseFromString(value)
    except Exception as e:  # DecodeError of whichever protobuf is installed; its base is Exception
        raise BinaryProtoError(f"{what} is no Datum message: {e}") from e
    return datum


def datum_pixels(datum: Any, what: str, force_color: bool = False, force_gray: bool = False) -> np.ndarray:
    """The values of a Datum, decoded if it holds an image file.

    Parameters
    ----------
    datum : Datum
    what : str
        Names the record in messages.
    force_color, force_gray : bool
        Number of channels of encoded images; neither: as the file has them.

    Returns
    -------
    (C, H, W) uint8 or float32
        Encoded images are BGR.

    Raises
    ------
    CheckError
        When the message's sizes and values disagree.
    ImageError
        When an encoded image cannot be decoded.
    """
    if datum.encoded:
        if force_color or force_gray:
            pixels = decode_bgr(datum.data, gray=force_gray)
        else:
            pixels = decode_unchanged(datum.data, what)
        return np.ascontiguousarray(np.atleast_3d(pixels).transpose(2, 0, 1))
    shape = (datum.channels, datum.height, datum.width)
    count = shape[0] * shape[1] * shape[2]
    values = np.frombuffer(datum.data, np.uint8) if datum.data else np.array(datum.float_data, np.float32)
    if min(shape) < 0 or values.size != count:
        raise CheckError(f"{what} says (C, H, W) = {shape}, {count} values, and has {values.size}; "
                         "the record is damaged or was written by another program")
    return values.reshape(shape)


def decode_unchanged(data: bytes, what: str) -> np.ndarray:
    """An image file's pixels with the channels that it has: gray, BGR or BGRA, 8 bits, orientation tags ignored.

    Parameters
    ----------
    data : bytes
    what : str
        Names the record in messages.

    Returns
    -------
    (H, W) or (H, W, C) uint8

    Raises
    ------
    CheckError
        For 16-bit images and bytes that are no image.
    """
    try:
        image: Image.Image = Image.open(io.BytesIO(data))
        image.load()
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError) as e:
        raise CheckError(f"{what} holds an encoded image that cannot be decoded: {e}") from e
    if image.mode.startswith(("I", "F")):
        raise CheckError(f"{what} holds an image of mode {image.mode}; pixels must have 8 bits "
                         "(write it anew, or set transform_param.force_color or force_gray)")
    if image.mode == "P":
        image = image.convert("RGBA" if "transparency" in image.info else "RGB")
    elif image.mode == "1":
        image = image.convert("L")
    elif image.mode == "LA":
        image = image.convert("RGBA")
    elif image.mode not in ("L", "RGB", "RGBA"):
        image = image.convert("RGB")
    pixels = np.asarray(image)
    return pixels if pixels.ndim == 2 else pixels[:, :, [2, 1, 0, 3][:pixels.shape[2]]]
