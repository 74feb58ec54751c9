"""ShuffleNet's channel shuffle."""
from __future__ import annotations

import numpy as np


def shuffle_channel(x: np.ndarray, group: int) -> np.ndarray:
    """Channels (group, C / group) transposed: y[:, j * group + g] = x[:, g * (C / group) + j].

    Parameters
    ----------
    x : (N, C, …) ndarray
    group : int
        Divides C.

    Returns
    -------
    ndarray shaped like `x`
    """
    n, c = x.shape[:2]
    return x.reshape((n, group, c // group) + x.shape[2:]).swapaxes(1, 2).reshape(x.shape)
