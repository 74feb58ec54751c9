"""Prune a net from its first layer to its last, each layer told what the pruned ones before it have done."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

import numpy as np

from pycaffe_acc.prune.candidates import TYPES, has_norm_behind
from pycaffe_acc.prune.layer_problem import LayerProblem
from pycaffe_acc.prune.norm_statistics import channel_mean, restore_statistics, uses_stored_statistics
from pycaffe_acc.prune.walked_net import WalkedNet

Progress = Callable[[list[str]], Iterable[str]]


class LayerWalk:
    """Runs the net as it was and the net that is pruned beside each other over the same images.

    Parameters
    ----------
    before, now : WalkedNet
        The weights of `now` are changed in place.
    shares : mapping of int to float
        By the places of the layers to be pruned: the share of the weights that becomes zero.
    width : int
        Input channels that become zero together.
    reconstruct : bool
        Prune here, and set the remaining weights anew. False: what is pruned is pruned already, and only biases and BatchNorm statistics follow.
    masks : mapping of int to bool ndarray
        By places: the weights that stay, (groups, outputs, columns), of layers
        whose weights were chosen before; their shares are not looked at.
    """

    def __init__(self, before: WalkedNet, now: WalkedNet, shares: Mapping[int, float], width: int, reconstruct: bool,
                 masks: Mapping[int, np.ndarray] = MappingProxyType({})):
        self._before, self._now, self._shares, self._masks = before, now, shares, masks
        self._width, self._reconstruct = width, reconstruct
        self._places = {layer.name: i for i, layer in enumerate(now.observed.layers)}
        self.errors: dict[int, float] = {}

    def run(self, progress: Progress = iter) -> dict[int, float]:
        """Walk.

        Parameters
        ----------
        progress : callable
            Given the layers' names, gives them one by one.

        Returns
        -------
        dict of int to float
            By the places of the layers that were set anew: the error of their outputs on the images, as a share of their squares.
        """
        changed = False
        for name in progress(self._before.names):
            place = self._places.get(name)
            self._before.run(name)
            if place is not None and place in self._shares:
                changed = changed or self._meet()
                if self._reconstruct:
                    self._prune(name, place)
            if changed:
                if place is not None:
                    self._restore_norm(name, place)
                self._now.run(name)
                if place is not None:
                    self._restore_bias(name, place)
                self._now.drop(name)
            self._before.drop(name)
        return self.errors

    def _meet(self) -> bool:
        """From here on the nets differ."""
        self._now.take(self._before)
        return True

    def _prune(self, name: str, place: int) -> None:
        observed = self._now.observed
        weights = observed.weights(place)
        centred = len(weights) > 1 or has_norm_behind(observed, place)
        problem = LayerProblem(observed.layers[place], weights[0], observed.engine(place), centred)
        for bottom in self._before.bottom_names(name):
            for old, new in zip(self._before.values(bottom), self._now.values(bottom), strict=True):
                problem.see(old, new)
        weights[0][...], self.errors[place] = (problem.fill(self._masks[place]) if place in self._masks
                                               else problem.prune(self._shares[place], self._width))

    def _restore_norm(self, name: str, place: int) -> None:
        layer = self._now.observed.layers[place]
        if layer.type == "BatchNorm" and uses_stored_statistics(layer) and not any(spec.name for spec in layer.param):
            bottom = self._before.bottom_names(name)[0]
            restore_statistics(layer, self._now.observed.weights(place), self._before.values(bottom), self._now.values(bottom))

    def _restore_bias(self, name: str, place: int) -> None:
        layer, blobs = self._now.observed.layers[place], self._now.observed.weights(place)
        if layer.type not in TYPES or len(blobs) < 2 or any(spec.name for spec in layer.param):
            return
        axis = 1 if layer.type == "Convolution" else -1
        tops = self._now.top_names(name)
        old = [part for top in tops for part in self._before.values(top)]
        new = [part for top in tops for part in self._now.values(top)]
        shift = (channel_mean(old, axis) - channel_mean(new, axis)).astype(np.float32)
        blobs[1][...] += shift.reshape(blobs[1].shape)
        for top in tops:
            dims = old[0].ndim
            self._now.add(top, shift.reshape([-1 if a == axis % dims else 1 for a in range(dims)]))
