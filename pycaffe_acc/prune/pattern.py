"""Which weights become zero together, and the choice of those that do."""
from __future__ import annotations

import numpy as np

#: neighbouring input channels that live and die together, by the name of the method; 4 is what one INT8 dot product takes
WIDTHS = {"magnitude": 1, "global": 1, "block4": 4}


def unit_starts(channels: int, places: int, width: int) -> np.ndarray:
    """Where the units of a row begin.

    Parameters
    ----------
    channels, places : int
        Of the row's columns: `channels` for each of `places` kernel positions.
    width : int
        Channels of a unit. Units begin at multiples of it; the last one of a position is shorter where it does not divide the channels.

    Returns
    -------
    (units,) int64
    """
    return (np.arange(places)[:, None] * channels + np.arange(0, channels, width)).reshape(-1)


def unit_scores(scores: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """The mean score of each unit: (…, columns) → (…, units)."""
    sizes = np.diff(starts, append=scores.shape[-1])
    if (sizes == 1).all():
        return scores
    return np.asarray(np.add.reduceat(scores, starts, axis=-1) / sizes)


def keep_mask(scores: np.ndarray, starts: np.ndarray, share: float) -> np.ndarray:
    """The weights that stay.

    Parameters
    ----------
    scores : (…, columns) float
        What is lost without each weight.
    starts : (units,) int64
        Of a row, see `unit_starts`.
    share : float
        Of the weights to become zero; met to within one unit.

    Returns
    -------
    bool ndarray of the shape of `scores`
        Units with the smallest mean scores are False; of equal ones the first.
    """
    columns = scores.shape[-1]
    sizes = np.diff(starts, append=columns)
    means = unit_scores(scores, starts).reshape(-1)
    order = np.argsort(means, kind="stable")
    weighed = np.cumsum(np.broadcast_to(sizes, (*scores.shape[:-1], len(sizes))).reshape(-1)[order])
    gone = int(np.searchsorted(weighed, round(share * scores.size), side="right"))
    kept = np.ones(means.size, bool)
    kept[order[:gone]] = False
    return np.repeat(kept.reshape(*scores.shape[:-1], len(sizes)), sizes, axis=-1)
