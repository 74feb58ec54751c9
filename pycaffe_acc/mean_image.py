"""The mean of the images of a database."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pycaffe_acc.datum import datum_pixels, parse_datum
from pycaffe_acc.errors import CheckError
from pycaffe_acc.lmdb_cursor import open_lmdb
from pycaffe_acc.proto import caffe_pb2


def mean_image(path: str, progress: Callable[[int], None] = lambda count: None) -> tuple[np.ndarray, int]:
    """Mean over all Datum records of an LMDB, encoded ones decoded with the channels that they have.

    Parameters
    ----------
    path : str
    progress : callable
        Called with the number of records after each.

    Returns
    -------
    mean : (C, H, W) float32
        Sums and quotient in float32, in order of the records, as compute_image_mean adds them.
    count : int

    Raises
    ------
    CheckError
        For an empty database, or records of different shapes.
    MissingExtraError, MissingFileError, BinaryProtoError
    """
    total = np.zeros(0, np.float32)
    count = 0
    with open_lmdb(path).environment.begin() as transaction:
        for key, value in transaction.cursor():
            what = f"record '{bytes(key).decode('utf-8', 'replace')}' of '{path}'"
            pixels = datum_pixels(parse_datum(bytes(value), what), what)
            if not count:
                total = np.zeros(pixels.shape, np.float32)
            if pixels.shape != total.shape:
                raise CheckError(f"{what} has the shape {pixels.shape} and the first record {total.shape}; all must have one size. Write the "
                                 "database with -resize_height and -resize_width")
            total += pixels
            count += 1
            progress(count)
    if not count:
        raise CheckError(f"the LMDB '{path}' is empty; it must hold at least one record")
    return total / np.float32(count), count


def channel_means(mean: np.ndarray) -> list[float]:
    """Mean of each channel, added in float32 one value after the other as compute_image_mean does.

    Parameters
    ----------
    mean : (C, H, W) float32
    """
    planes = mean.reshape(len(mean), -1)
    return [float(np.cumsum(plane, dtype=np.float32)[-1] / np.float32(plane.size)) if plane.size else 0.0 for plane in planes]


def mean_blob(mean: np.ndarray) -> Any:
    """The BlobProto that a .binaryproto file holds: (1, C, H, W) in the old four fields.

    Parameters
    ----------
    mean : (C, H, W) float32
    """
    c, h, w = mean.shape
    return caffe_pb2.BlobProto(num=1, channels=c, height=h, width=w, data=mean.reshape(-1).tolist())
