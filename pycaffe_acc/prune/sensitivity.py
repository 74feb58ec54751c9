"""What pruning one layer alone does to a net's answers, layer by layer and sparsity by sparsity."""
from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pycaffe_acc.errors import CheckError
from pycaffe_acc.prune.prune_net import Pruner
from pycaffe_acc.prune.prune_options import PruneOptions
from pycaffe_acc.prune.sparse_filter import check_sparsity
from pycaffe_acc.quantize.layer_effects import logits, net_scores, sqnr


@dataclass(frozen=True)
class LayerSensitivity:
    """One layer.

    Attributes
    ----------
    name, type : str
    size : int
        Weights.
    scores_db : tuple of float
        For each sparsity: the net's scores against those of the unpruned net, signal to error in dB; infinite without any error.
    top1 : tuple of float
        Percent, against the labels; NaN without labels.
    """

    name: str
    type: str
    size: int
    scores_db: tuple[float, ...]
    top1: tuple[float, ...]


@dataclass(frozen=True)
class Sensitivities:
    """A scan.

    Attributes
    ----------
    method : str
    sparsities : tuple of float
    images : int
    top1 : float
        Of the unpruned net, percent.
    layers : tuple of LayerSensitivity
        In the order of the net.
    """

    method: str
    sparsities: tuple[float, ...]
    images: int
    top1: float
    layers: tuple[LayerSensitivity, ...]

    def worst_first(self) -> list[LayerSensitivity]:
        """By the scores' error in decibels, summed over the sparsities."""
        return sorted(self.layers, key=lambda layer: sum(min(db, 200.0) for db in layer.scores_db))


class SensitivityScan:
    """Prunes one layer after another, by magnitude and without compensation, and puts it back.

    Parameters
    ----------
    model, weights : str or Path
    options : PruneOptions
        Method magnitude, block4 or vendor; its sparsity is not looked at.
    threads : int, optional

    Raises
    ------
    CaffeError
    """

    def __init__(self, model: str | Path, weights: str | Path, options: PruneOptions, threads: int | None = None):
        if options.method not in ("magnitude", "block4", "vendor") or options.needs_images:
            raise CheckError(f"a sensitivity scan prunes by magnitude, block4 or vendor, without compensation; not by {options.method}")
        self._pruner = Pruner(model, weights, options, threads)
        self._options = options
        self.net = self._pruner.net

    def run(self, blob: str, images: Sequence[np.ndarray], labels: np.ndarray | None, sparsities: Sequence[float], output: str | None = None,
            progress: Callable[[list[int]], Iterable[int]] = iter) -> Sensitivities:
        """Scan.

        Parameters
        ----------
        blob : str
            The input for images.
        images : sequence of (N, C, H, W) float32
            Batches.
        labels : (images,) int, optional
        sparsities : sequence of float
        output : str, optional
            The blob with the scores.
        progress : callable
            Wraps the list of layers' places.

        Returns
        -------
        Sensitivities

        Raises
        ------
        CheckError
            For a sparsity outside [0, 1).
        """
        wanted = tuple(check_sparsity(s) for s in sparsities)
        net = self._pruner.open()
        reference = net_scores(net, blob, images, output)
        exact = logits(reference)
        candidates = {c.place: c for c in self._pruner.candidates if not c.left}
        rows = []
        for place in progress(list(candidates)):
            c = candidates[place]
            blobs = net.params[c.name]
            saved = [b.data.copy() for b in blobs]
            found = []
            for sparsity in wanted:
                for target, values in zip(blobs, self._pruner.removed(place, sparsity), strict=True):
                    target.data[...] = values
                scores = net_scores(net, blob, images, output)
                found.append((sqnr(exact, logits(scores)), top1(scores, labels)))
            for target, values in zip(blobs, saved, strict=True):
                target.data[...] = values
            rows.append(LayerSensitivity(c.name, c.type, c.size, tuple(db for db, _ in found), tuple(t for _, t in found)))
        return Sensitivities(self._options.method, wanted, len(reference), top1(reference, labels), tuple(rows))


def top1(scores: np.ndarray, labels: np.ndarray | None) -> float:
    """Percent of first answers that are right; NaN without labels."""
    return math.nan if labels is None else 100.0 * float((scores.argmax(1) == labels[:len(scores)]).mean())
