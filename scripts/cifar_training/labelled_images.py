"""Labelled 32x32 pictures: CIFAR-10's binary batches, and .npz files."""
from __future__ import annotations

from pathlib import Path

import numpy as np

from pycaffe_acc.errors import CheckError, MissingFileError
from pycaffe_acc.evaluation.array_images import read_npz

CLASSES = 10
SHAPE = (3, 32, 32)
BATCHES = tuple(f"data_batch_{i}.bin" for i in range(1, 6))
_PIXELS = 3 * 32 * 32


def read_binary_batch(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """One file of CIFAR-10's binary version: records of a label byte and 3072 bytes, the red plane, the green, the blue.

    Parameters
    ----------
    path : Path

    Returns
    -------
    (N, 3, 32, 32) uint8 RGB, (N,) int64

    Raises
    ------
    MissingFileError, CheckError
    """
    if not path.is_file():
        raise MissingFileError(path, "CIFAR-10 batch")
    data = np.fromfile(path, np.uint8)
    if data.size == 0 or data.size % (1 + _PIXELS):
        raise CheckError(f"{path}: has {data.size} bytes, no whole number of records of {1 + _PIXELS}; it is no batch of CIFAR-10's binary version, "
                         "or its download ended early")
    records = data.reshape(-1, 1 + _PIXELS)
    labels = records[:, 0].astype(np.int64)
    if labels.max() >= CLASSES:
        raise CheckError(f"{path}: record {int(labels.argmax())} has the label {labels.max()}; CIFAR-10's are 0 to 9 (CIFAR-100 has two label bytes "
                         "and cannot be read)")
    return np.ascontiguousarray(records[:, 1:]).reshape(-1, *SHAPE), labels


def read_training_set(folder: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """The five training batches of CIFAR-10's binary version, one behind the other.

    Parameters
    ----------
    folder : str or Path
        Holds data_batch_1.bin to data_batch_5.bin.

    Returns
    -------
    (N, 3, 32, 32) uint8 RGB, (N,) int64

    Raises
    ------
    MissingFileError, CheckError
    """
    folder = Path(folder)
    if (folder / "data_batch_1").is_file() and not (folder / BATCHES[0]).is_file():
        raise CheckError(f"{folder}: holds the Python version of CIFAR-10, which is pickled; take the binary version (cifar-10-binary.tar.gz)")
    parts = [read_binary_batch(folder / name) for name in BATCHES]
    return np.concatenate([images for images, _ in parts]), np.concatenate([labels for _, labels in parts])


def read_labelled(path: str | Path) -> tuple[np.ndarray, np.ndarray]:
    """Pictures of an .npz file with the arrays `images` (N, 3, 32, 32) uint8 RGB and `labels` (N,).

    Returns
    -------
    (N, 3, 32, 32) uint8 RGB, (N,) int64

    Raises
    ------
    MissingFileError, CheckError
    """
    found = read_npz(path)
    if not len(found) or found.labels.min() < 0 or found.labels.max() >= CLASSES:
        raise CheckError(f"{path}: must hold pictures with labels from 0 to {CLASSES - 1}")
    images = np.stack([found.read(i, 3)[:, :, ::-1].transpose(2, 0, 1) for i in range(len(found))])
    if images.shape[1:] != SHAPE:
        raise CheckError(f"{path}: its pictures are {images.shape[1:]}; the net takes {SHAPE}")
    return images, found.labels


def read_mean(path: str | Path) -> np.ndarray:
    """The mean that is taken from every picture: a .npy array of (3, 32, 32), or of one value per channel; RGB.

    Returns
    -------
    (3, 32, 32) float32

    Raises
    ------
    MissingFileError, CheckError
    """
    if not Path(path).is_file():
        raise MissingFileError(path, "mean file")
    try:
        mean = np.load(path, allow_pickle=False)
    except (ValueError, OSError) as e:
        raise CheckError(f"{path}: is no .npy array ({e})") from e
    if mean.shape == (3,):
        mean = mean[:, None, None]
    if mean.shape not in (SHAPE, (3, 1, 1)):
        raise CheckError(f"{path}: the mean has the shape {mean.shape}; it must be {SHAPE} or (3,)")
    return np.broadcast_to(mean, SHAPE).astype(np.float32)


def centred(images: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """What the net takes: (N, 3, 32, 32) uint8 less the mean, float32, not scaled."""
    return images.astype(np.float32) - mean
