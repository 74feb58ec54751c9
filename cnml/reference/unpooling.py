"""Taps of the unpooling methods, one axis at a time."""
from __future__ import annotations

import numpy as np

from cnml.reference.resample import Taps, dense_taps, single_taps


def unpooling_taps(method: str, size: int, out: int, kernel: int, stride: int, pad: int) -> Taps:
    """Taps of one axis: input i covers the outputs i * stride - pad … + kernel - 1.

    FIXED puts it into the middle one (a later input replaces an earlier), REP into all of them and DIV a share 1 / window; outputs that several
    inputs cover get their mean. All three are products of a rule for rows and one for columns.

    Parameters
    ----------
    method : {"FIXED", "DIV", "REP"}
    size, out : int
    kernel, stride, pad : int

    Returns
    -------
    Taps
    """
    start = np.arange(size) * stride - pad
    if method == "FIXED":
        index = np.full(out, -1, np.int64)
        # C's division truncates towards zero
        middle = np.clip(np.trunc((2 * start + kernel - 1) / 2).astype(np.int64), 0, out - 1)
        for i, m in enumerate(middle):
            index[m] = i
        return single_taps(index)
    position = np.arange(out)[:, None]
    covers = (position >= start) & (position < np.minimum(start + kernel, out))
    # a window counts what lies in the padding, but not what lies beyond it
    window = np.minimum(start + kernel, out + pad) - start
    share = 1.0 / np.maximum(covers.sum(axis=1, keepdims=True), 1)
    return dense_taps(covers * share / (window if method == "DIV" else 1))
