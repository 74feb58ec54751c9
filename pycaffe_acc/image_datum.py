"""Image files → Datum messages, as convert_imageset writes them."""
from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from pycaffe_acc.errors import CheckError
from pycaffe_acc.image_error import ImageError
from pycaffe_acc.image_load import decode_bgr
from pycaffe_acc.image_resize import resize_bilinear
from pycaffe_acc.proto import caffe_pb2

#: file suffix → Pillow's format and its options. OpenCV's JPEG quality is 95, with halved colours.
ENCODINGS: dict[str, tuple[str, dict[str, int]]] = {
    "jpg": ("JPEG", {"quality": 95, "subsampling": 2}),
    "jpeg": ("JPEG", {"quality": 95, "subsampling": 2}),
    "png": ("PNG", {}),
    "bmp": ("BMP", {}),
    "tif": ("TIFF", {}),
    "tiff": ("TIFF", {}),
}


@dataclass(frozen=True)
class ImageForm:
    """What becomes of an image.

    Attributes
    ----------
    gray : bool
        One channel instead of three.
    size : tuple of int
        Height and width; (0, 0): as it is.
    encoded : bool
        Store an image file instead of pixels.
    encode_type : str
        Suffix of the stored file's kind; "" is the original's. Means `encoded`.
    """

    gray: bool = False
    size: tuple[int, int] = (0, 0)
    encoded: bool = False
    encode_type: str = ""


def image_datum(path: str, label: int, form: ImageForm) -> tuple[Any, tuple[int, int, int]]:
    """Read an image file into a Datum.

    Pixels are OpenCV's: BGR, bilinear resize. An encoded image that is neither resized nor changed in kind is stored byte by byte as its file.

    Parameters
    ----------
    path : str
    label : int
    form : ImageForm

    Returns
    -------
    datum : Datum
    shape : tuple of int
        Its (C, H, W).

    Raises
    ------
    MissingFileError, ImageError
        When there is no image.
    CheckError
        When it cannot be encoded, or the label is no int32.
    """
    if not -(2**31) <= label < 2**31:
        raise CheckError(f"the label of '{path}' is {label}; a Datum holds labels from -2147483648 to 2147483647")
    if "\0" in path:
        raise ImageError(f"the file name {path!r} has a zero byte, which no file's name has")
    pixels = decode_bgr(path, gray=form.gray)
    if form.size[0] and form.size[1]:
        pixels = resize_bilinear(pixels, form.size)
    planes = np.atleast_3d(pixels).transpose(2, 0, 1)
    shape = (planes.shape[0], planes.shape[1], planes.shape[2])
    if not form.encoded and not form.encode_type:
        return pixels_datum(planes, label), shape
    kind = form.encode_type.lower() or _suffix(path)
    own = _suffix(path)
    if not all(form.size) and (own == kind or (own, kind) == ("jpeg", "jpg")):
        data = Path(path).read_bytes()
    else:
        data = encode_image(pixels, kind, path)
    return caffe_pb2.Datum(data=data, label=label, encoded=True), shape


def pixels_datum(planes: np.ndarray, label: int) -> Any:
    """A Datum with pixels.

    Parameters
    ----------
    planes : (C, H, W) uint8
    label : int
    """
    c, h, w = planes.shape
    return caffe_pb2.Datum(channels=c, height=h, width=w, data=np.ascontiguousarray(planes, np.uint8).tobytes(), label=label, encoded=False)


def encode_image(pixels: np.ndarray, kind: str, what: str) -> bytes:
    """The bytes of an image file.

    Parameters
    ----------
    pixels : (H, W) or (H, W, 3) uint8
        Gray or BGR.
    kind : str
        A key of `ENCODINGS`.
    what : str
        Names the image in messages.

    Raises
    ------
    CheckError
    """
    if kind not in ENCODINGS:
        raise CheckError(f"'{what}' cannot be stored as an image of the kind '{kind}'; known kinds: {', '.join(ENCODINGS)}. Give one by -encode_type")
    name, options = ENCODINGS[kind]
    image = Image.fromarray(pixels if pixels.ndim == 2 else np.ascontiguousarray(pixels[:, :, ::-1]))
    stream = io.BytesIO()
    image.save(stream, name, **options)
    return stream.getvalue()


def _suffix(path: str) -> str:
    """What stands behind the last dot, in small letters; the whole text when there is none."""
    return path.rpartition(".")[2].lower()
