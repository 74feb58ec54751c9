"""Nets as offline models: what `caffe genoff` and `pycaffe-acc compile` write."""
from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from cnml.errors import CnmlError
from cnml.offline import read_program, write_program
from cnml.offline.program_writer import NCHW, Orders
from cnml.offline.twins import twins_text
from cnrt import model_file
from cnrt.device import PARALLELISM
from cnrt.enums import CoreVersion
from cnrt.errors import CnrtError, RetCode
from cnrt.model import Model
from cnrt.whole_file import whole_file
from pycaffe_acc.errors import CheckError
from pycaffe_acc.net import Net
from pycaffe_acc.offline_parts import cpu_attachments
from pycaffe_acc.segments import Segment, Segments

SUFFIX, TWINS = ".cambricon", ".cambricon_twins"
#: cores that share one image of a value, for the stack that a model asks for: those of an MLU100's channel
_SHARING_CORES = 8


@dataclass(frozen=True)
class OfflineModel:
    """A net compiled for a file.

    Attributes
    ----------
    name : str
        The net's.
    model : Model
    segments : Segments
    """

    name: str
    model: Model
    segments: Segments

    def save(self, name: str | os.PathLike[str]) -> tuple[Path, Path]:
        """Write `name.cambricon` and the readable `name.cambricon_twins`; each has its name only when it is whole.

        Parameters
        ----------
        name : str or Path
            With or without the suffix.

        Returns
        -------
        Path, Path

        Raises
        ------
        CnrtError
            IO.
        """
        base = os.fspath(name).removesuffix(SUFFIX)
        model_file.save(self.model, base + SUFFIX)
        try:
            with whole_file(base + TWINS) as part:
                part.write_text(twins_text(self.model, self.name), encoding="utf-8")
        except OSError as e:
            raise CnrtError(RetCode.ERR_IO, f"failed to write {base + TWINS}: {e}") from e
        return Path(base + SUFFIX), Path(base + TWINS)

    def block(self, path: str | os.PathLike[str]) -> str:
        """The lines that `caffe genoff` prints for a file."""
        lines = ["Offline model is generated!", f"{' BEGIN ':-^60}", f"file name : {os.fspath(path)}", f"model name: {self.name}"]
        for i, segment in enumerate(self.segments.all):
            side = f"[On MLU] [call via func \"{segment.symbol}\"]" if segment.symbol else "[On CPU]"
            lines.append(f"{side} subnet[{i}] layers : {self._layers(segment)}")
            if segment.symbol:
                lines += ["inputs:", *(f"  {n}" for n in segment.inputs), "outputs:", *(f"  {n}" for n in segment.outputs)]
        return "\n".join([*lines, f"{' END ':-^60}"])

    def _layers(self, segment: Segment) -> str:
        layers = self.segments.net.layers
        return " ".join(f"{self.segments.numbers[i]}({layers[i].name})" for i in segment.layers)


def compile_offline(net: Net, model_parallelism: int = 1, core_version: CoreVersion = CoreVersion.MLU100, cpu_info: bool = False,
                    orders: Orders = NCHW) -> OfflineModel:
    """Compile a net, with the shapes its blobs have now, for a file that any machine can run.

    Parameters
    ----------
    net : Net
        Its precision decides how the functions compute.
    model_parallelism : int
        Cores that share one image: 1, 2, 4, 8, 16 or 32.
    core_version : CoreVersion
    cpu_info : bool
        Keep the CPU segments in the file, as prototxt and weights.
    orders : (DimOrder, DimOrder)
        How inputs and outputs of four axes lie on the device.

    Returns
    -------
    OfflineModel

    Raises
    ------
    CheckError
        When no layer can run on the device, or for a parallelism that no card has.
    """
    if model_parallelism not in PARALLELISM:
        raise CheckError(f"net '{net.name}': model parallelism {model_parallelism}; it must be one of {', '.join(map(str, PARALLELISM))}")
    segments = Segments(net)
    device = [s for s in segments.all if s.symbol]
    if not device:
        reasons = {name: why for s in segments.all for name, why in s.reasons.items()}
        raise CheckError(f"net '{net.name}' has no layer that a device can run, so there is nothing to put into an offline model; its layers: "
                         f"{'; '.join(f'{name}: {why}' for name, why in reasons.items())}")
    programs, stack = [], 1
    for segment in device:
        graph, outputs = segments.graph(segment)
        try:
            programs.append(write_program(segment.symbol, graph, outputs, net.source.precision, orders))
            read_program(programs[-1])
        except (CnmlError, CnrtError) as e:
            raise CheckError(f"net '{net.name}', layers {net.layers[segment.layers[0]].name} to {net.layers[segment.layers[-1]].name}: {e}") from e
        shapes = [t.shape for node in graph.nodes for t in (*node.inputs, *node.outputs)]
        stack = max(stack, *(stack_mb(s) for s in shapes), 1)
    attachments = cpu_attachments(segments) if cpu_info else {}
    return OfflineModel(net.name, Model.of(programs, model_parallelism, stack, core_version, attachments), segments)


def stack_mb(shape: tuple[int, ...]) -> int:
    """Stack in MB that a value asks of a core: the part of one image that a core has of those that a channel's cores share."""
    count = 4
    for extent in shape[1:]:
        count *= extent
    return -(-count // (_SHARING_CORES << 20))
