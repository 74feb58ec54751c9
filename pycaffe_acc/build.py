"""Layer messages → connected layers."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from cnml.parameter import Parameter
from cnml.tensor import count
from pycaffe_acc.errors import CaffeError, CheckError, UnsupportedLayerError
from pycaffe_acc.layer import Layer, NetContext, closest, find_layer_class, layer_class, layer_types

AUTOMATIC = "(automatic)"


@dataclass
class Wiring:
    """A net's layers and the names that connect them.

    Attributes
    ----------
    layers : list of Layer
    bottoms, tops : list of tuple of str
        Blob names per layer.
    blob_names : list of str
        In order of creation; in-place tops add nothing.
    inputs, outputs : list of str
        Tops of Input layers in net order; blobs nobody reads, in byte order of the name.
    """

    layers: list[Layer] = field(default_factory=list)
    bottoms: list[tuple[str, ...]] = field(default_factory=list)
    tops: list[tuple[str, ...]] = field(default_factory=list)
    blob_names: list[str] = field(default_factory=list)
    inputs: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)


def wire(messages: list[Any], context: NetContext) -> Wiring:
    """Make the layer objects and connect them by Caffe's rules.

    Parameters
    ----------
    messages : list of LayerParameter
        Filtered, with Splits.
    context : NetContext

    Returns
    -------
    Wiring

    Raises
    ------
    UnsupportedLayerError
        One error for all unknown layer types.
    CheckError
        Unknown bottom, duplicate top, wrong arity, bad parameter.
    """
    _refuse_unknown(messages)
    net = Wiring()
    available: set[str] = set()
    known: set[str] = set()
    for message in messages:
        _consume(message, known, available)
        tops = _produce(message, known, available, net)
        layer = _make(message, context)
        if layer.refuses_inplace and set(message.bottom) & set(message.top):
            raise CheckError(f"layer '{layer.name}' ({layer.type}): bottom and top are both '{message.top[0]}'; this type does not work in place, "
                             f"give the top another name")
        while len(tops) < layer.num_tops:
            tops.append(AUTOMATIC)
            net.blob_names.append(AUTOMATIC)
        if message.type == "Input":
            net.inputs.extend(tops)
        net.layers.append(layer)
        net.bottoms.append(tuple(message.bottom))
        net.tops.append(tuple(tops))
    net.outputs = sorted(available, key=lambda name: name.encode())
    return net


def _refuse_unknown(messages: list[Any]) -> None:
    bad = [m for m in messages if find_layer_class(m.type) is None]
    if len(bad) == 1:
        try:
            layer_class(bad[0].type)
        except UnsupportedLayerError as e:
            raise UnsupportedLayerError(f"layer '{bad[0].name}': {e}") from None
    if bad:
        rows = "; ".join(f"'{m.name}' of type '{m.type}'{closest(m.type)}" for m in bad)
        raise UnsupportedLayerError(f"{len(bad)} layers of unknown type: {rows}. Register own layers with @pycaffe_acc.layer.layer('Type'); known "
                                    f"types: {', '.join(layer_types())}")


def _make(message: Any, context: NetContext) -> Layer:
    try:
        return layer_class(message.type)(message, context)
    except CaffeError:
        raise
    except (ValueError, ArithmeticError, LookupError, TypeError) as e:
        raise CheckError(f"layer '{message.name}' ({message.type}): its parameters could not be used: {e}") from e


def _consume(message: Any, known: set[str], available: set[str]) -> None:
    for j, blob in enumerate(message.bottom):
        if blob not in known:
            raise CheckError(f"unknown bottom blob '{blob}' (layer '{message.name}', bottom index {j}): no earlier layer has it as a top; "
                             f"blobs so far: {', '.join(sorted(known)) or 'none'}")
        available.discard(blob)


def _produce(message: Any, known: set[str], available: set[str], net: Wiring) -> list[str]:
    tops = []
    for j, blob in enumerate(message.top):
        in_place = j < len(message.bottom) and message.bottom[j] == blob
        if not in_place:
            if blob in known:
                raise CheckError(f"top blob '{blob}' is produced by multiple sources (layer '{message.name}', top index {j}): a top must be new, or "
                                 f"the bottom of the "
                                 "same index when the layer works in place; a blob that several layers read cannot be changed in place")
            known.add(blob)
            net.blob_names.append(blob)
        available.add(blob)
        tops.append(blob)
    return tops


def share_parameters(layer: Layer, specs: list[Any], owners: dict[str, tuple[str, Parameter]]) -> None:
    """Replace the blobs that have a `param { name }` known already by their owners'.

    Parameters
    ----------
    layer : Layer
        After `setup`.
    specs : list of ParamSpec
    owners : dict
        Parameter name → (owner layer, Parameter); extended.

    Raises
    ------
    CheckError
        When the shapes (or, share_mode PERMISSIVE, the counts) differ.
    """
    if len(specs) > len(layer.blobs):
        raise CheckError(f"layer '{layer.name}' ({layer.type}): has {len(specs)} param entries for {len(layer.blobs)} parameter blobs; remove the "
                         f"surplus entries")
    for i, spec in enumerate(specs):
        if not spec.name:
            continue
        if spec.name not in owners:
            owners[spec.name] = (layer.name, layer.blobs[i])
            continue
        owner, shared = owners[spec.name]
        mine = layer.blobs[i].shape
        permissive = spec.share_mode == 1
        if (count(mine) != count(shared.shape)) if permissive else (mine != shared.shape):
            raise CheckError(f"layer '{layer.name}' ({layer.type}): parameter '{spec.name}' is shared with layer '{owner}', whose blob has the "
                             f"shape {shared.shape}; here it is {mine}. "
                             "Shapes must be equal (counts, with share_mode: PERMISSIVE)")
        layer.blobs[i] = shared if mine == shared.shape else shared.alias(mine)
