"""The labelled images of a suite's models."""
from __future__ import annotations

from pathlib import Path

import numpy as np

from pycaffe_acc.errors import CheckError
from pycaffe_acc.evaluation.dataset import Dataset, open_dataset
from pycaffe_acc.evaluation.provider import image_name
from pycaffe_acc.preprocess import Preprocess, preprocess_profile
from pycaffe_acc.suite.photographs import Photographs
from pycaffe_acc.suite.plan import ImageSet


class ChosenImages:
    """Some images of a data set, in its order.

    Parameters
    ----------
    dataset : Dataset
    numbers : ndarray of int
    about : str
        Which, behind the set's name.
    """

    def __init__(self, dataset: Dataset, numbers: np.ndarray, about: str):
        self._dataset, self._numbers = dataset, numbers
        self.labels = np.asarray(dataset.labels)[numbers]
        self.name = f"{dataset.name} ({about})"

    def __len__(self) -> int:
        return len(self._numbers)

    def read(self, index: int, channels: int) -> np.ndarray:
        """Image `index` of the chosen ones, as `Dataset.read`."""
        return self._dataset.read(int(self._numbers[index]), channels)

    def where(self, index: int) -> str:
        """What an image is called."""
        return image_name(self._dataset, int(self._numbers[index]))


def open_images(images: ImageSet, data: Path, as_pycaffe: bool = False) -> Dataset:
    """A suite's images.

    Parameters
    ----------
    images : ImageSet
    data : Path
        Folder that its paths are below.
    as_pycaffe : bool
        See `open_dataset`.

    Raises
    ------
    CaffeError
        For files that are not there, or a choice that leaves nothing.
    """
    if images.dataset:
        kind, _, path = images.dataset.partition(":")
        dataset = open_dataset(f"{kind}:{data / path}", None, as_pycaffe)
    else:
        dataset = open_dataset(f"list:{data / images.list}", data / images.root if images.root else None, as_pycaffe)
    numbers = np.arange(len(dataset))
    words = []
    if images.only_every is not None:
        numbers, words = numbers[numbers % images.only_every == 0], [f"every {images.only_every}th"]
    if images.not_every is not None:
        numbers, words = numbers[numbers % images.not_every != 0], [f"all but every {images.not_every}th"]
    if images.limit is not None:
        numbers, words = numbers[:images.limit], [*words, f"the first {images.limit}"]
    if not len(numbers):
        raise CheckError(f"{dataset.name}: the suite's choice ({', '.join(words)}) leaves no images")
    chosen = ChosenImages(dataset, numbers, ", ".join(words)) if words else dataset
    return Photographs(chosen, images.enlarged) if images.enlarged is not None else chosen


def spread(dataset: Dataset, limit: int | None) -> Dataset:
    """At most so many images, from all over a set: the first ones may be of one class."""
    if limit is None or limit >= len(dataset):
        return dataset
    return ChosenImages(dataset, np.arange(limit) * len(dataset) // limit, f"{limit} of {len(dataset)}, evenly spread")


def open_preprocess(given: dict[str, str], data: Path) -> Preprocess:
    """A suite's preprocessing; a mean that is a file is below the data folder.

    Raises
    ------
    ImageError
    """
    changes = dict(given)
    if changes.get("mean", "").endswith((".npy", ".binaryproto")):
        changes["mean"] = str(data / changes["mean"])
    return preprocess_profile(changes.pop("profile", "caffe-tool"), **changes)
