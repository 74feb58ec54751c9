"""Prune whole channels: the net that comes out is a smaller dense one."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from pycaffe_acc.errors import CheckError
from pycaffe_acc.prune.channel_cut import ChannelCut
from pycaffe_acc.prune.channel_spaces import ChannelSpaces, Space, check_cuttable
from pycaffe_acc.prune.layer_walk import LayerWalk, Progress
from pycaffe_acc.prune.norm_statistics import channel_mean, channel_variance
from pycaffe_acc.prune.prune_net import PrunedLayer, Pruner
from pycaffe_acc.prune.prune_options import PruneOptions
from pycaffe_acc.prune.walked_net import WalkedNet
from pycaffe_acc.prune.weight_rows import WeightRows
from pycaffe_acc.quantize.edited_weights import edited
from pycaffe_acc.weights_file import Weights


class ChannelPruner(Pruner):
    """Cuts channels out of one net.

    Every set of channels that must be cut together loses the same share. With images, a channel is worth its variance times the squares of the
    weights that read it (a channel that never varies is a bias), and with compensation the readers' other weights take over its work. Without images
    the weights that make it count instead of its variance.

    Parameters
    ----------
    model, weights, options, threads
        As `Pruner`.

    Attributes
    ----------
    spaces : list of Space

    Raises
    ------
    CheckError
        For a net whose channels cannot be cut, with the reasons.
    """

    def __init__(self, model: str | Path, weights: str | Path, options: PruneOptions, threads: int | None = None):
        super().__init__(model, weights, options, threads)
        self.spaces: list[Space] = ChannelSpaces(self._observed).spaces
        left = {c.place: c.left for c in self.candidates}
        for space in self.spaces:
            for place in space.makers:
                space.held = space.held or (left[place] and f"'{self._observed.layers[place].name}': {left[place]}")
        check_cuttable(self.spaces, self._model)
        self._cut = ChannelCut(self.spaces, {})

    def shares(self, blob: str = "", batches: Iterable[np.ndarray] = (), progress: Progress = iter) -> dict[int, float]:
        """The same share of the channels of every space that can be cut, by the places of the layers that make them."""
        return {place: self._options.sparsity for space in self.spaces if not space.held for place in space.makers}

    def apply(self, shares: Mapping[int, float], blob: str = "", batches: Iterable[np.ndarray] = (), progress: Progress = iter) -> list[PrunedLayer]:
        """As `Pruner.apply`; of a space, the largest share of its makers counts."""
        batches = list(batches)
        if self._options.needs_images and not batches:
            raise CheckError(f"{self._model}: no calibration images were seen; at least one is needed to compensate or to re-estimate")
        variances = self._variances(blob, batches, progress) if batches else {}
        keep = {}
        for k, space in enumerate(self.spaces):
            gone = 0 if space.held else int(round(space.size * max(shares.get(place, 0.0) for place in space.makers)))
            if gone:
                mask = np.ones(space.size, bool)
                mask[np.argsort(self._channel_worth(space, variances), kind="stable")[:min(gone, space.size - 1)]] = False
                keep[k] = mask
        self._cut = ChannelCut(self.spaces, keep)
        self._empty_columns(blob, batches, progress)
        for place, layer in enumerate(self._observed.layers):
            if place in self._cut.places():
                for described in self._message.layer:  # the variants of other phases, too
                    if described.name == layer.name:
                        self._cut.describe(place, described)
        return self.rows()

    def _variances(self, blob: str, batches: list[np.ndarray], progress: Progress) -> dict[int, np.ndarray]:
        """Of the channels that layers with weights read, by their places."""
        walk = WalkedNet(self._observe(self._stored), blob, batches)
        places = {self._observed.layers[place].name: place for space in self.spaces for place, _ in space.readers}
        found = {}
        for name in progress(walk.names):
            if name in places:
                parts = walk.values(walk.bottom_names(name)[0])
                found[places[name]] = channel_variance(parts, channel_mean(parts))
            walk.run(name)
            walk.drop(name)
        return found

    def _channel_worth(self, space: Space, variances: Mapping[int, np.ndarray]) -> np.ndarray:
        """Of each channel of a space, summed over its readers, to each of which all channels together are worth 1."""
        worth = np.zeros(space.size)
        for place, begin in space.readers:
            view = self._view(place)
            squares = np.square(view.rows(self._observed.weights(place)[0])[0], dtype=np.float64).sum(0)
            channels = len(self._cut.inputs[place])
            columns = squares.reshape(view.places, channels).sum(0) if view.places > 1 else squares.reshape(channels, -1).sum(1)
            own = columns[begin:begin + space.size]
            own = own * (variances[place][begin:begin + space.size] if variances else self._made(space))
            worth += own / max(float(own.sum()), 1e-30)
        return worth

    def _made(self, space: Space) -> np.ndarray:
        """How strongly channels are made: squares of the factors of a Scale, or else of the makers' weights."""
        factors = [self._observed.weights(place)[0][begin:begin + space.size] for place, begin in space.followers
                   if self._observed.layers[place].type == "Scale"]
        if factors:
            return np.asarray(sum(np.square(f, dtype=np.float64) for f in factors))
        rows = (self._view(place).rows(self._observed.weights(place)[0])[0] for place in space.makers)
        return np.asarray(sum(np.square(r, dtype=np.float64).sum(1) for r in rows))

    def _view(self, place: int) -> WeightRows:
        return WeightRows.of(self._observed.layers[place], self._observed.weights(place)[0].shape)

    def _empty_columns(self, blob: str, batches: list[np.ndarray], progress: Progress) -> None:
        """Make the weights that read what will be cut zero; with compensation, the others anew."""
        masks = {}
        for place in self._cut.inputs:
            view = self._view(place)
            columns = self._cut.column_mask(place, view)
            if not columns.all():
                masks[place] = np.broadcast_to(columns, view.rows(self._observed.weights(place)[0]).shape)
        if not self._options.compensate:
            for place, mask in masks.items():
                view, weights = self._view(place), self._observed.weights(place)[0]
                weights[...] = view.weights(np.where(mask, view.rows(weights), np.float32(0)))
        if batches and masks:
            before = WalkedNet(self._observe(self._stored), blob, batches)
            walk = LayerWalk(before, WalkedNet(self._observed, blob, batches), dict.fromkeys(masks, self._options.sparsity), 1,
                             self._options.compensate, masks)
            self._errors = walk.run(progress)

    def rows(self) -> list[PrunedLayer]:
        """What the layers are like now; weights that were cut away are counted as zeros."""
        held = {place: space.held for space in self.spaces for place in space.makers}
        cut = self._cut.places()
        return [PrunedLayer(c.name, c.type, c.size, c.size - int(self._blobs(c.place)[0].size) if c.place in cut else 0,
                            "" if c.place in cut else held.get(c.place) or c.left or "nothing was cut", self._errors.get(c.place))
                for c in self.candidates]

    def _blobs(self, place: int) -> list[np.ndarray]:
        return self._cut.blobs(place, self._observed.layers[place], self._observed.weights(place))

    def weights(self) -> Weights:
        """The smaller net's weights."""
        cut = self._cut.places()
        blobs = {layer.name: self._blobs(i) if i in cut else [b.copy() for b in self._observed.weights(i)]
                 for i, layer in enumerate(self._observed.layers)}
        return edited(self._stored, {name: own for name, own in blobs.items() if own})
