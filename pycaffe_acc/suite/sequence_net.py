"""A recurrent net as one that classifies pictures: rows are the steps of a sequence."""
from __future__ import annotations

import numpy as np

from cnml.executable import Around
from pycaffe_acc.errors import CheckError
from pycaffe_acc.name_dict import NameDict
from pycaffe_acc.net import Net
from pycaffe_acc.offline_net import OfflineBlob


class SequenceNet:
    """Feeds a net whose input is (steps, images, width) with pictures of `steps` rows.

    Parameters
    ----------
    net : Net
        With the inputs (T, N, W) and, for Caffe's recurrent layers, the continuation markers (T, N).

    Attributes
    ----------
    name : str
    inputs, outputs : list of str
    blobs : dict of str to OfflineBlob
        The pictures, (N, 1, T, W), and the scores, (N, classes).
    net : Net

    Raises
    ------
    CheckError
        For a net with other inputs or several outputs.
    """

    def __init__(self, net: Net):
        self.net, self.name = net, net.name
        data = [n for n in net.inputs if len(net.blobs[n].shape) == 3]
        markers = [n for n in net.inputs if len(net.blobs[n].shape) == 2]
        if len(data) != 1 or len(markers) > 1 or len(data) + len(markers) != len(net.inputs) or len(net.outputs) != 1:
            shapes = ", ".join(f"{n} {net.blobs[n].shape}" for n in (*net.inputs, *net.outputs))
            raise CheckError(f"net '{net.name}' cannot read pictures as sequences: it must have an input (steps, images, width), at most "
                             f"markers (steps, images) besides, and one output; it has {shapes}")
        self._data, self._marker = data[0], markers[0] if markers else None
        self.inputs, self.outputs = [self._data], list(net.outputs)
        self.blobs: NameDict[OfflineBlob] = NameDict()
        self.set_batch(net.blobs[self._data].shape[1])

    @property
    def threads(self) -> int:
        """Core slots."""
        return self.net.threads

    @property
    def notifiers(self) -> list[Around] | None:
        """As `Net.notifiers`."""
        return self.net.notifiers

    @notifiers.setter
    def notifiers(self, pairs: list[Around] | None) -> None:
        self.net.notifiers = pairs

    def set_batch(self, batch: int) -> None:
        """Take so many pictures at once."""
        steps, _, width = self.net.blobs[self._data].shape
        self.net.blobs[self._data].reshape(steps, batch, width)
        if self._marker is not None:
            self.net.blobs[self._marker].reshape(steps, batch)
        self.net.reshape()
        scores = self.net.blobs[self.outputs[0]]
        if scores.count % batch or batch not in scores.shape:
            raise CheckError(f"net '{self.name}': its output has the shape {scores.shape}, which holds no scores for each of {batch} sequences")
        self.blobs.update({self._data: OfflineBlob((batch, 1, steps, width)), self.outputs[0]: OfflineBlob((batch, scores.count // batch))})

    def forward(self) -> dict[str, np.ndarray]:
        """Classify the pictures that lie in the input."""
        self.net.blobs[self._data].data[...] = self.blobs[self._data].data[:, 0].transpose(1, 0, 2)
        if self._marker is not None:
            markers = self.net.blobs[self._marker].data
            markers[0], markers[1:] = 0.0, 1.0  # every sequence begins with the first step
        self.net.forward()
        scores = self.blobs[self.outputs[0]].data
        scores[...] = self.net.blobs[self.outputs[0]].data.reshape(scores.shape)
        return {self.outputs[0]: scores}
