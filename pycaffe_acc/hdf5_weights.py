"""Weights as HDF5: /data/<layer>/<index>, one dataset for each blob.

HDF5 is a file system in a file: links that lead to other files, datasets whose bytes are somewhere else, and shapes of any size over no bytes at all.
Only plain datasets inside the file are read, and only after their shape was found to be the one that is wanted.
"""
from __future__ import annotations

import importlib
import math
import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnrt.whole_file import whole_file
from pycaffe_acc.errors import MissingExtraError, WeightsError

_MAGIC = b"\x89HDF\r\n\x1a\n"
_MAX_LAYERS = 100_000
_MAX_DEPTH = 16
_SPARE_CHUNK_BYTES = 64 << 20


def is_hdf5(start: bytes) -> bool:
    """Whether a file's first eight bytes are HDF5's."""
    return start == _MAGIC


def _h5py() -> Any:
    try:
        return importlib.import_module("h5py")
    except ImportError as e:
        raise MissingExtraError("HDF5 weights need h5py: pip install 'pycaffe-acc[data]'") from e


@dataclass(frozen=True)
class HDF5Blob:
    """A dataset of a file; opened when its values are wanted.

    Attributes
    ----------
    path : str
        The file.
    name : str
        Inside the file: "/data/conv1/0".
    shape : tuple of int
    """

    path: str
    name: str
    shape: tuple[int, ...]
    is_legacy: bool = False
    is_raw: bool = False

    def array(self) -> np.ndarray:
        """The values.

        Returns
        -------
        float32 ndarray of `shape`

        Raises
        ------
        WeightsError
            When the dataset cannot be read, or has changed.
        """
        h5py = _h5py()
        try:
            with h5py.File(self.path, "r") as file:
                data = file[self.name]
                _check_dataset(data, self.path)
                if tuple(data.shape) != self.shape:
                    raise WeightsError(f"{self.path}: dataset {self.name} changed its shape while it was read")
                with np.errstate(all="ignore"):
                    return np.asarray(data[()]).astype(np.float32, copy=False)
        except (OSError, KeyError, RuntimeError, ValueError) as e:
            raise _damaged(self.path, e) from e


def stored_hdf5_layers(path: str) -> list[tuple[str, list[HDF5Blob | None]]]:
    """The layers of a weight file.

    Parameters
    ----------
    path : str

    Returns
    -------
    list of (layer name, blobs)
        In HDF5's order of names. A layer name with slashes is a path of groups. None stands for a blob that is not there: one that the layer shares
        with another is stored once.

    Raises
    ------
    WeightsError
        For a file without /data, with links or datasets that lead out of it, or with datasets that are no arrays of numbers.
    MissingExtraError
        Without h5py.
    """
    h5py = _h5py()
    try:
        with h5py.File(path, "r") as file:
            data = _member(file, "data", path)
            if not isinstance(data, h5py.Group):
                raise WeightsError(f"{path}: has no group /data; Caffe's HDF5 weights are /data/<layer>/<index>")
            layers: list[tuple[str, list[HDF5Blob | None]]] = []
            _walk(data, "", path, layers, 0)
            return layers
    except (OSError, KeyError, RuntimeError, ValueError) as e:
        raise _damaged(path, e) from e


def _damaged(path: str, cause: Exception) -> WeightsError:
    return cause if isinstance(cause, WeightsError) else WeightsError(f"{path}: is no readable HDF5 file: {cause}")


def _member(group: Any, name: str, path: str) -> Any:
    """A member by a hard link; other links are refused, since they may lead to any file."""
    link = group.get(name, getlink=True)
    if link is None:
        return None
    if not isinstance(link, _h5py().HardLink):
        raise WeightsError(f"{path}: {group.name}/{name} is a {type(link).__name__}; links may lead out of the file "
                           "and are not followed. Write the arrays themselves")
    return group[name]


def _walk(group: Any, prefix: str, path: str, layers: list[tuple[str, list[HDF5Blob | None]]], depth: int) -> None:
    h5py = _h5py()
    if depth > _MAX_DEPTH or len(layers) > _MAX_LAYERS:
        raise WeightsError(f"{path}: {group.name} is nested more than {_MAX_DEPTH} deep, or there are more than {_MAX_LAYERS} layers; "
                           "this is no weight file")
    blobs: dict[int, HDF5Blob] = {}
    for name in group:
        member = _member(group, name, path)
        if isinstance(member, h5py.Dataset):
            if not name.isascii() or not name.isdigit() or len(name) > 3:
                raise WeightsError(f"{path}: dataset {member.name}: the blobs of a layer are named 0, 1, 2 …")
            _check_dataset(member, path)
            blobs[int(name)] = HDF5Blob(path, member.name, tuple(int(d) for d in member.shape))
        elif isinstance(member, h5py.Group):
            _walk(member, f"{prefix}{name}/", path, layers, depth + 1)
            if not len(member):
                layers.append((prefix + name, []))
    if blobs:
        layers.append((prefix[:-1], [blobs.get(i) for i in range(max(blobs) + 1)]))


def _check_dataset(data: Any, path: str) -> None:
    if data.is_virtual or data.external:
        raise WeightsError(f"{path}: dataset {data.name} keeps its values in other files; only values inside the file are read")
    if data.dtype.kind not in "fiu" or data.shape is None:
        raise WeightsError(f"{path}: dataset {data.name} has the type {data.dtype}; weights are numbers")
    if data.chunks is not None:
        chunk, whole = math.prod(data.chunks) * data.dtype.itemsize, math.prod(data.shape) * data.dtype.itemsize
        if chunk > 16 * whole + _SPARE_CHUNK_BYTES:
            raise WeightsError(f"{path}: dataset {data.name} has {whole} bytes in chunks of {chunk}; reading it would take far more "
                               "memory than its values")


def save_hdf5(path: str | os.PathLike[str], layers: Iterable[Any], write_diff: bool = False) -> None:
    """Write weights as /data/<layer>/<index>; the file has the name only when it is whole.

    Parameters
    ----------
    path : str or Path
    layers : iterable
        Objects with `name` and `blobs` (objects with `array`). A blob that several layers share is written for the first one.
    write_diff : bool
        Also write /diff, zeros: Caffe's solvers expect it when told so.

    Raises
    ------
    MissingExtraError, OSError
    """
    h5py = _h5py()
    written: set[int] = set()
    with whole_file(path) as part, h5py.File(part, "w") as file:
        groups = [file.create_group("data")] + ([file.create_group("diff")] if write_diff else [])
        for layer in layers:
            for group in groups:
                group.require_group(layer.name) if layer.name else None
            for i, blob in enumerate(layer.blobs):
                values = np.asarray(blob.array)
                place = values.__array_interface__["data"][0]
                if values.size and place in written:
                    continue
                written.add(place)
                for group in groups:
                    group.create_dataset(f"{layer.name}/{i}", data=values if group is groups[0] else np.zeros_like(values))


def load_hdf5(path: str | os.PathLike[str]) -> dict[str, list[np.ndarray]]:
    """All arrays of a weight file by layer name.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    dict of str to list of float32 ndarray
        Without the blobs that another layer holds.
    """
    return {name: [blob.array() for blob in blobs if blob is not None] for name, blobs in stored_hdf5_layers(os.fspath(path))}
