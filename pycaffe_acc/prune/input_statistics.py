"""How the inputs of a layer vary together, in the net as it was and in the net that is being pruned."""
from __future__ import annotations

import numpy as np


class InputStatistics:
    """Second moments over samples that come in parts; only the moments are kept.

    Parameters
    ----------
    columns : int
        Inputs.
    centred : bool
        Leave the means out, because a bias behind the layer can take their share.
    """

    def __init__(self, columns: int, centred: bool):
        self._centred = centred
        self._products = np.zeros((columns, columns))
        self._crossed = np.zeros((columns, columns))
        self._sum, self._sum_before = np.zeros(columns), np.zeros(columns)
        self.samples = 0

    def see(self, before: np.ndarray, now: np.ndarray) -> None:
        """Add samples: (n, columns) float32 of the net as it was, and the same places of the net as it is now."""
        self._products += now.T @ now
        self._crossed += before.T @ now
        self._sum += now.sum(0, dtype=np.float64)
        self._sum_before += before.sum(0, dtype=np.float64)
        self.samples += len(now)

    def covariance(self) -> np.ndarray:
        """Of the present inputs: (columns, columns) float64."""
        return self._moment(self._products, self._sum)

    def crossed(self) -> np.ndarray:
        """Of the former inputs (rows) with the present ones (columns): (columns, columns) float64."""
        return self._moment(self._crossed, self._sum_before)

    def _moment(self, products: np.ndarray, left: np.ndarray) -> np.ndarray:
        mean = products / self.samples
        if self._centred:
            mean -= np.outer(left / self.samples, self._sum / self.samples)
        return mean
