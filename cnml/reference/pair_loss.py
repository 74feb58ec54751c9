"""Losses that compare two inputs value by value, in float64."""
from __future__ import annotations

import numpy as np

from cnml.reference.loss_normalizer import Normalization, loss_normalizer
from cnml.reference.softmax_loss import THRESHOLD


def _rows(x: np.ndarray) -> np.ndarray:
    return np.asarray(x, np.float64).reshape(len(x), -1)


def sigmoid_cross_entropy_loss(x: np.ndarray, target: np.ndarray, ignore: int | None, normalization: Normalization) -> np.ndarray:
    """-(t log s(x) + (1 - t) log(1 - s(x))), s the logistic function, written so that exp never overflows.

    Parameters
    ----------
    x, target : ndarray of the same size
    ignore : int or None
        Targets whose integer part is this do not count.
    normalization : Normalization

    Returns
    -------
    float64 scalar array
    """
    v, t = _rows(x).reshape(-1), _rows(target).reshape(-1)
    counted = np.ones(v.shape, bool) if ignore is None else np.trunc(t) != ignore
    positive = v >= 0
    terms = v * (t - positive) - np.log1p(np.exp(v - 2 * v * positive))
    outer = len(x)
    return np.asarray(-terms[counted].sum() / loss_normalizer(normalization, outer, v.size // max(outer, 1), int(counted.sum())))


def euclidean_loss(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """sum (a - b)^2 / (2 N).

    Parameters
    ----------
    a, b : (N, ...) ndarray with the same number of values

    Returns
    -------
    float64 scalar array
    """
    d = _rows(a) - _rows(b)
    return np.asarray((d * d).sum() / len(a) / 2)


def hinge_loss(x: np.ndarray, labels: np.ndarray, squared: bool) -> np.ndarray:
    """sum of max(0, 1 + s)^p / N, s the scores with the label's negated, p = 1 or 2.

    Parameters
    ----------
    x : (N, ...) ndarray
    labels : (N, ...) ndarray
        The first value of each item names a score of the flattened item.
    squared : bool
        p = 2 (norm L2).

    Returns
    -------
    float64 scalar array
    """
    s = _rows(x).copy()
    y = np.asarray(labels).reshape(-1)[:len(s)].astype(np.int64)
    s[np.arange(len(s)), y] *= -1
    margin = np.maximum(0.0, 1.0 + s)
    return np.asarray((margin * margin if squared else margin).sum() / len(s))


def contrastive_loss(a: np.ndarray, b: np.ndarray, similar: np.ndarray, margin: float, legacy: bool) -> np.ndarray:
    """1/(2N) sum of d^2 where similar, max(margin - d, 0)^2 elsewhere; d the distance of a row of a and b.

    Parameters
    ----------
    a, b : (N, C, ...) ndarray
    similar : (N, ...) ndarray
        Integer part not 0 where the pair belongs together.
    margin : float
    legacy : bool
        max(margin - d^2, 0) for pairs apart.

    Returns
    -------
    float64 scalar array
    """
    square = ((_rows(a) - _rows(b)) ** 2).sum(axis=1)
    apart = np.maximum(margin - square, 0.0) if legacy else np.maximum(margin - np.sqrt(square), 0.0) ** 2
    same = np.trunc(np.asarray(similar, np.float64).reshape(-1)) != 0
    return np.asarray(np.where(same, square, apart).sum() / len(square) / 2)


def multinomial_logistic_loss(p: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """mean of -log(max(p[label], 1e-20)) over N items.

    Parameters
    ----------
    p : (N, ...) ndarray
        Probabilities.
    labels : (N, ...) ndarray

    Returns
    -------
    float64 scalar array
    """
    rows = _rows(p)
    picked = rows[np.arange(len(rows)), np.asarray(labels).reshape(-1)[:len(rows)].astype(np.int64)]
    return np.asarray(-np.log(np.maximum(picked, THRESHOLD)).sum() / len(rows))
