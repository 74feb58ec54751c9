"""Is a weight file the published one, and does it fit its network?"""
from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pycaffe_acc.errors import MissingFileError
from pycaffe_acc.mode import TEST
from pycaffe_acc.net import Net
from pycaffe_acc.zoo.checksum import digests
from pycaffe_acc.zoo.deploy import build
from pycaffe_acc.zoo.entry import ZooEntry


@dataclass
class Verification:
    """What was found out about a weight file.

    Attributes
    ----------
    name : str
        The network.
    path : str
    size_bytes : int
    checksums : dict of str to str
        Digest name → "same" or "differs"; empty when none is published or none was asked for.
    layers : int
        Layers of the net that the file fills.
    unused : list of str
        Layers of the file that the net does not have: no fault.
    problems : list of str
        Sentences.
    """

    name: str
    path: str
    size_bytes: int
    checksums: dict[str, str] = field(default_factory=dict)
    layers: int = 0
    unused: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def verify(entry: ZooEntry, path: Path, checksum: bool = True) -> Verification:
    """Check a weight file against a network; needs no connection.

    Parameters
    ----------
    entry : ZooEntry
    path : pathlib.Path
        .caffemodel or HDF5.
    checksum : bool
        Compare with the published digests; leave it out for weights of your own.

    Returns
    -------
    Verification

    Raises
    ------
    MissingFileError, WeightsError
        When there is no file, or it is no weight file.
    """
    if not path.is_file():
        raise MissingFileError(path, "weight file")
    found = Verification(entry.name, str(path), path.stat().st_size)
    if checksum:
        _compare_digests(entry, path, found)
    net = Net(build(entry.name), TEST)
    coverage = net.copy_from(path, strict=False)
    found.layers, found.unused = len(coverage.loaded), coverage.unused
    found.problems += coverage.skipped
    shapes = {layer: ", ".join("x".join(map(str, b.shape)) for b in blobs) for layer, blobs in net.params.items()}
    skipped = {layer for layer in coverage.never_initialised if any(f"layer '{layer}'" in s for s in coverage.skipped)}
    found.problems += [f"layer '{layer}' is not in the file; the net wants its blobs {shapes[layer]}."
                       for layer in coverage.never_initialised if layer not in skipped]
    found.problems += _not_finite(net)
    return found


def _compare_digests(entry: ZooEntry, path: Path, found: Verification) -> None:
    actual = digests(path, entry.checksums)
    found.checksums = {k: "same" if actual[k] == v.lower() else "differs" for k, v in entry.checksums.items()}
    for name, value in entry.checksums.items():
        if found.checksums[name] == "differs":
            size = f", {entry.size_bytes} bytes" if entry.size_bytes else ""
            found.problems.append(f"the file's {name} is {actual[name]} ({found.size_bytes} bytes), the published file's {value}{size}: it is "
                                  "damaged or another file.")


def _not_finite(net: Any) -> list[str]:
    sentences = []
    for layer, blobs in net.params.items():
        for i, blob in enumerate(blobs):
            bad = blob.data.size - int(np.count_nonzero(np.isfinite(blob.data)))
            if bad:
                sentences.append(f"blob {i} of layer '{layer}' holds {bad} values that are infinite or not a number.")
    return sentences
