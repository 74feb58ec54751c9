"""Weights into layers: matched by name, checked blob by blob, and accounted for."""
from __future__ import annotations

import logging
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pycaffe_acc.errors import BinaryProtoError, WeightsError
from pycaffe_acc.first_convolution import pixel_weights
from pycaffe_acc.weights_file import AnyBlob, StoredLayer, Weights, read_caffemodel, read_weights, save_caffemodel

__all__ = ["Coverage", "Weights", "load_weights", "read_caffemodel", "read_weights", "save_caffemodel"]

_log = logging.getLogger("caffe")
_SHOWN = 8
Values = list["np.ndarray | None"]


@dataclass
class Coverage:
    """What became of the layers of a net and of a weight file.

    Attributes
    ----------
    loaded : list of str
        Layers of the net that got values.
    never_initialised : list of str
        Layers with parameters that the file does not have: they keep their fillers' values.
    unused : list of str
        Layers with blobs in the file that the net does not have.
    skipped : list of str
        Sentences about layers that did not fit (only with strict=False).
    source : str
    """

    loaded: list[str] = field(default_factory=list)
    never_initialised: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    source: str = ""

    @property
    def complete(self) -> bool:
        """Whether every layer with parameters got all of them."""
        return not self.never_initialised and not self.skipped

    def __str__(self) -> str:
        parts = [f"{self.source}: {_number(self.loaded, 'layer')} loaded"]
        if self.never_initialised:
            names = _names(self.never_initialised)
            parts.append(f"{_number(self.never_initialised, 'layer')} of the net not in the file, left at initial values ({names})")
        if self.unused:
            parts.append(f"{_number(self.unused, 'layer')} of the file not in the net ({_names(self.unused)})")
        if self.skipped:
            parts.append(f"{_number(self.skipped, 'layer')} did not fit ({' '.join(self.skipped[:_SHOWN])})")
        return "; ".join(parts) + "."


def _number(items: list[str], noun: str) -> str:
    return f"{len(items)} {noun}{'' if len(items) == 1 else 's'}"


def _names(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def load_weights(layers: Iterable[Any], source: Any, strict: bool = True) -> Coverage:
    """Copy weights into the layers of the same name.

    Layers of the file that the net does not have are ignored; layers of the net that the file does not have keep their values; where a name stands in
    the file twice, the last one counts. The number of blobs and every shape must agree; a blob with the old four extents fits a shape that has ones
    in front. A half-read file changes nothing: everything is checked before the first value is copied.

    Parameters
    ----------
    layers : iterable
        Objects with `name`, `type` and `blobs`; a blob has `shape` and `assign(array)`.
    source : str, Path, NetParameter or Weights
        See `read_weights`.
    strict : bool
        False: layers that do not fit are left as they are and listed in `Coverage.skipped`.

    Returns
    -------
    Coverage

    Raises
    ------
    WeightsError
        Naming the layer, the blob, both shapes, and what to do. MissingFileError for a missing file.
    """
    weights = read_weights(source)
    targets: dict[str, Any] = {}
    for layer in layers:
        targets.setdefault(layer.name, layer)
    coverage = Coverage(source=weights.source)
    plan = _plan(weights, targets, strict, coverage)
    assigned: set[int] = set()
    for target, values in plan.values():
        for blob, array in zip(target.blobs, values, strict=False):
            if array is not None:
                blob.assign(array)
                assigned.add(_address(blob))
        coverage.loaded.append(target.name)
    for target in targets.values():
        if target.blobs and target.name not in plan and not all(_address(b) in assigned for b in target.blobs):
            coverage.never_initialised.append(target.name)
    if coverage.never_initialised or coverage.skipped:
        _log.warning("%s", coverage)
    return coverage


def _address(blob: Any) -> int:
    """Where a blob's values lie: equal for blobs that layers share."""
    return int(blob.array.__array_interface__["data"][0])


def _plan(weights: Weights, targets: dict[str, Any], strict: bool, coverage: Coverage) -> dict[str, tuple[Any, Values]]:
    plan: dict[str, tuple[Any, Values]] = {}
    unused: dict[str, None] = {}
    shared = _shared(targets.values())
    for stored in weights.layers:
        target = targets.get(stored.name)
        if target is None:
            if stored.blobs:
                unused[stored.name] = None
            continue
        if not target.blobs and not stored.blobs:
            continue
        try:
            plan[stored.name] = (target, _values(stored, target, weights.source, shared))
        except WeightsError as e:
            if strict:
                raise
            coverage.skipped.append(f"{e}.")
    coverage.unused.extend(unused)
    return plan


def _shared(targets: Iterable[Any]) -> set[int]:
    """Addresses of the blobs that belong to more than one layer."""
    seen: set[int] = set()
    shared: set[int] = set()
    for target in targets:
        own = {_address(blob) for blob in target.blobs}
        shared |= own & seen
        seen |= own
    return shared


def _values(stored: StoredLayer, target: Any, source: str, shared: set[int]) -> Values:
    """The arrays for a layer's blobs, in their shapes; views of the file's bytes where possible, None for blobs that come with another layer."""
    where = f"layer '{target.name}' ({target.type})"
    blobs = _blobs_for(stored, target, where, source)
    values: Values = []
    for i, (have, blob) in enumerate(zip(blobs, target.blobs, strict=False)):
        want = tuple(blob.shape)
        if have is None:
            if _address(blob) not in shared:
                raise WeightsError(f"cannot copy {where} from {source}: blob {i} is not in the file, and the layer does not share it with another")
            values.append(None)
            continue
        three = i == 0 and _takes_three_channels(target, tuple(have.shape), want)
        if not three and not _fits(have, want):
            raise WeightsError(f"cannot copy blob {i} of {where} from {source}: the file's shape is {tuple(have.shape)} "
                               f"({math.prod(have.shape)} elements), the net's {want} ({math.prod(want)} elements); correct the prototxt, "
                               "or rename the layer to leave it at its initial values")
        try:
            with np.errstate(all="ignore"):
                values.append(pixel_weights(have.array()) if three else have.array().reshape(want))
        except BinaryProtoError as e:
            raise WeightsError(f"cannot copy blob {i} of {where} from {source}: {e}") from e
    return values


def _blobs_for(stored: StoredLayer, target: Any, where: str, source: str) -> list[Any]:
    have, want = len(stored.blobs), len(target.blobs)
    if have == want:
        return stored.blobs
    if target.type == "BatchNorm" and (have, want) == (3, 5):
        return stored.blobs  # factor and offset stay 1 and 0
    if stored.partial and have < want:
        return stored.blobs + [None] * (want - have)
    if target.type == "BatchNorm" and (have, want) == (5, 3) and None not in stored.blobs:
        try:
            trivial = bool((stored.blobs[3].array() == 1).all()) and not stored.blobs[4].array().any()
        except BinaryProtoError as e:
            raise WeightsError(f"cannot copy {where} from {source}: {e}") from e
        if trivial:
            return stored.blobs[:3]
        raise WeightsError(f"cannot copy {where} from {source}: the file's BatchNorm also has a factor and an offset, which the net's would "
                           "leave out; add `scale_bias: true` to its batch_norm_param")
    raise WeightsError(f"cannot copy {where} from {source}: the file has {have} blobs for it, the net {want}; correct the prototxt (bias_term?), "
                       "or rename the layer to leave it at its initial values")


def _takes_three_channels(target: Any, have: tuple[int, ...], want: tuple[int, ...]) -> bool:
    """See `Convolution.takes_three_channels`; other layers take their own shapes only."""
    takes = getattr(target, "takes_three_channels", None)
    return takes is not None and bool(takes(have, want))


def _fits(blob: AnyBlob, want: tuple[int, ...]) -> bool:
    have = tuple(blob.shape)
    if blob.is_legacy:
        return len(want) <= 4 and (1,) * (4 - len(want)) + want == have
    if have == want:
        return True
    # NVCaffe gives vectors more axes than BVLC does
    return blob.is_raw and tuple(d for d in have if d != 1) == tuple(d for d in want if d != 1)
