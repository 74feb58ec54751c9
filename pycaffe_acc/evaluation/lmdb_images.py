"""Labelled images in an LMDB of Caffe's Datum records."""
from __future__ import annotations

from pathlib import Path

import numpy as np

from pycaffe_acc.errors import CheckError, MissingExtraError, MissingFileError
from pycaffe_acc.image_load import decode_bgr
from pycaffe_acc.proto import caffe_pb2

try:
    import lmdb
except ImportError:
    lmdb = None


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
        if lmdb is None:
            raise MissingExtraError("reading an LMDB needs the package lmdb: pip install 'pycaffe-acc[data]'")
        path = Path(path)
        if not path.exists():
            raise MissingFileError(path, "LMDB")
        self.name = f"lmdb:{path.name}"
        try:
            # no lock: a reader must work on read-only media; no readahead: records are read in any order by several threads
            self._env = lmdb.open(str(path), readonly=True, lock=False, readahead=False, subdir=path.is_dir(), max_readers=512)
        except lmdb.Error as e:
            raise CheckError(f"{path}: could not be opened as an LMDB: {e}") from e
        self._keys, labels = [], []
        with self._env.begin() as transaction:
            for key, value in transaction.cursor():
                self._keys.append(bytes(key))
                labels.append(self._datum(value).label)
        self.labels = np.asarray(labels, np.int64)

    def __len__(self) -> int:
        return len(self._keys)

    def _datum(self, value: bytes):  # type: ignore[no-untyped-def]
        datum = caffe_pb2.Datum()
        try:
            datum.ParseFromString(bytes(value))
        except Exception as e:  # the decode error's class differs between protobuf versions
            raise CheckError(f"{self.name}: record {len(self._keys)} is no Datum message: {e}") from e
        return datum

    def read(self, index: int, channels: int) -> np.ndarray:
        """Image `index` as (H, W, channels) uint8, BGR or gray (Caffe's tools write BGR).

        Raises
        ------
        CheckError
            When the record has another size than it says, or another number of channels.
        """
        with self._env.begin() as transaction:
            datum = self._datum(transaction.get(self._keys[index]))
        if datum.encoded:
            pixels = decode_bgr(datum.data, gray=channels == 1)
            return pixels[:, :, None] if pixels.ndim == 2 else pixels
        shape = (datum.channels, datum.height, datum.width)
        values = np.frombuffer(datum.data, np.uint8)
        if min(shape) < 1 or values.size != shape[0] * shape[1] * shape[2]:
            raise CheckError(f"{self.name}: record {index} has {values.size} bytes and says (C, H, W) = {shape}; only Datum records with uint8 data "
                             "can be evaluated")
        if datum.channels != channels:
            raise CheckError(f"{self.name}: record {index} has {datum.channels} channels and the net's input has {channels}")
        return np.ascontiguousarray(values.reshape(shape).transpose(1, 2, 0))
