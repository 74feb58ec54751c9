"""Prune a net: choose weights, make them zero, and mark the layers in its description."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cnrt.whole_file import whole_file
from pycaffe_acc.errors import CheckError
from pycaffe_acc.mode import TEST
from pycaffe_acc.net import Net
from pycaffe_acc.prune.candidates import Candidate, candidates, check_any
from pycaffe_acc.prune.layer_problem import LayerProblem
from pycaffe_acc.prune.layer_shares import even_shares, magnitude_scores, threshold_shares
from pycaffe_acc.prune.layer_walk import LayerWalk, Progress
from pycaffe_acc.prune.pattern import WIDTHS, keep_mask, unit_scores, unit_starts
from pycaffe_acc.prune.prune_options import PruneOptions
from pycaffe_acc.prune.sparse_filter import check_sparsity, sparse_filter
from pycaffe_acc.prune.sparse_net import mark_sparse_layer
from pycaffe_acc.prune.walked_net import WalkedNet
from pycaffe_acc.prune.weight_codes import widen_weight_range
from pycaffe_acc.prune.weight_rows import WeightRows
from pycaffe_acc.quantize.edited_weights import edited
from pycaffe_acc.quantize.keep_float import kept_in_float
from pycaffe_acc.quantize.observed_net import ObservedNet
from pycaffe_acc.text_format import format_message, read_net
from pycaffe_acc.upgrade import upgrade_net
from pycaffe_acc.weights_file import Weights, read_weights


@dataclass(frozen=True)
class PrunedLayer:
    """A row of the result.

    Attributes
    ----------
    name, type : str
    size, zeros : int
        Weights without the bias, and how many of them are zero now.
    left : str
        Why the layer was left alone; "" for a pruned one.
    error : float or None
        Of its outputs on the images, as a share of their squares, where weights were set anew.
    """

    name: str
    type: str
    size: int
    zeros: int
    left: str
    error: float | None


class Pruner:
    """Prunes one net.

    Parameters
    ----------
    model : str or Path
        Prototxt, of a quantized net too.
    weights : str or Path
    options : PruneOptions
        With a method other than channel.
    threads : int, optional

    Attributes
    ----------
    net : Net
        What will be pruned; tells the shape of the input.
    candidates : list of Candidate

    Raises
    ------
    CaffeError
    """

    def __init__(self, model: str | Path, weights: str | Path, options: PruneOptions, threads: int | None = None):
        options.check()
        self._model, self._options, self._threads = str(model), options, threads
        self._message = upgrade_net(read_net(model).message)
        self._stored = read_weights(weights)
        self._observed = self._observe(self._stored)
        if not self._observed.coverage.complete:
            raise CheckError(f"{model}: {self._observed.coverage} A net with initial values cannot be pruned; give the weights that belong to it")
        everything = options.method == "vendor"
        self._keep = kept_in_float(options.keep, self._observed.layers, "--keep")
        self.candidates: list[Candidate] = candidates(self._observed, self._keep, options.include_first or everything,
                                                      options.include_depthwise or everything)
        check_any(self.candidates, self._model)
        self.net: Net = self._observed.net
        self._errors: dict[int, float] = {}

    def _observe(self, weights: Weights) -> ObservedNet:
        return ObservedNet(self._message, weights, self._options.vendor_exact, settled=False, threads=self._threads)

    def _pruned(self) -> list[Candidate]:
        return [c for c in self.candidates if not c.left]

    def _rows(self, place: int) -> tuple[WeightRows, np.ndarray, np.ndarray]:
        """How a layer's weights are seen, their rows, and where the units in these begin."""
        weights = self._observed.weights(place)[0]
        view = WeightRows.of(self._observed.layers[place], weights.shape)
        return view, view.rows(weights), unit_starts(view.channels, view.places, WIDTHS[self._options.method])

    # ---- shares -----------------------------------------------------------------------------------------------------------------------------

    def shares(self, blob: str = "", batches: Iterable[np.ndarray] = (), progress: Progress = iter) -> dict[int, float]:
        """How much of each layer becomes zero, as the method has it.

        Parameters
        ----------
        blob, batches, progress
            Only for one threshold with compensation: see `apply`.

        Returns
        -------
        dict of int to float
            By the layers' places.
        """
        sizes = {c.place: c.size for c in self._pruned()}
        if not self._options.one_threshold or not self._options.sparsity:
            return even_shares(sizes, self._options.sparsity)
        if self._options.compensate:
            return threshold_shares(self._worth(blob, batches, progress), self._options.sparsity)
        scores = {}
        for place in sizes:
            _, rows, starts = self._rows(place)
            scores[place] = magnitude_scores(rows, starts)
        return threshold_shares(scores, self._options.sparsity)

    def _worth(self, blob: str, batches: Iterable[np.ndarray], progress: Progress) -> dict[int, np.ndarray]:
        """What each unit of weights is worth on images, as a share of its layer's output, in the unpruned net."""
        walk = WalkedNet(self._observed, blob, batches)
        places = {c.name: c.place for c in self._pruned()}
        found = {}
        for name in progress(walk.names):
            if name in places:
                place = places[name]
                problem = LayerProblem(self._observed.layers[place], self._observed.weights(place)[0], self._observed.engine(place), True)
                for bottom in walk.bottom_names(name):
                    for values in walk.values(bottom):
                        problem.see(values, values)
                worth, power = problem.scores(WIDTHS[self._options.method])
                found[place] = np.asarray(unit_scores(worth, self._rows(place)[2]).reshape(-1) / max(power, 1e-30), np.float32)
            walk.run(name)
            walk.drop(name)
        return found

    # ---- pruning ----------------------------------------------------------------------------------------------------------------------------

    def apply(self, shares: Mapping[int, float], blob: str = "", batches: Iterable[np.ndarray] = (), progress: Progress = iter) -> list[PrunedLayer]:
        """Prune, once.

        Parameters
        ----------
        shares : mapping of int to float
            By the layers' places; layers without one are left alone.
        blob : str
            The input for images, where the options need them.
        batches : iterable of (N, …) float32
            All but the last of one size.
        progress : callable
            Wraps the list of layer names that are walked through.

        Returns
        -------
        list of PrunedLayer
            All candidates.

        Raises
        ------
        CheckError
            For a share outside [0, 1); values that are not finite; no images.
        """
        pruned = {c.place: check_sparsity(shares[c.place]) for c in self._pruned() if shares.get(c.place)}
        batches = list(batches)
        if self._options.needs_images and not batches:
            raise CheckError(f"{self._model}: no calibration images were seen; at least one is needed to compensate or to re-estimate")
        before = self._observe(self._stored) if self._options.needs_images else None
        if not self._options.compensate:
            for place, share in pruned.items():
                for target, values in zip(self._observed.weights(place), self.removed(place, share), strict=True):
                    target[...] = values
        if before is not None:
            walk = LayerWalk(WalkedNet(before, blob, batches), WalkedNet(self._observed, blob, batches), pruned,
                             WIDTHS.get(self._options.method, 1), self._options.compensate)
            self._errors = walk.run(progress)
        self._mark(pruned)
        return self.rows()

    def removed(self, place: int, share: float) -> list[np.ndarray]:
        """Copies of a layer's blobs with the smallest weights made zero, as the method has it without compensation."""
        blobs = self._observed.weights(place)
        if self._options.method == "vendor":
            return [sparse_filter(blob, share, self._options.vendor_exact) for blob in blobs]
        view, rows, starts = self._rows(place)
        keep = keep_mask(np.square(rows, dtype=np.float64), starts, share)
        return [view.weights(np.where(keep, rows, np.float32(0))), *(b.copy() for b in blobs[1:])]

    def _mark(self, pruned: Mapping[int, float]) -> None:
        """Write what was done into the net's description."""
        shares = {self._observed.layers[place].name: share for place, share in pruned.items()}
        values = {self._observed.layers[place].name: self._observed.weights(place)[0] for place in pruned}
        for layer in self._message.layer:
            if layer.name in shares:
                mark_sparse_layer(layer, shares[layer.name])
                widen_weight_range(layer, values[layer.name])

    def rows(self) -> list[PrunedLayer]:
        """What the layers are like now."""
        return [PrunedLayer(c.name, c.type, c.size, c.size - int(np.count_nonzero(self._observed.weights(c.place)[0])), c.left,
                            self._errors.get(c.place)) for c in self.candidates]

    # ---- the result -------------------------------------------------------------------------------------------------------------------------

    def weights(self) -> Weights:
        """The net's weights as they are now."""
        blobs = {layer.name: self._observed.weights(i) for i, layer in enumerate(self._observed.layers)}
        return edited(self._stored, {name: [b.copy() for b in own] for name, own in blobs.items() if own})

    def open(self, precision: str = "fp32", unpruned: bool = False) -> Net:
        """The net as it is now, or (`unpruned`) as it was, ready to run."""
        net = Net(self._message, TEST, vendor_exact=self._options.vendor_exact, threads=self._threads, precision=precision)
        net.copy_from(self._stored if unpruned else self.weights())
        return net

    def save(self, path: str | Path, weights: str | Path) -> None:
        """Write prototxt and weights, each whole or not at all.

        Raises
        ------
        OSError
        """
        self.open().save(weights)
        with whole_file(path) as part:
            part.write_bytes(format_message(self._message).encode())


def sparsity_of(rows: Iterable[PrunedLayer], pruned_only: bool = False) -> float:
    """Share of zeros among the weights of layers, of all of them or of the pruned ones; 0 for none."""
    chosen = [row for row in rows if not (pruned_only and row.left)]
    size: Any = sum(row.size for row in chosen)
    return sum(row.zeros for row in chosen) / size if size else 0.0
