"""The weights of a file with some layers' blobs replaced."""
from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from pycaffe_acc.weights_file import StoredLayer, Weights


@dataclass(frozen=True)
class ArrayBlob:
    """A blob that no file holds (`pycaffe_acc.weights_file.AnyBlob`).

    Attributes
    ----------
    values : ndarray of float32
    """

    values: np.ndarray
    is_legacy: bool = False
    is_raw: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the values."""
        return self.values.shape

    def array(self) -> np.ndarray:
        """The values."""
        return self.values


def array_layer(name: str, kind: str, arrays: Iterable[np.ndarray]) -> StoredLayer:
    """A layer as if it stood in a weight file.

    Parameters
    ----------
    name, kind : str
        Name and type of the layer.
    arrays : iterable of ndarray of float32
    """
    return StoredLayer(name, kind, [ArrayBlob(a) for a in arrays])


def edited(stored: Weights, replaced: Mapping[str, list[np.ndarray]]) -> Weights:
    """Weights in which the layers that `replaced` names hold its arrays."""
    if not replaced:
        return stored
    kept = [layer for layer in stored.layers if layer.name not in replaced]
    return Weights([*kept, *(array_layer(name, "", arrays) for name, arrays in replaced.items())], stored.source)
