"""`debug_info: true` of a net in the vendor's layer-by-layer mode: what every layer made, as text files."""
from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cnrt.whole_file import whole_file

if TYPE_CHECKING:
    from pycaffe_acc.net import Net

_log = logging.getLogger("caffe")


class LayerDump:
    """Writes the first top of each layer that ran, one value a line with six significant digits, into the current folder.

    The files are named as the vendor's: `tmp_layer_`, the forward's number and the layer's, five digits each, the layer's name with "_" for "/", and
    its type.

    Attributes
    ----------
    iteration : int
        Number of the forward, from 0; one begins whenever no later layer than before is written.
    """

    def __init__(self) -> None:
        self.iteration = 0
        self._last = -1

    def write(self, net: Net, layer: int, number: int) -> Path | None:
        """Write the file of a layer.

        Parameters
        ----------
        net : Net
        layer : int
            Its place in `net.layers`.
        number : int
            Its place among the layers of the prototxt that run.

        Returns
        -------
        Path or None
            None for a layer without tops.

        Raises
        ------
        OSError
        """
        if number <= self._last:
            self.iteration += 1
        if self._last < 0:
            _log.info("net '%s' has debug_info: tops of its layers are written to tmp_layer_* in %s", net.name, os.getcwd())
        self._last = number
        names = net.top_names[net.layers[layer].name]
        if not names:
            return None
        path = Path(f"tmp_layer_{self.iteration:05d}_{number:05d}_{_plain(net.layers[layer].name)}_{_plain(net.layers[layer].type)}")
        with whole_file(path) as part:
            np.savetxt(part, net.blobs[names[0]].data.reshape(-1), "%g")
        return path


def _plain(name: str) -> str:
    """A name that is no path on any system."""
    return "".join("_" if c in '/\\:*?"<>|' or ord(c) < 32 else c for c in name)
