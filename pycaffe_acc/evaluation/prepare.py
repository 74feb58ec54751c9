"""What makes a net's input of a picture, and the check that it does."""
from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pycaffe_acc.errors import CheckError
from pycaffe_acc.evaluation.dataset import Dataset

#: (H, W, C) uint8 → (C, H, W) float32; called from several threads
Prepare = Callable[[np.ndarray], np.ndarray]


def prepared(prepare: Prepare, pixels: np.ndarray, shape: tuple[int, int, int], dataset: Dataset, index: int) -> np.ndarray:
    """A picture as a net takes it.

    Parameters
    ----------
    prepare : callable
    pixels : (H, W, C) uint8
    shape : (int, int, int)
        (C, H, W) of the net's input.
    dataset : Dataset
    index : int
        Which picture of it this is, for the error.

    Returns
    -------
    (C, H, W) float32

    Raises
    ------
    CheckError
        When it gets another shape.
    """
    values = prepare(pixels)
    if values.shape != shape:
        raise CheckError(f"{dataset.name}: image {index} became {values.shape} by preprocessing; the net's input takes {shape}. Choose a profile "
                         "that resizes, or images of the right size")
    return values
