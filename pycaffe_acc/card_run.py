"""A forward in the vendor's modes: subnet by subnet (MFUS), or layer by layer with a time for each (MLU), with the vendor's lines in the log."""
from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from cnml.executable import Around
from cnrt.notifier import duration_us
from pycaffe_acc.card import CardSettings, check_started
from pycaffe_acc.layer_dump import LayerDump
from pycaffe_acc.segments import Segment, Segments
from pycaffe_acc.stage import Stage
from pycaffe_acc.stages import Section

if TYPE_CHECKING:
    from pycaffe_acc.net import Net

_log = logging.getLogger("caffe")


class Part(NamedTuple):
    """Layers that run together.

    Attributes
    ----------
    subnet : int
        The vendor's number of the segment.
    first, last : int
        Layers, both included; the Splits behind a layer belong to it.
    on_card : bool
    layer : str
        In MLU mode the layer's name.
    """

    subnet: int
    first: int
    last: int
    on_card: bool
    layer: str


class CardRun:
    """How a net for the card runs.

    Parameters
    ----------
    net : Net
        Not kept: nets that are deleted must go at once, for `exit_mlu_lib`.
    settings : CardSettings
    """

    def __init__(self, net: Net, settings: CardSettings):
        self.settings = settings
        net._queue.parallelism = settings.launch
        self._shapes: tuple[tuple[int, ...], ...] = ()
        self._parts: list[Part] = []
        self._compiled: set[int] = set()  # subnets
        self._dump = LayerDump() if settings.mode == "MLU" and net.source.message.debug_info else None
        if settings.batch_size is not None:
            for name in net.inputs:
                net.blobs[name].reshape(settings.batch_size, *net.blobs[name].shape[1:])
            net.reshape()
        self._split(net)
        if settings.mode == "MLU":
            _log.info("net '%s': the hardware times of layers are simulated, since %s is a virtual card", net.name, net._device.name)

    def run(self, net: Net, first: int, last: int) -> None:
        """Run layers first..last.

        Parameters
        ----------
        net : Net
        first, last : int

        Raises
        ------
        CheckError
            After `exit_mlu_lib`; for a batch that data parallelism does not divide.
        """
        check_started(self.settings.mode)
        self._split(net)
        for part in self._parts:
            if part.last < first or part.first > last:
                continue
            if self.settings.mode == "MFUS":
                self._run_subnet(net, part, first, last)
            else:
                self._run_layer(net, part, first, last)

    def newest(self, net: Net) -> list[Stage]:
        """The stages that ran last."""
        return [stage for part in self._parts for stage in net._stages.newest(part.first, part.last, self.settings.mode == "MFUS")]

    # ---- how the net is cut -----------------------------------------------------------------------------------------------------------------

    def _split(self, net: Net) -> None:
        """Cut the net for its present input shapes, unless it is cut for them already."""
        shapes = tuple(b.shape for b in (net.blobs[n] for n in net.inputs))
        if self._parts and shapes == self._shapes:
            return
        self.settings.check_batch(net.name, dict(zip(net.inputs, shapes, strict=True)))
        segments = Segments(net)
        self._shapes, self._parts, self._compiled = shapes, self._cut(segments, len(net.layers)), set()
        if self.settings.mode == "MFUS":
            _log.info("split done: %d subnets in total.", len(segments.all))
            for i, segment in enumerate(segments.all):
                _log.info("subnet[%d] layers : %s", i, segment_layers(segments, segment))
            for i in range(len(segments.all)):
                _log.info("reshaping subnet[%d]...", i)

    def _cut(self, segments: Segments, layers: int) -> list[Part]:
        starts = [(i, layer, bool(s.symbol)) for i, s in enumerate(segments.all) for layer in s.layers]
        if self.settings.mode == "MFUS":
            starts = [(i, s.layers[0], bool(s.symbol)) for i, s in enumerate(segments.all)]
        ends = [layer for _, layer, _ in starts[1:]] + [layers]
        names = [layer.name for layer in segments.net.layers]
        return [Part(i, layer, end - 1, on_card, names[layer]) for (i, layer, on_card), end in zip(starts, ends, strict=True)]

    @staticmethod
    def _sections(net: Net, part: Part, first: int, last: int) -> Iterator[Section]:
        yield from net._stages.cut(max(first, part.first), min(last, part.last))

    # ---- how a part runs --------------------------------------------------------------------------------------------------------------------

    def _run_subnet(self, net: Net, part: Part, first: int, last: int) -> None:
        told = False
        for section in self._sections(net, part, first, last):
            stage = net._stages.stage(section)
            if part.on_card and part.subnet not in self._compiled:
                _log.info("subnet[%d] fusing...", part.subnet)
                _log.info("[Fusion] compiling...")
                self._compiled.add(part.subnet)
            if not told:
                _log.info("forwarding subnet[%d]...", part.subnet)
                told = True
            stage.run(net._queue, net.threads, net.notifiers)

    def _run_layer(self, net: Net, part: Part, first: int, last: int) -> None:
        around: list[Around] = []
        start = time.perf_counter_ns()
        for section in self._sections(net, part, first, last):
            net._stages.stage(section, fusion=False).run(net._queue, net.threads, around)
        took = (time.perf_counter_ns() - start) / 1e3
        if net.notifiers is not None:
            net.notifiers += around
        if part.on_card:
            _log.info("layer %s hardware time: %g us", part.layer, sum(duration_us(*pair) for pair in around))
        else:
            _log.info("layer %s cpu time: %g us", part.layer, took)
        if self._dump is not None:
            self._dump.write(net, part.first, self._parts.index(part))


def segment_layers(segments: Segments, segment: Segment) -> str:
    """The layers of a segment as the vendor's lines list them: "3(conv1) 4(relu1)"."""
    return " ".join(f"{segments.numbers[i]}({segments.net.layers[i].name})" for i in segment.layers)
