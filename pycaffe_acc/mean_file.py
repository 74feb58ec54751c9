"""Mean values and mean images for preprocessing: text, .npy and .binaryproto."""
from __future__ import annotations

from pathlib import Path

import numpy as np

from pycaffe_acc.blob_conversion import blobproto_to_array
from pycaffe_acc.errors import BinaryProtoError, MissingFileError
from pycaffe_acc.image_error import ImageError
from pycaffe_acc.proto import caffe_pb2


def read_mean_file(path: str | Path) -> np.ndarray:
    """A mean image or mean values.

    Parameters
    ----------
    path : str or Path
        .npy (without pickled objects), or a BlobProto as compute_image_mean writes it.

    Returns
    -------
    (C,), (H, W) or (C, H, W) float32
        A leading batch axis of extent 1 is removed.

    Raises
    ------
    MissingFileError, BinaryProtoError, ImageError
    """
    path = Path(path)
    if not path.is_file():
        raise MissingFileError(path, "mean file")
    if path.suffix == ".npy":
        try:
            mean = np.load(path, allow_pickle=False)
        except ValueError as e:
            raise ImageError(f"mean file '{path}' is no array that can be read safely: {e}") from e
    else:
        blob = caffe_pb2.BlobProto()
        try:
            blob.ParseFromString(path.read_bytes())
        except Exception as e:  # DecodeError of whichever protobuf is installed; its base is Exception
            raise BinaryProtoError(f"mean file '{path}' is no BlobProto: {e}; give a .binaryproto of compute_image_mean, or an .npy file") from e
        mean = blobproto_to_array(blob)
    if mean.ndim == 4 and mean.shape[0] == 1:
        mean = mean[0]
    if mean.ndim not in (1, 2, 3) or mean.size == 0:
        raise ImageError(f"mean file '{path}' holds an array of shape {mean.shape}; it must be (C,), (H, W) or (C, H, W)")
    return np.ascontiguousarray(mean, dtype=np.float32)


def parse_values(text: str, what: str) -> tuple[float, ...]:
    """Numbers separated by commas or blanks: "104,117,123".

    Raises
    ------
    ImageError
        When one is no number.
    """
    parts = text.replace(",", " ").split()
    try:
        values = tuple(float(p) for p in parts)
    except ValueError as e:
        raise ImageError(f"{what} is '{text}'; it must be numbers separated by commas, like 104,117,123") from e
    if not values or not np.isfinite(values).all():
        raise ImageError(f"{what} is '{text}'; it must be one finite number, or one for each channel")
    return values
