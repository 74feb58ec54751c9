"""Suppression for operators that run on the host."""
from __future__ import annotations

import importlib

import numpy as np


def compiled_nms(boxes: np.ndarray, order: np.ndarray, threshold: float, *, eta: float = 1.0, margin: float = 0.0, limit: int = -1) -> np.ndarray:
    """`cnml.reference.nms.nms`, compiled. It has the same parameters and gives the same indices."""
    if len(order) == 0:
        return np.empty(0, np.int64)
    # importing it compiles; nets without detection layers do without Numba's compiler here
    suppress = importlib.import_module("cnml.kernels.nms").suppress
    kept = np.empty(len(order), np.int64)
    count = suppress(np.ascontiguousarray(boxes, np.float32), np.ascontiguousarray(order, np.int64), np.float32(threshold), np.float32(eta),
                     np.float32(margin),
                     len(order) if limit < 0 else limit, kept)
    return kept[:count]
