"""Data parallelism on the host: a batch cut into slices, each a net of its own on cores of its own."""
from __future__ import annotations

from functools import partial

import numpy as np

from cnml.executable import Around
from cnrt.slices import run_beside
from pycaffe_acc.errors import CheckError
from pycaffe_acc.name_dict import NameDict
from pycaffe_acc.net import Net
from pycaffe_acc.offline_net import OfflineBlob


class SlicedNet:
    """Nets that share their weights and run beside each other, each with its part of the batch. Values are those of one net with the whole batch.

    Parameters
    ----------
    net : Net
        With the whole batch; becomes the first slice.
    slices : int
        Must divide the batch of every input.

    Attributes
    ----------
    name, precision : str
    inputs, outputs : list of str
    blobs : dict of str to OfflineBlob
        The inputs, and after a forward the outputs, of the whole batch.
    threads : int
        Core slots of all slices together.
    notifiers : list of (Notifier, Notifier) or None
        As `Net.notifiers`, of all slices.

    Raises
    ------
    CheckError
        When the batch cannot be cut.
    """

    def __init__(self, net: Net, slices: int):
        if slices < 1:
            raise CheckError(f"net '{net.name}' cannot be cut into {slices} slices; there must be at least one")
        for name in net.inputs:
            shape = net.blobs[name].shape
            if not shape or shape[0] % slices:
                raise CheckError(f"net '{net.name}': input '{name}' has the shape {shape}, whose batch data parallelism {slices} does not divide; "
                                 "choose a batch that is a multiple of it")
        self.name, self.inputs, self.outputs = net.name, net.inputs, net.outputs
        self.notifiers: list[Around] | None = None
        self.blobs: NameDict[OfflineBlob] = NameDict((n, OfflineBlob(net.blobs[n].shape)) for n in (*net.inputs, *net.outputs))
        for name in net.inputs:
            shape = net.blobs[name].shape
            net.blobs[name].reshape(shape[0] // slices, *shape[1:])
        net.reshape()
        for name in net.outputs:
            if net.blobs[name].count * slices != self.blobs[name].count:
                raise CheckError(f"net '{net.name}': output '{name}' has the shape {self.blobs[name].shape} with the whole batch and "
                                 f"{net.blobs[name].shape} with one of {slices} slices, so it is no row of results for each image; run it without "
                                 "data parallelism")
        self._parts = [net, *(self._twin(net) for _ in range(slices - 1))]
        self.threads = net.threads * slices
        self._compiled = False  # the first forward packs weights, once for all slices if they take turns

    @staticmethod
    def _twin(net: Net) -> Net:
        twin = net.clone()
        twin.reshape()
        return twin

    @property
    def parts(self) -> list[Net]:
        """The slices."""
        return self._parts

    def forward(self) -> dict[str, np.ndarray]:
        """Run all slices and gather their outputs.

        Returns
        -------
        dict of str to ndarray
            The outputs; copy what must outlast the next forward.
        """
        work = [partial(self._run, i) for i in range(len(self._parts))]
        run_beside(work, len(work) if self._compiled else 1)
        self._compiled = True
        if self.notifiers is not None:
            for part in self._parts:
                self.notifiers += part.notifiers or []
        return {name: self.blobs[name].data for name in self.outputs}

    def _run(self, number: int) -> None:
        part = self._parts[number]
        part.notifiers = None if self.notifiers is None else []
        for name in self.inputs:
            part.blobs[name].data[...] = self._rows(name, number)
        part.forward()
        for name in self.outputs:
            self._rows(name, number)[...] = part.blobs[name].data

    def _rows(self, name: str, number: int) -> np.ndarray:
        data = self.blobs[name].data
        count = len(data) // len(self._parts)
        return data[number * count:(number + 1) * count]

    def clone(self) -> SlicedNet:
        """Another one with the same slices and shared weights."""
        first = self._twin(self._parts[0])
        for name in self.inputs:
            shape = self.blobs[name].shape
            first.blobs[name].reshape(*shape)
        first.reshape()
        return SlicedNet(first, len(self._parts))
