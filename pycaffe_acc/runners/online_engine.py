"""Nets as engines: the vendor's online mode."""
from __future__ import annotations

from dataclasses import replace

import numpy as np

from cnrt.queue import Queue
from pycaffe_acc.errors import CheckError
from pycaffe_acc.evaluation.card_work import CardWork, card_work
from pycaffe_acc.evaluation.intervals import Interval
from pycaffe_acc.net import Net
from pycaffe_acc.offline_net import OfflineNet
from pycaffe_acc.runners.engine import shape_lines


class OnlineEngine:
    """A net with one image input.

    Parameters
    ----------
    net : Net or OfflineNet
    times_hardware : bool
        Whether its functions run on a card.

    Raises
    ------
    CheckError
        For a net that does not take one batch of images.
    """

    def __init__(self, net: Net | OfflineNet, times_hardware: bool):
        self.net, self.times_hardware = net, times_hardware
        if len(net.inputs) != 1 or len(net.blobs[net.inputs[0]].shape) != 4:
            shapes = {n: net.blobs[n].shape for n in net.inputs}
            raise CheckError(f"net '{net.name}' has the inputs {shapes}; this program feeds one batch of images, (N, C, H, W)")
        if not net.outputs:
            raise CheckError(f"net '{net.name}' has no output")
        self._input, self._output = net.inputs[0], net.outputs[0]
        n, c, h, w = net.blobs[self._input].shape
        self.shape = (n, c, h, w)
        self.output_shape = tuple(net.blobs[self._output].shape)

    def bind(self) -> None:
        """See `Engine.bind`: a net knows its device."""

    def input_buffer(self) -> np.ndarray:
        """See `Engine.input_buffer`."""
        return np.zeros(self.shape, np.float32)

    def output_buffer(self) -> np.ndarray:
        """See `Engine.output_buffer`."""
        return np.zeros(self.output_shape, np.float32)

    def copy_in(self, values: np.ndarray, buffer: np.ndarray) -> None:
        """See `Engine.copy_in`."""
        buffer[...] = values

    def run(self, source: np.ndarray, target: np.ndarray) -> list[Interval]:
        """See `Engine.run`."""
        self.net.notifiers = [] if self.times_hardware else None
        self.net.blobs[self._input].data[...] = source
        result = self.net.forward()[self._output]
        if result.shape != target.shape:
            target.resize(result.shape, refcheck=False)
        target[...] = result
        return [(a.time_ns, b.time_ns) for a, b in self.net.notifiers or [] if a.time_ns is not None and b.time_ns is not None]

    def copy_out(self, buffer: np.ndarray) -> np.ndarray:
        """See `Engine.copy_out`."""
        return buffer.copy()

    def lines(self) -> list[str]:
        """See `Engine.lines`."""
        return shape_lines([self.shape], self.output_shape)

    def queues(self) -> list[Queue]:
        """See `Engine.queues`."""
        return queues_of(self.net)

    def work(self) -> CardWork | None:
        """See `Engine.work`."""
        return card_work(self.net) if self.times_hardware else None

    def close(self) -> None:
        """See `Engine.close`."""


def queues_of(net: Net | OfflineNet) -> list[Queue]:
    """The queues that a net's functions run on."""
    return [runner._queue for runner in net._runners.values()] if isinstance(net, OfflineNet) else [net._queue]


def twin_on(net: Net, ordinal: int, channel: int) -> Net:
    """Another net of the same description that shares the weights, on a card and channel of its own.

    Parameters
    ----------
    net : Net
        Built in one of the vendor's modes.
    ordinal, channel : int
    """
    card = net.source.card
    if card is None:
        return net.clone()
    twin = Net(replace(net.source, weights=None, card=replace(card, ordinal=ordinal, channel=channel)))
    twin.share_with(net)
    return twin
