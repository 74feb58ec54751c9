"""Labelled images that lie in one array: CIFAR as .npz, MNIST as idx files."""
from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import numpy as np

from pycaffe_acc.errors import CheckError, MissingFileError


class ArrayImages:
    """Images of an array.

    Parameters
    ----------
    images : (N, C, H, W) uint8
        C is 1, or 3 for RGB.
    labels : (N,) int
    name : str
        Shown in reports.
    """

    def __init__(self, images: np.ndarray, labels: np.ndarray, name: str):
        if images.ndim != 4 or images.dtype != np.uint8 or images.shape[1] not in (1, 3):
            raise CheckError(f"{name}: images are {images.dtype} of shape {images.shape}; they must be uint8 (N, 1 or 3, H, W)")
        if labels.shape != images.shape[:1]:
            raise CheckError(f"{name}: {labels.shape} labels for {len(images)} images; there must be one each")
        self._images = images
        self.labels = np.asarray(labels, np.int64)
        self.name = name

    def __len__(self) -> int:
        return len(self._images)

    def read(self, index: int, channels: int) -> np.ndarray:
        """Image `index` as (H, W, channels) uint8, BGR or gray.

        Raises
        ------
        CheckError
            When the images have another number of channels.
        """
        image = self._images[index]
        if len(image) != channels:
            raise CheckError(f"{self.name}: its images have {len(image)} channels and the net's input has {channels}; choose the data set that "
                             "belongs to the net")
        return np.ascontiguousarray(image[::-1].transpose(1, 2, 0))


def read_npz(path: str | Path) -> ArrayImages:
    """Arrays `images` (N, C, H, W) uint8 RGB and `labels` (N,) of an .npz file.

    Raises
    ------
    MissingFileError, CheckError
    """
    path = Path(path)
    if not path.is_file():
        raise MissingFileError(path, "image archive")
    try:
        with np.load(path, allow_pickle=False) as arrays:
            images, labels = arrays["images"], arrays["labels"]
    except (KeyError, ValueError, OSError, zipfile.BadZipFile) as e:
        raise CheckError(f"{path}: not an .npz file with the arrays 'images' and 'labels' ({e})") from e
    return ArrayImages(images, labels, path.name)


def read_mnist(folder: str | Path) -> ArrayImages:
    """MNIST's test set: t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, plain or .gz.

    Raises
    ------
    MissingFileError, CheckError
    """
    folder = Path(folder)
    images = read_idx(_idx_file(folder, "t10k-images-idx3-ubyte"))
    labels = read_idx(_idx_file(folder, "t10k-labels-idx1-ubyte"))
    if images.ndim != 3:
        raise CheckError(f"{folder}: the image file holds an array of shape {images.shape}; it must be (N, H, W)")
    return ArrayImages(images[:, None], labels, f"mnist:{folder.name}")


def _idx_file(folder: Path, name: str) -> Path:
    for candidate in (folder / name, folder / (name + ".gz")):
        if candidate.is_file():
            return candidate
    raise MissingFileError(folder / name, "MNIST file (plain or .gz)")


def read_idx(path: str | Path) -> np.ndarray:
    """An idx file of unsigned bytes.

    Format: two zero bytes, 0x08 for unsigned bytes, number of axes, a big-endian 32-bit extent for each axis, then the values.

    Raises
    ------
    CheckError
        When the header or the length is wrong.
    """
    path = Path(path)
    try:
        data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (OSError, EOFError) as e:
        raise CheckError(f"{path}: could not be read as a gzip file: {e}") from e
    if len(data) < 4 or data[:3] != b"\0\0\x08" or len(data) < 4 + 4 * data[3]:
        raise CheckError(f"{path}: does not begin with the header of an idx file of unsigned bytes")
    shape = tuple(int.from_bytes(data[4 + 4 * i:8 + 4 * i], "big") for i in range(data[3]))
    values = np.frombuffer(data, np.uint8, offset=4 + 4 * len(shape))
    total = 1
    for extent in shape:
        total *= extent
    if total != values.size:
        raise CheckError(f"{path}: the header promises {total} values and {values.size} follow")
    return values.reshape(shape)
