"""Where labelled images come from."""
from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np

from pycaffe_acc.errors import CheckError
from pycaffe_acc.evaluation.array_images import read_mnist, read_npz
from pycaffe_acc.evaluation.image_list import read_image_list
from pycaffe_acc.evaluation.lmdb_images import LmdbImages

KINDS = ("mnist", "cifar10", "lmdb", "list")


class Dataset(Protocol):
    """Labelled images that can be read in any order, by several threads at once.

    Attributes
    ----------
    name : str
    labels : (N,) int64
    """

    name: str
    labels: np.ndarray

    def __len__(self) -> int:
        """Number of images."""

    def read(self, index: int, channels: int) -> np.ndarray:
        """Image `index`: (H, W, channels) uint8, BGR or gray."""


def open_dataset(spec: str, root: str | Path | None = None, as_pycaffe: bool = False) -> Dataset:
    """Open images by a word and a path.

    Parameters
    ----------
    spec : str
        `list:FILE` (lines of "path label"), `mnist:DIR` (idx files), `cifar10:FILE.npz` (arrays images and labels) or `lmdb:DIR` (Caffe's Datum
        records).
    root : str or Path, optional
        Folder of a list's pictures.
    as_pycaffe : bool
        Decode a list's pictures as pycaffe does.

    Returns
    -------
    Dataset

    Raises
    ------
    CheckError
        For an unknown word.
    """
    kind, _, path = spec.partition(":")
    if kind not in KINDS or not path:
        raise CheckError(f"dataset '{spec}' is not of the form KIND:PATH with one of the kinds {', '.join(KINDS)}")
    if kind == "mnist":
        return read_mnist(path)
    if kind == "cifar10":
        return read_npz(path)
    if kind == "lmdb":
        return LmdbImages(path)
    return read_image_list(path, root, as_pycaffe)
