"""How many of each layer's weights become zero, when a share of all of them shall."""
from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pycaffe_acc.prune.pattern import unit_scores

_MOST = 0.98  # of a layer: an empty layer cuts the net in two
_HALVINGS = 200


def even_shares(sizes: Mapping[int, int], sparsity: float) -> dict[int, float]:
    """The same share everywhere: by the layers' places."""
    return dict.fromkeys(sizes, sparsity)


def threshold_shares(scores: Mapping[int, np.ndarray], sparsity: float) -> dict[int, float]:
    """One threshold for the scores of all layers.

    Parameters
    ----------
    scores : mapping of int to (units,) float
        By the layers' places, comparable between layers; each stands for as many weights as any other.
    sparsity : float
        Share of all weights. It is met unless every layer would lose more than 98 %.

    Returns
    -------
    dict of int to float
    """
    ranked = {place: np.sort(values) for place, values in scores.items()}
    total = sum(map(len, ranked.values()))

    def shares(threshold: float) -> dict[int, float]:
        return {place: min(float(np.searchsorted(values, threshold)) / len(values), _MOST) for place, values in ranked.items()}
    low, high = -690.0, 690.0  # logarithms
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if sum(share * len(ranked[place]) for place, share in shares(np.exp(middle)).items()) < sparsity * total:
            low = middle
        else:
            high = middle
    return shares(np.exp(high))


def magnitude_scores(rows: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """What a layer loses with each unit of weights, as a share of what is left of it when all smaller ones are gone.

    w_i^2 / sum of w_j^2 over all w_j that are not smaller (Lee et al., "Layer-adaptive Sparsity for the Magnitude-based Pruning", ICLR 2021).

    Parameters
    ----------
    rows : (…, columns) float32
    starts : (units,) int64
        See `pycaffe_acc.prune.pattern.unit_starts`.

    Returns
    -------
    (units of all rows,) float64
        Not in the rows' order.
    """
    squares = np.sort(unit_scores(np.square(rows, dtype=np.float64), starts).reshape(-1))
    left = np.cumsum(squares[::-1])[::-1]
    return np.divide(squares, left, out=np.zeros_like(squares), where=left > 0)
