"""One layer's pruning with the rest of its weights set anew: group by group, and for very wide rows block of columns by block of columns."""
from __future__ import annotations

from typing import Any

import numpy as np

from pycaffe_acc.errors import CheckError
from pycaffe_acc.prune.input_statistics import InputStatistics
from pycaffe_acc.prune.pattern import keep_mask, unit_starts
from pycaffe_acc.prune.reconstruction import Reconstruction
from pycaffe_acc.prune.weight_rows import WeightRows

_WIDEST = 6400  # columns that are looked at together: a matrix of their squares must fit into memory several times


class LayerProblem:
    """Collects what a layer's inputs are like, and prunes its weights.

    Parameters
    ----------
    layer : LayerParameter
    weights : ndarray of float32
        Blob 0.
    engine : pycaffe_acc.layer.Layer
    centred : bool
        Whether something behind the layer takes a shift of its mean back.
    """

    def __init__(self, layer: Any, weights: np.ndarray, engine: Any, centred: bool):
        self._what, self._engine = f"layer '{layer.name}' ({layer.type})", engine
        self._view = WeightRows.of(layer, weights.shape)
        self._rows = self._view.rows(weights)
        pieces = -(-self._view.columns // _WIDEST)
        step = 4 if self._view.channels % 4 == 0 or self._view.places == 1 else self._view.channels  # units are not cut
        edges = [self._view.columns * k // pieces // step * step for k in range(pieces)] + [self._view.columns]
        self._parts = [(g, slice(a, b)) for g in range(self._view.group) for a, b in zip(edges, edges[1:], strict=False)]
        self._statistics = [InputStatistics(part.stop - part.start, centred) for _, part in self._parts]

    def see(self, before: np.ndarray, now: np.ndarray) -> None:
        """Look at one bottom in the unpruned net and in the pruned one: float32 of one shape."""
        old, new = self._view.inputs(self._engine, before), self._view.inputs(self._engine, now)
        if not np.isfinite(new).all() or not np.isfinite(old).all():
            raise CheckError(f"{self._what}: its bottom holds NaN or an infinity; check weights, mean and std")
        for (g, part), statistics in zip(self._parts, self._statistics, strict=True):
            statistics.see(old[g][:, part], new[g][:, part])

    def _problems(self) -> list[Reconstruction]:
        return [Reconstruction(self._rows[g][:, part], statistics) for (g, part), statistics in zip(self._parts, self._statistics, strict=True)]

    def prune(self, share: float, width: int) -> tuple[np.ndarray, float]:
        """Remove the weights that are worth least.

        Parameters
        ----------
        share : float
            Of the weights, to become zero.
        width : int
            Input channels that become zero together.

        Returns
        -------
        weights : ndarray of float32
            In the blob's shape.
        error : float
            Of the outputs, as a share of their squares; 0 for nothing lost.
        """
        problems = self._problems()
        worth = np.empty(self._rows.shape)
        for (g, part), problem in zip(self._parts, problems, strict=True):
            worth[g][:, part] = problem.saliency(self._starts(part, width))
        return self._solved(problems, keep_mask(worth, unit_starts(self._view.channels, self._view.places, width), share))

    def _starts(self, part: slice, width: int) -> np.ndarray:
        """Where units begin in some of the columns."""
        starts = unit_starts(self._view.channels, self._view.places, width)
        return starts[(starts >= part.start) & (starts < part.stop)] - part.start

    def fill(self, keep: np.ndarray) -> tuple[np.ndarray, float]:
        """Remove given weights: (groups, outputs, columns) bool, False for those. Returns what `prune` does."""
        return self._solved(self._problems(), keep)

    def _solved(self, problems: list[Reconstruction], keep: np.ndarray) -> tuple[np.ndarray, float]:
        result = np.empty_like(self._rows)
        errors = []
        for (g, part), problem in zip(self._parts, problems, strict=True):
            result[g][:, part] = problem.solve(keep[g][:, part])
            errors.append(problem.error(result[g][:, part]))
        return self._view.weights(result), float(np.mean(errors))

    def scores(self, width: int) -> tuple[np.ndarray, float]:
        """What each weight is worth, (groups, outputs, columns) float64, and the power of the layer's outputs in the same unit."""
        worth, power = np.empty(self._rows.shape), 0.0
        for (g, part), statistics in zip(self._parts, self._statistics, strict=True):
            problem = Reconstruction(self._rows[g][:, part], statistics)
            worth[g][:, part] = problem.saliency(self._starts(part, width))
            power += float(((problem.wanted @ problem.covariance) * problem.wanted).sum())
        return worth, power
