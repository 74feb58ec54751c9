"""The largest magnitude of an array, and what makes one useless."""
from __future__ import annotations

from typing import Any

import numpy as np

from pycaffe_acc.errors import CheckError


def absmax(values: np.ndarray, layer: Any, what: str) -> np.float32:
    """The largest magnitude of an array.

    Parameters
    ----------
    values : ndarray of float32
    layer : LayerParameter
        Named in the message.
    what : str
        Which array it is ("bottom 'data'").

    Returns
    -------
    float32
        0 for an empty array.

    Raises
    ------
    CheckError
        For NaN and infinities, naming layer and array.
    """
    if not values.size:
        return np.float32(0)
    largest = np.maximum(values.max(), -values.min())
    if not np.isfinite(largest):
        raise CheckError(f"layer '{layer.name}' ({layer.type}): {what} holds {'NaN' if np.isnan(largest) else 'an infinity'}; "
                         "a range must be finite. Check weights, mean and std")
    return np.float32(largest)
