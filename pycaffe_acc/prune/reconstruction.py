"""The remaining weights of a layer take over the work of the removed ones: least squares on typical inputs, without any training.

A weight w of an output is worth w^2 / [H^-1]_ii, where H is the covariance of the inputs: that is by how much the squared error of the output grows
when the weight is removed and all others are set anew (Hassibi and Stork, "Optimal Brain Surgeon", NIPS 1993; layer by layer: Frantar and Alistarh,
"Optimal Brain Compression", NeurIPS 2022). Once it is chosen what stays, the other weights of each output are the solution of a least squares problem
over those alone, found by conjugate gradients for all outputs at once.

What a layer is to reproduce is its output in the unpruned net, given what reaches it in the pruned one. So later layers make good what earlier ones
have lost.
"""
from __future__ import annotations

import numpy as np

from pycaffe_acc.prune.input_statistics import InputStatistics

_DAMPING = 0.01  # of the mean variance, added to each
_SHRINKAGE = 0.1  # added to the damping, times inputs over samples: with few samples correlations are mostly chance
_LEAST = 1e-20  # variance of inputs that never vary
_STEPS = 20
_SMALL = 256  # matrices that are inverted in one piece


class Reconstruction:
    """The least squares problem of rows that share their inputs.

    Parameters
    ----------
    rows : (O, K) float
        Of the unpruned net.
    statistics : InputStatistics
    """

    def __init__(self, rows: np.ndarray, statistics: InputStatistics):
        self.covariance = statistics.covariance()
        inputs = len(self.covariance)
        self._damped = self.covariance.copy()
        self._damped[np.diag_indices(inputs)] += max(float(np.diag(self.covariance).mean()), _LEAST) * (
            _DAMPING + _SHRINKAGE * inputs / statistics.samples)
        self._root = inverse_triangle(np.linalg.cholesky(self._damped))  # damped^-1 = root^T root
        given = rows.astype(np.float64)
        #: the rows that would serve best if nothing were removed: (O, K) float64
        self.wanted = given + (given @ (statistics.crossed() - self.covariance)) @ self._root.T @ self._root

    def saliency(self, starts: np.ndarray | None = None) -> np.ndarray:
        """What each weight is worth.

        Parameters
        ----------
        starts : (units,) int64, optional
            Where units of weights that are removed together begin (`pycaffe_acc.prune.pattern.unit_starts`); each alone without.

        Returns
        -------
        (O, K) float64
            The growth of the squared error when a unit is removed, w_B^T [H^-1]_BB^-1 w_B, shared equally by its weights.
        """
        starts = np.arange(len(self._root)) if starts is None else starts
        sizes = np.diff(starts, append=len(self._root))
        worth = np.empty_like(self.wanted)
        for size in np.unique(sizes):
            columns = starts[sizes == size, None] + np.arange(size)  # (units, size)
            root = self._root[:, columns].transpose(1, 0, 2)
            inner = np.linalg.inv(root.transpose(0, 2, 1) @ root)
            parts = self.wanted[:, columns]
            worth[:, columns] = (np.einsum("oui,uij,ouj->ou", parts, inner, parts, optimize=True) / size)[:, :, None]
        return worth

    def solve(self, keep: np.ndarray) -> np.ndarray:
        """The best rows that are zero where `keep` is False: (O, K) float32."""
        damped, wanted = self._damped.astype(np.float32), self.wanted.astype(np.float32)
        kept = keep.astype(np.float32)
        variance = np.diag(damped)
        found = wanted * kept
        residual = ((wanted - found) @ damped) * kept
        step = residual / variance
        direction = step.copy()
        size = (residual * step).sum(1, keepdims=True)
        for _ in range(_STEPS):
            image = (direction @ damped) * kept
            length = size / np.maximum((direction * image).sum(1, keepdims=True), np.float32(1e-30))
            found += length * direction
            residual -= length * image
            step = residual / variance
            grown = (residual * step).sum(1, keepdims=True)
            direction = step + grown / np.maximum(size, np.float32(1e-30)) * direction
            size = grown
        return np.asarray(found * kept, np.float32)

    def error(self, rows: np.ndarray) -> float:
        """Squared error of rows on the inputs, as a share of what the wanted rows give; 0 where those give nothing."""
        difference = rows - self.wanted
        power = float(((self.wanted @ self.covariance) * self.wanted).sum())
        return float(((difference @ self.covariance) * difference).sum()) / power if power > 0 else 0.0


def inverse_triangle(lower: np.ndarray) -> np.ndarray:
    """Inverse of a lower triangular matrix: (K, K) float64, half by half."""
    size = len(lower)
    if size <= _SMALL:
        return np.tril(np.linalg.inv(lower))
    middle = size // 2
    result = np.zeros_like(lower)
    result[:middle, :middle] = inverse_triangle(lower[:middle, :middle])
    result[middle:, middle:] = inverse_triangle(lower[middle:, middle:])
    result[middle:, :middle] = -result[middle:, middle:] @ (lower[middle:, :middle] @ result[:middle, :middle])
    return result
