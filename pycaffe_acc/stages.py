"""The compiled ranges of a net: how its layers are cut, and which stage fits the shapes and the interest of the moment."""
from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import NamedTuple

from cnrt.device import Device
from pycaffe_acc.blob import Blob
from pycaffe_acc.build import Wiring
from pycaffe_acc.stage import Groups, Stage, range_inputs

_KEPT = 4  # stages of one section: shapes, or sets of blobs that a script looks at


class Section(NamedTuple):
    """Layers that are compiled together.

    Attributes
    ----------
    first, last : int
        Both included.
    inputs, tops : list of str
        Blobs that it reads and makes; what comes from the caller (`Layer.held`) is read.
    effects : bool
        Whether its layers do more than make their tops: they keep every blob and never run twice.
    """

    first: int
    last: int
    inputs: list[str]
    tops: list[str]
    effects: bool


class Stages:
    """Compiles sections when they are first needed for a set of shapes.

    Parameters
    ----------
    net : Wiring
    groups : dict
        See `emit_range`.
    blobs : dict of str to Blob
    device : cnrt.Device
    precision : str

    Attributes
    ----------
    effects : set of int
        Layers that do more than make their tops; to be filled before the first cut.
    """

    def __init__(self, net: Wiring, groups: Groups, blobs: dict[str, Blob], device: Device, precision: str):
        self._net, self._groups, self._blobs, self._device, self._precision = net, groups, blobs, device, precision
        self.effects: set[int] = set()
        self._sections: dict[tuple[int, int], list[Section]] = {}
        self._compiled: dict[tuple[int, int, bool], OrderedDict[Hashable, Stage]] = {}

    def cut(self, first: int, last: int) -> list[Section]:
        """first..last cut behind every layer whose top shapes depend on data, and around those with effects."""
        known = self._sections.get((first, last))
        if known is None:
            known = self._sections[first, last] = []
            start = first
            for i in range(first, last + 1):
                if i == last or self._net.layers[i].dynamic or (i in self.effects) != (i + 1 in self.effects):
                    made = (zip(self._net.tops[j], self._net.layers[j].held(), strict=True) for j in range(start, i + 1))
                    tops = list(dict.fromkeys(name for layer in made for name, held in layer if not held))
                    known.append(Section(start, i, range_inputs(self._net, start, i), tops, start in self.effects))
                    start = i + 1
        return known

    def stage(self, section: Section, fusion: bool = True) -> Stage:
        """The stage that fits the blobs' shapes and keeps those that scripts are interested in."""
        blobs = self._blobs
        wanted = None if section.effects else frozenset([n for n in section.tops if blobs[n].take_interest()])
        key = wanted, tuple([blobs[b].shape for b in section.inputs])
        known = self._compiled.setdefault((section.first, section.last, fusion), OrderedDict())
        stage = known.get(key)
        if stage is None or stage.executable.stale():
            stage = known[key] = Stage(self._net, self._groups, section.first, section.last, blobs, self._device, fusion, wanted, self._precision)
            while len(known) > _KEPT:
                known.popitem(last=False)
        known.move_to_end(key)
        return stage

    def newest(self, first: int, last: int, fusion: bool = True) -> list[Stage]:
        """The stages that ran last for the sections of first..last, where there are any."""
        tables = (self._compiled.get((s.first, s.last, fusion)) for s in self.cut(first, last))
        return [next(reversed(known.values())) for known in tables if known]

    def clear(self) -> None:
        """Forget everything that was compiled."""
        self._compiled.clear()
