"""Labelled images in an LMDB of Caffe's Datum records."""
from __future__ import annotations

from pathlib import Path

import numpy as np

from pycaffe_acc.datum import datum_pixels, parse_datum
from pycaffe_acc.errors import CheckError
from pycaffe_acc.lmdb_cursor import open_lmdb


class LmdbImages:
    """Records of a database in order of their keys.

    Parameters
    ----------
    path : str or Path
        The LMDB's folder.

    Raises
    ------
    MissingExtraError
        Without the package lmdb.
    MissingFileError, CheckError
    """

    def __init__(self, path: str | Path):
        self.name = f"lmdb:{Path(path).name}"
        self._database = open_lmdb(str(path))
        self._keys: list[bytes] = []
        labels: list[int] = []
        with self._database.environment.begin() as transaction:
            for key, value in transaction.cursor():
                labels.append(parse_datum(bytes(value), f"{self.name}: record {len(labels)}").label)
                self._keys.append(bytes(key))
        self.labels = np.asarray(labels, np.int64)

    def __len__(self) -> int:
        return len(self._keys)

    def read(self, index: int, channels: int) -> np.ndarray:
        """Image `index` as (H, W, channels) uint8, BGR or gray (Caffe's tools write BGR).

        Raises
        ------
        CheckError
            When the record's sizes and values disagree, are floats, or have another number of channels.
        """
        what = f"{self.name}: record {index}"
        with self._database.environment.begin() as transaction:
            datum = parse_datum(bytes(transaction.get(self._keys[index]) or b""), what)
        pixels = datum_pixels(datum, what, force_color=channels == 3, force_gray=channels == 1)
        if pixels.dtype != np.uint8 or len(pixels) != channels:
            raise CheckError(f"{what} holds {pixels.dtype} values with {len(pixels)} channels; the net's input takes uint8 images with {channels}")
        return np.ascontiguousarray(pixels.transpose(1, 2, 0))
