"""Checks of label inputs, shared by losses and accuracy."""
from __future__ import annotations

import numpy as np

from cnml.errors import CnmlError
from cnml.operator import Operator


def check_labels(op: Operator, labels: np.ndarray, classes: int, ignore: int | None = None) -> None:
    """Refuse labels outside 0..classes-1, except the ignored one.

    Caffe's release builds read memory beyond the scores instead.

    Parameters
    ----------
    op : Operator
        Named in the message.
    labels : ndarray
        Truncated to integers.
    classes : int
    ignore : int or None

    Raises
    ------
    CnmlError
        With the first bad label and its place.
    """
    values = np.asarray(labels, np.float64).reshape(-1)
    y = np.trunc(values)
    bad = ~((y >= 0) & (y < classes))
    if ignore is not None:
        bad &= y != ignore
    if bad.any():
        at = int(np.argmax(bad))
        hint = "" if ignore is None else f", or {ignore} (ignore_label)"
        raise CnmlError(f"{op.kind} '{op.name}': label {at} is {values[at]:g}; labels must be in 0..{classes - 1}{hint}")
