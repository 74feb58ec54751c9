"""The layers of a net whose weights can be pruned, and why others are left alone."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pycaffe_acc.errors import CheckError
from pycaffe_acc.prune.weight_rows import WeightRows
from pycaffe_acc.quantize.observed_net import ObservedNet

TYPES = ("Convolution", "InnerProduct")


@dataclass(frozen=True)
class Candidate:
    """A Convolution or InnerProduct layer.

    Attributes
    ----------
    place : int
        In `ObservedNet.layers`.
    name, type : str
    size : int
        Weights, without the bias.
    left : str
        Why it is not pruned; "" if it is.
    """

    place: int
    name: str
    type: str
    size: int
    left: str


def candidates(observed: ObservedNet, keep: set[int], include_first: bool, include_depthwise: bool) -> list[Candidate]:
    """All Convolution and InnerProduct layers of a net, in their order.

    Parameters
    ----------
    observed : ObservedNet
    keep : set of int
        Places of layers to leave alone.
    include_first : bool
        Prune the first convolution, too: it sees pixels, has few weights, and all that follows depends on it.
    include_depthwise : bool
        Prune convolutions with one input channel a group, too: a few weights an output, none of which can stand in for another.
    """
    found = []
    first = next((i for i, layer in enumerate(observed.layers) if layer.type == "Convolution"), None)
    for i, layer in enumerate(observed.layers):
        if layer.type not in TYPES:
            continue
        shape = observed.weights(i)[0].shape
        view = WeightRows.of(layer, shape)
        left = ""
        if i in keep:
            left = "kept"
        elif i == first and not include_first:
            left = "first convolution"
        elif any(spec.name for spec in layer.param):
            left = "shares its weights"
        elif layer.type == "Convolution" and (len(shape) != 4 or layer.convolution_param.axis != 1):
            left = "no convolution of images"
        elif layer.type == "Convolution" and view.group > 1 and view.channels == 1 and not include_depthwise:
            left = "depthwise"
        found.append(Candidate(i, layer.name, layer.type, int(observed.weights(i)[0].size), left))
    return found


def check_any(found: Sequence[Candidate], model: str) -> None:
    """Refuse a net in which nothing would be pruned.

    Raises
    ------
    CheckError
        With the reasons.
    """
    if not any(not c.left for c in found):
        why = ", ".join(f"{c.name} ({c.left})" for c in found[:8]) or "it has no Convolution and no InnerProduct"
        raise CheckError(f"{model}: no layer would be pruned: {why}. See --include-first, --include-depthwise and --keep")


def has_norm_behind(observed: ObservedNet, place: int) -> bool:
    """Whether a BatchNorm alone reads what a layer makes, so that it can take a shift of the mean."""
    tops = observed.top_names(place)
    readers: list[Any] = [layer for i, layer in enumerate(observed.layers) if set(observed.bottom_names(i)) & set(tops)]
    return len(readers) == 1 and readers[0].type == "BatchNorm"
