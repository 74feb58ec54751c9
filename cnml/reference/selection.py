"""Items of a batch, picked."""
from __future__ import annotations

import numpy as np


def batch_reindex(x: np.ndarray, index: np.ndarray) -> np.ndarray:
    """x[int(index)] along axis 0.

    Parameters
    ----------
    x : (N, ...) ndarray
    index : (M,) ndarray
        Whole numbers in 0..N-1.

    Returns
    -------
    (M, ...) ndarray
    """
    return x[np.asarray(index).reshape(-1).astype(np.int64)]


def filter_items(x: np.ndarray, selector: np.ndarray) -> np.ndarray:
    """The items whose selector is not 0.

    Parameters
    ----------
    x : (N, ...) ndarray
    selector : (N, ...) ndarray of N values

    Returns
    -------
    (M, ...) ndarray, M possibly 0
    """
    return x[np.asarray(selector).reshape(-1) != 0]
