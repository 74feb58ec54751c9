"""What a net is made of: the arguments of `Net` and the prepared description."""
from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cnml.executable import PRECISIONS
from pycaffe_acc.card import CardSettings, settings
from pycaffe_acc.errors import CheckError
from pycaffe_acc.mode import CPU, checked_threads, mode
from pycaffe_acc.net_filter import filter_net
from pycaffe_acc.proto import caffe_pb2
from pycaffe_acc.splits import insert_splits, rename_in_place
from pycaffe_acc.text_format import read_net
from pycaffe_acc.upgrade import upgrade_net

_python_layers_allowed = False


def allow_python_layers(allowed: bool = True) -> None:
    """Let nets run `Python` layers, which import the module that the prototxt names, unless their own argument says otherwise."""
    global _python_layers_allowed
    _python_layers_allowed = bool(allowed)


@dataclass
class NetSource:
    """A description that is ready to be built, several times if need be (`Net.clone`).

    Attributes
    ----------
    message : NetParameter
        Upgraded; before filtering.
    layers : list of LayerParameter
        Filtered, with Splits (or, vendor_exact, renamed in-place tops).
    card : CardSettings or None
        For the vendor's modes.
    """

    message: Any
    layers: list[Any]
    phase: int
    weights: str | Path | None = None
    level: int = 0
    stages: tuple[str, ...] = ()
    vendor_exact: bool = False
    allow_python_layers: bool = False
    threads: int | None = None
    precision: str = "fp32"
    path: str = ""
    card: CardSettings | None = None
    unknown_fields: list[Any] = field(default_factory=list)

    @property
    def mode(self) -> str:
        """The mode in which the net was described."""
        return CPU if self.card is None else self.card.mode

    def param_specs(self, layer: int) -> list[Any]:
        """The `param` entries of a layer."""
        return list(self.layers[layer].param)

    def message_with_layers(self) -> Any:
        """A NetParameter with the layers as they run."""
        message = caffe_pb2.NetParameter()
        message.name = self.message.name
        for layer in self.layers:
            copy = message.layer.add()
            copy.CopyFrom(layer)
            while copy.type == "BatchNorm" and len(copy.param) < 3:  # Caffe's own layers keep solvers away from their statistics
                copy.param.add(lr_mult=0)
        return message


_NAMES = ("network_file", "phase", "level", "stages", "weights")
_OWN = ("vendor_exact", "allow_python_layers", "allow_unknown_fields", "threads", "precision")


def read_source(args: Sequence[Any], kwargs: dict[str, Any]) -> NetSource:
    """The arguments of `Net` → NetSource.

    Parameters
    ----------
    args : sequence
        (source), (file, phase), (file, phase, level, stages, weights) or pycaffe's older (file, weights, phase).
    kwargs : dict

    Raises
    ------
    CheckError
        Wrong arguments; PrototxtError and MissingFileError from reading.
    """
    if len(args) == 1 and isinstance(args[0], NetSource) and not kwargs:
        return args[0]
    given = _arguments(args, kwargs)
    phase = given["phase"]
    if phase not in (0, 1):
        raise CheckError(f"Net: phase is {phase!r}; it must be caffe.TRAIN (0) or caffe.TEST (1)")
    stages = given.get("stages") or ()
    if isinstance(stages, str):
        raise CheckError(f"Net: stages is the string '{stages}'; give a list of strings")
    on_card = None if mode() == CPU else settings(mode())
    precision = given.get("precision") or ("fp32" if on_card is None else "mlu")
    if precision not in PRECISIONS:
        raise CheckError(f"Net: precision is {precision!r}; it must be one of {', '.join(PRECISIONS)}")
    threads = checked_threads(given.get("threads"))
    description, path, unknown = _read(given["network_file"], given.get("allow_unknown_fields"))
    layers = filter_net(description, phase=phase, level=int(given.get("level") or 0), stages=tuple(stages))
    vendor = bool(given.get("vendor_exact"))
    layers = (rename_in_place if vendor else insert_splits)(layers, caffe_pb2.LayerParameter)
    allowed = given.get("allow_python_layers")
    return NetSource(description, layers, phase, given.get("weights"), int(given.get("level") or 0), tuple(stages), vendor,
                     _python_layers_allowed if allowed is None else bool(allowed), threads, precision, path, on_card, unknown)


def _arguments(args: Sequence[Any], kwargs: dict[str, Any]) -> dict[str, Any]:
    unknown = set(kwargs) - set(_NAMES) - set(_OWN)
    if unknown:
        raise CheckError(f"Net: unknown arguments {sorted(unknown)}; it takes {', '.join(_NAMES + _OWN)}")
    order: tuple[str, ...] = _NAMES
    if len(args) >= 2 and isinstance(args[1], (str, os.PathLike)):
        order = ("network_file", "weights", "phase")
    if len(args) > len(order):
        raise CheckError(f"Net: {len(args)} arguments; it takes at most {len(order)}: {', '.join(order)}")
    given = dict(zip(order, args, strict=False))
    twice = set(given) & set(kwargs)
    if twice:
        raise CheckError(f"Net: {sorted(twice)} given twice")
    given.update(kwargs)
    for name in ("network_file", "phase"):
        if name not in given:
            raise CheckError(f"Net: {name} is missing; call Net('deploy.prototxt', caffe.TEST, weights='net.caffemodel')")
    return given


def _read(source: Any, allow_unknown: bool | None) -> tuple[Any, str, list[Any]]:
    if isinstance(source, (str, os.PathLike)):
        file = read_net(source, allow_unknown_fields=allow_unknown)
        return upgrade_net(file.message), os.fspath(source), list(file.unknown)
    if getattr(getattr(source, "DESCRIPTOR", None), "full_name", "") != "caffe.NetParameter":
        raise CheckError(f"Net: the net must be a file name or a NetParameter, not a {type(source).__name__}")
    message = caffe_pb2.NetParameter.FromString(source.SerializeToString())
    return upgrade_net(message), "", []
