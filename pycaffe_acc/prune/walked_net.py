"""A net that is run layer by layer, every layer over all images before the next one."""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from pycaffe_acc.errors import CheckError
from pycaffe_acc.memory_budget import budget
from pycaffe_acc.quantize.observed_net import ObservedNet


class WalkedNet:
    """Values between the layers of a net for a set of images.

    What no later layer reads is dropped, so the memory that is needed is that of the widest place of the net times the images.

    Parameters
    ----------
    observed : ObservedNet
        Not settled.
    blob : str
        Its input for images.
    batches : iterable of (N, …) float32
        At least one image. They are run in the size of the first batch; a last one that is smaller is filled up, and `values` leaves that out.

    Attributes
    ----------
    observed : ObservedNet
    names : list of str
        The layers that make something, in their order.

    Raises
    ------
    CheckError
        Without any image; for two layers of one name; where the values would need more than half of the budget for blobs, since two nets walk.
    """

    def __init__(self, observed: ObservedNet, blob: str, batches: Iterable[np.ndarray]):
        self.observed, self._net = observed, observed.net
        parts = list(batches)
        if not parts:
            raise CheckError(f"net '{self._net.name}': no calibration images were seen; at least one is needed")
        self._size = len(parts[0])
        self._counts = [len(part) for part in parts]
        if self._counts != [self._size] * (len(parts) - 1) + [min(self._counts[-1], self._size)]:
            raise CheckError(f"net '{self._net.name}': batches of {self._counts} images; all but the last must be of one size")
        for name in self._net.inputs:
            self._net.blobs[name].reshape(self._size, *self._net.blobs[name].shape[1:])
        self._net.reshape()
        self._live = {name: [self._net.blobs[name].data.copy()] * len(parts) for name in self._net.inputs}
        self._live[blob] = [self._filled(part) for part in parts]
        names = [layer.name for layer in self._net.layers]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise CheckError(f"net '{self._net.name}': several layers are called {', '.join(sorted(twice))}; layers are pruned by name, so rename "
                             "all but one")
        self.names = [name for name in names if self._net.bottom_names[name] or not set(self._net.top_names[name]) <= set(self._net.inputs)]
        self._last = {bottom: name for name in names for bottom in self._net.bottom_names[name]}
        self._check_memory()

    def _check_memory(self) -> None:
        held = {name: 4 * self._net.blobs[name].count * len(self._counts) for name in self._net.blobs}
        now = most = sum(held[name] for name in self._net.inputs)
        for name in self.names:
            now += sum(held[top] for top in self._net.top_names[name])
            most = max(most, now)
            now -= sum(held[bottom] for bottom in set(self._net.bottom_names[name]) if self._last[bottom] == name)
        if 2 * most > budget():
            raise CheckError(f"net '{self._net.name}': {self.images} images need {2 * most} bytes for their values between layers; the budget is "
                             f"{budget()} bytes. Take fewer images (--limit), or set PYCAFFE_ACC_MAX_BYTES")

    def _filled(self, part: np.ndarray) -> np.ndarray:
        """A batch of the common size."""
        missing = self._size - len(part)
        return np.concatenate([part, np.zeros((missing, *part.shape[1:]), np.float32)]) if missing else part

    @property
    def images(self) -> int:
        """How many there are."""
        return sum(self._counts)

    def layer(self, name: str) -> Any:
        """`Net.layers`' object of that name."""
        return self._net.layer_dict[name]

    def bottom_names(self, name: str) -> list[str]:
        """Of a layer."""
        return self._net.bottom_names[name]

    def top_names(self, name: str) -> list[str]:
        """Of a layer."""
        return self._net.top_names[name]

    def run(self, name: str) -> None:
        """Run one layer over all images; its bottoms must be there."""
        net = self._net
        bottoms, tops = list(dict.fromkeys(net.bottom_names[name])), net.top_names[name]
        made: dict[str, list[np.ndarray]] = {top: [] for top in tops}
        for k in range(len(self._counts)):
            for bottom in bottoms:
                net.blobs[bottom].data[...] = self._live[bottom][k]
            net.forward(start=name, end=name)
            for top in tops:
                made[top].append(net.blobs[top].data.copy())
        net._stages.clear()  # a layer is run once; the buffers of all of them would add up
        self._live.update(made)

    def take(self, other: WalkedNet) -> None:
        """Hold what the walk of another net of the same layers holds."""
        self._live = {name: list(parts) for name, parts in other._live.items()}

    def values(self, blob: str) -> list[np.ndarray]:
        """What a blob holds, batch by batch."""
        return [part[:count] for part, count in zip(self._live[blob], self._counts, strict=True)]

    def add(self, blob: str, shift: np.ndarray) -> None:
        """Add an array that broadcasts to a blob, as a changed bias would."""
        self._live[blob] = [part + shift for part in self._live[blob]]

    def drop(self, name: str) -> None:
        """Forget the bottoms of a layer that no later one reads."""
        for bottom in self.bottom_names(name):
            if self._last[bottom] == name:
                self._live.pop(bottom, None)
