"""One scale and one shift a channel, as SegNet's and the vendor's BN layers use them."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def affine_terms(parameters: Sequence[np.ndarray], eps: float) -> tuple[np.ndarray, np.ndarray]:
    """Scale and shift per channel from (slope, bias) or (slope, bias, mean, variance).

    Parameters
    ----------
    parameters : two or four arrays of C elements
    eps : float
        Added to the variance.

    Returns
    -------
    scale, shift : (C,) float64
    """
    slope, bias = (np.asarray(p, np.float64).reshape(-1) for p in parameters[:2])
    if len(parameters) == 2:
        return slope, bias
    mean, variance = (np.asarray(p, np.float64).reshape(-1) for p in parameters[2:])
    scale = slope / np.sqrt(variance + eps)
    return scale, bias - scale * mean


def channel_affine(x: np.ndarray, parameters: Sequence[np.ndarray], eps: float) -> np.ndarray:
    """scale[c] * x[n, c, …] + shift[c] (float64); see `affine_terms`."""
    scale, shift = (v.reshape((1, -1) + (1,) * (x.ndim - 2)) for v in affine_terms(parameters, eps))
    return np.asarray(x, np.float64) * scale + shift
