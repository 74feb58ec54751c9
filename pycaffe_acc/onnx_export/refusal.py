"""What ends an export."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from pycaffe_acc.errors import CaffeError, UnsupportedLayerError


class Refusal(Exception):
    """Raised by a translator: ONNX cannot say what the operator does. The text is a clause that follows the layer's name."""


class RefusedLayer(NamedTuple):
    """A layer that could not be translated."""

    name: str
    type: str
    reason: str


class NotExpressibleError(UnsupportedLayerError):
    """A net with layers that ONNX cannot express exactly; names all of them.

    Parameters
    ----------
    net : str
        The net's name.
    layers : list of RefusedLayer

    Attributes
    ----------
    layers
        As given.
    """

    def __init__(self, net: str, layers: list[RefusedLayer]):
        self.layers = layers
        rows = "; ".join(f"layer '{r.name}' ({r.type}): {r.reason}" for r in layers)
        super().__init__(f"net '{net}' cannot be exported, because ONNX cannot say exactly what {len(layers)} of its layers "
                         f"{'does' if len(layers) == 1 else 'do'}: {rows}. Name the blobs in front of "
                         "them as outputs (--outputs) and compute the rest outside, or run the whole net with this package")


class OnnxMismatchError(CaffeError):
    """The exported model does not compute what the net computes; it was not written.

    Parameters
    ----------
    message : str
    differences : list of Difference
        All that were measured.
    """

    def __init__(self, message: str, differences: Sequence[Any]):
        self.differences = list(differences)
        super().__init__(message)
