"""Weights in half precision."""
from __future__ import annotations

import numpy as np

from cnml.parameter import aligned_empty
from cnml.reference.half import half_bits, round_half

_PART = 1 << 20


def half_name(kernel: str) -> str:
    """Name of the kernel that does the same with weights in half precision."""
    return kernel.replace("_f32_", "_f16_")


def stored_half(weights: np.ndarray) -> np.ndarray:
    """Packed weights as the kernels with names `…_f16_…` read them.

    Parameters
    ----------
    weights : ndarray of float32

    Returns
    -------
    ndarray of uint16
        The nearest halves (`cnml.reference.half.half_bits`) in the same order, 64-byte aligned.
    """
    flat = weights.reshape(-1)
    stored = aligned_empty(flat.shape, np.uint16)
    for start in range(0, flat.size, _PART):  # a part at a time: the intermediate arrays stay in cache
        stored[start:start + _PART] = half_bits(flat[start:start + _PART])
    return stored.reshape(weights.shape)


def rounded_half(weights: np.ndarray) -> np.ndarray:
    """Weights in half precision, as float32.

    Parameters
    ----------
    weights : ndarray of float32

    Returns
    -------
    ndarray of float32
    """
    flat = weights.reshape(-1)
    rounded = aligned_empty(flat.shape)
    for start in range(0, flat.size, _PART):
        rounded[start:start + _PART] = round_half(flat[start:start + _PART])
    return rounded.reshape(weights.shape)
