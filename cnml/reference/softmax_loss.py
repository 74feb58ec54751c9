"""Losses on a softmax: cross entropy, and information gain, in float64."""
from __future__ import annotations

import numpy as np

from cnml.reference.loss_normalizer import Normalization, loss_normalizer
from cnml.reference.softmax import softmax

#: smallest probability that is told apart from 0: FLT_MIN of C
SMALLEST = float(np.finfo(np.float32).tiny)
#: the threshold of the losses that look probabilities up in a matrix or get them from outside
THRESHOLD = 1e-20


def _flat(x: np.ndarray, labels: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """(outer, classes, inner) probabilities and (outer, inner) integer labels."""
    outer = int(np.prod(x.shape[:axis], dtype=np.int64))
    p = softmax(x, axis).reshape(outer, x.shape[axis], -1)
    return p, np.asarray(labels).reshape(p.shape[0], p.shape[2]).astype(np.int64)


def softmax_loss(x: np.ndarray, labels: np.ndarray, axis: int, ignore: int | None, normalization: Normalization) -> np.ndarray:
    """mean of -log(max(softmax(x)[label], FLT_MIN)).

    Parameters
    ----------
    x : ndarray
        Scores; classes along `axis`.
    labels : ndarray
        As many as x has lines along `axis`; truncated to integers.
    axis : int
    ignore : int or None
        Label of outputs that do not count.
    normalization : Normalization

    Returns
    -------
    float64 scalar array
    """
    p, y = _flat(x, labels, axis)
    counted = np.ones(y.shape, bool) if ignore is None else y != ignore
    picked = np.take_along_axis(p, np.where(counted, y, 0)[:, None, :], 1)[:, 0, :]
    total = -np.log(np.maximum(picked[counted], SMALLEST)).sum()
    return np.asarray(total / loss_normalizer(normalization, p.shape[0], p.shape[2], int(counted.sum())))


def infogain_loss(x: np.ndarray, labels: np.ndarray, matrix: np.ndarray, axis: int, ignore: int | None,
                  normalization: Normalization) -> tuple[np.ndarray, np.ndarray]:
    """mean of -sum over l of H[label, l] * log(max(softmax(x)[l], 1e-20)).

    Parameters
    ----------
    x, labels, axis, ignore, normalization
        As in `softmax_loss`.
    matrix : (classes, classes) ndarray
        H, in any shape of that size.

    Returns
    -------
    loss : float64 scalar array
    probabilities : float64 ndarray of x's shape
    """
    p, y = _flat(x, labels, axis)
    classes = p.shape[1]
    counted = np.ones(y.shape, bool) if ignore is None else y != ignore
    rows = np.asarray(matrix, np.float64).reshape(classes, classes)[np.where(counted, y, 0)]
    terms = (rows * np.log(np.maximum(p, THRESHOLD)).transpose(0, 2, 1)).sum(axis=2)
    loss = -terms[counted].sum() / loss_normalizer(normalization, p.shape[0], p.shape[2], int(counted.sum()))
    return np.asarray(loss), p.reshape(x.shape)
