"""The vendor's magnitude pruning of one blob: pairs of weights whose larger magnitude is small become zero."""
from __future__ import annotations

import math

import numpy as np

from pycaffe_acc.errors import CheckError


def check_sparsity(sparsity: float) -> float:
    """A share of zeros.

    Raises
    ------
    CheckError
        Unless 0 <= sparsity < 1.
    """
    if not 0 <= sparsity < 1:
        raise CheckError(f"the sparsity is {sparsity:g}; it is the share of weights that become zero, at least 0 and less than 1")
    return float(sparsity)


def sparse_filter(values: np.ndarray, sparsity: float, vendor_exact: bool = False) -> np.ndarray:
    """Zero about a share of the weights, in pairs.

    The blob is seen as rows: one for each index of the first two axes, as long as the product of the others (a vector or matrix has rows of one
    element). Rows 2i and 2i + 1 are partners, and so are their elements at the same place: for a convolution two neighbouring input channels at one
    kernel position. A pair's magnitude is the larger of the two. All magnitudes are sorted; the threshold is the one at int(sparsity · pairs), a
    product in float32, and pairs below it become zero. So equal magnitudes at the threshold all stay, and sparsity 0 changes nothing.

    What surprises:

    - With an odd number of channels pairs straddle filters: (filter 0, channel 2) goes with (filter 1, channel 0).
    - Biases are pruned like weights, neighbour with neighbour.
    - A blob of one element stays as it is, whatever the sparsity.
    - The last of an odd number of rows has no partner. With `vendor_exact` it becomes zero, also for sparsity 0, as the vendor's tool writes it
      (the last bias of an odd number of filters, the last channel of a first convolution with an odd number of filters times channels); and the
      number of sorted magnitudes is half the number of elements instead of the number of pairs, where those that are in excess are zeros, so that
      fewer pairs are pruned than asked. Without, such a row stays and is not counted.

    Parameters
    ----------
    values : ndarray, any shape
        Taken as float32. NaN is a magnitude above all others.
    sparsity : float
        0 <= sparsity < 1.
    vendor_exact : bool
        Bit for bit what the vendor's tool writes.

    Returns
    -------
    float32 ndarray of the same shape
        A new array.

    Raises
    ------
    CheckError
        For a sparsity outside its range.
    """
    sparsity = check_sparsity(sparsity)
    source = np.asarray(values, np.float32)
    if source.size <= 1:
        return source.copy()
    stride = math.prod(source.shape[2:])
    rows = source.reshape(-1, stride) if stride else source.reshape(0, 1)
    paired = len(rows) // 2 * 2
    pairs = rows[:paired].reshape(-1, 2, stride)
    magnitudes = np.abs(pairs).max(axis=1)
    ranked = magnitudes.reshape(-1)
    if vendor_exact:
        ranked = np.concatenate([np.zeros(source.size // 2 - ranked.size, np.float32), ranked])
    result = np.zeros_like(rows) if vendor_exact else rows.copy()
    if ranked.size:
        # in float32, where 0.9 of 90 is 81: a prototxt's sparsity is one, and as float64 it is a little less than what was written
        index = min(int(np.float32(sparsity) * np.float32(ranked.size)), ranked.size - 1)
        kept = ~(magnitudes < np.partition(ranked, index)[index])
        result[:paired].reshape(-1, 2, stride)[...] = np.where(kept[:, np.newaxis], pairs, np.float32(0))
    return result.reshape(source.shape)
