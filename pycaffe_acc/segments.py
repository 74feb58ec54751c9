"""How the vendor's fusion cuts a net: runs of layers that a device function can hold, and the layers between them."""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cnml.graph import Graph
from cnml.offline.hosted import host_reason
from cnml.tensor import Tensor
from pycaffe_acc.build import AUTOMATIC
from pycaffe_acc.errors import CheckError
from pycaffe_acc.proto import caffe_pb2
from pycaffe_acc.stage import emit_range

if TYPE_CHECKING:
    from pycaffe_acc.net import Net

#: bottoms of which a layer reads only the shape: no inputs of a device segment
_SHAPES = {"PriorBox": (0, 1), "Crop": (1,), "UnPooling": (1,)}


@dataclass(frozen=True)
class Segment:
    """A contiguous run of layers.

    Attributes
    ----------
    layers : tuple of int
        Indices in the net as it runs, without the Splits between layers.
    symbol : str
        Of the function in the offline file: "subnet0", "subnet1", … counted over device segments; empty for a CPU segment.
    inputs, outputs : tuple of str
        Blobs that come from outside, and that somebody outside needs; in the order in which the net creates them.
    reasons : dict of str to str
        For a CPU segment: why each layer is in it.
    copies : dict of str to str
        For a CPU segment: outputs that live in the memory of a blob which the segment changes in place, and that blob.
    """

    layers: tuple[int, ...]
    symbol: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    reasons: dict[str, str] = field(default_factory=dict)
    copies: dict[str, str] = field(default_factory=dict)


class Segments:
    """The segments of a net for its present shapes.

    A layer is on the device when every operator it emits can stand in an offline program. Layers whose shapes depend on the data of other layers,
    sources of data, and layers that keep a state are on the CPU.

    Parameters
    ----------
    net : Net

    Attributes
    ----------
    net : Net
    all : list of Segment
    numbers : dict of int to int
        Layer in the net as it runs → its number in the prototxt, for printing.
    """

    def __init__(self, net: Net):
        self.net = net
        self._wiring, self._groups = net._wiring, net._groups
        self._root: dict[str, str] = {}
        self.numbers: dict[int, int] = {}
        described = {m.name for m in net.source.message.layer}
        for i, layer in enumerate(self._wiring.layers):
            if layer.type == "Split" and layer.name not in described:
                origin = self.root(self._wiring.bottoms[i][0])
                self._root.update(dict.fromkeys(self._wiring.tops[i], origin))
            else:
                self.numbers[i] = len(self.numbers)
        self._order = {name: i for i, name in enumerate(self._wiring.blob_names)}
        self.all = self._cut(self._host_reasons())

    def root(self, blob: str) -> str:
        """The blob that a Split between layers only passes on."""
        return self._root.get(blob, blob)

    def aliases(self, blob: str) -> list[str]:
        """The tops of Splits that pass a blob on."""
        return [name for name, origin in self._root.items() if origin == blob]

    # ---- which layers ---------------------------------------------------------------------------------------------------------------------

    def _host_reasons(self) -> dict[int, str]:
        """Why layers are on the CPU; empty texts for the others."""
        graph = Graph()
        reasons: dict[int, str] = {}
        env: dict[str, Tensor] = {}
        loose: set[str] = set()
        for i, layer in enumerate(self._wiring.layers):
            tops, bottoms = self._wiring.tops[i], self._wiring.bottoms[i]
            held = layer.held()
            env.update({n: graph.input(self.net.blobs[n].shape, n) for n, kept in zip(tops, held, strict=True) if kept})
            before = len(graph.nodes)
            emit_range(self._wiring, dict(self._groups), i, i, graph, env)
            nodes = graph.nodes[before:]
            waits = next((b for b in bottoms if b in loose), None)
            if waits is not None or bottoms and (layer.dynamic or any(n.op.dynamic for n in nodes)):
                loose.update(tops)
            if self.net.source.layers[i].engine == caffe_pb2.CAFFE:
                reason = "its engine is CAFFE"
            elif any(held):
                reason = "it brings data from outside"
            elif waits is not None:
                reason = f"its shape depends on the data in '{self.root(waits)}'"
            elif not nodes:  # Silence has no side of its own
                reason = next(reversed(reasons.values()), "")
            else:
                reason = next((r for r in map(host_reason, nodes) if r), "")
            if i in self.numbers:
                reasons[i] = reason
        return reasons

    def _cut(self, reasons: dict[int, str]) -> list[Segment]:
        runs: list[list[int]] = []
        for i in reasons:
            if not runs or bool(reasons[runs[-1][0]]) != bool(reasons[i]):
                runs.append([])
            runs[-1].append(i)
        copies = [self._copies(run) if reasons[run[0]] else {} for run in runs]
        inputs = [self._inputs(run, {} if reasons[run[0]] else _SHAPES) - c.keys() for run, c in zip(runs, copies, strict=True)]
        symbols = iter(f"subnet{i}" for i in range(len(runs)))
        names = [self._wiring.layers[i].name for i in range(len(self._wiring.layers))]
        found = []
        for k, run in enumerate(runs):
            needed = {n for later in inputs[k + 1:] for n in later} | set(self._wiring.outputs) | self._external(run)
            made = {n for i in run for n in self._made(i)}
            found.append(Segment(tuple(run), "" if reasons[run[0]] else next(symbols), self._ordered(inputs[k]), self._ordered(made & needed),
                                 {names[i]: reasons[i] for i in run if reasons[i]}, copies[k]))
        return found

    def _ordered(self, blobs: set[str]) -> tuple[str, ...]:
        return tuple(sorted(blobs - {AUTOMATIC}, key=lambda n: self._order[n]))

    # ---- which blobs ----------------------------------------------------------------------------------------------------------------------

    def _inputs(self, run: list[int], shapes: dict[str, tuple[int, ...]]) -> set[str]:
        """Blobs that a run reads, or changes together with one of its own, before it makes them."""
        made: set[str] = set()
        needed: set[str] = set()
        for i in run:
            only_shapes = shapes.get(self._wiring.layers[i].type, ())
            read = {self.root(b) for j, b in enumerate(self._wiring.bottoms[i]) if j not in only_shapes}
            needed.update((read | self._followers(i)) - made)
            made.update(self._made(i))
        return needed

    def _made(self, i: int) -> set[str]:
        return {*self._wiring.tops[i], *self._followers(i)}

    def _followers(self, i: int) -> set[str]:
        """Blobs in the memory that a layer changes in place, as far as somebody reads them later."""
        shared = {n for top in self._wiring.tops[i] if top in self._wiring.bottoms[i] for n in self._groups.get(top, ()) if n != top}
        if not shared:
            return set()
        later = {b for bottoms in self._wiring.bottoms[i + 1:] for b in bottoms} | set(self._wiring.outputs)
        before = {n for tops in self._wiring.tops[:i] for n in tops}
        return {self.root(n) for n in shared & later & before}

    def _copies(self, run: list[int]) -> dict[str, str]:
        """Blobs from before a run that share the memory of those it changes in place, which a net of the run's layers alone does not know."""
        made = {n for i in run for n in self._wiring.tops[i] if n not in self._wiring.bottoms[i]}
        found: dict[str, str] = {}
        for i in run:
            layer = self._wiring.layers[i]
            lost = next((b for b in map(self.root, self._wiring.bottoms[i]) if b in found), None)
            if lost is not None:
                raise CheckError(f"layer '{layer.name}' ({layer.type}): its bottom '{lost}' was changed through '{found[lost]}', which has the same "
                                 "memory, inside one CPU segment; give the layer that works in place another top")
            changed = next((t for t in self._wiring.tops[i] if t in self._wiring.bottoms[i]), "")
            found.update(dict.fromkeys(self._followers(i) - made, changed))
        return found

    def _external(self, run: list[int]) -> set[str]:
        """Tops of layers with `external_output`."""
        return {t for i in run if self.net.source.layers[i].external_output for t in self._wiring.tops[i]}

    # ---- the graph of a device segment ------------------------------------------------------------------------------------------------------

    def graph(self, segment: Segment) -> tuple[Graph, dict[str, Tensor]]:
        """The operators of a device segment, and its outputs by name."""
        graph = Graph()
        env = {name: graph.input(self.net.blobs[name].shape, name) for name in segment.inputs}
        groups = dict(self._groups)
        for i in segment.layers:
            for blob in self._wiring.bottoms[i]:
                origin = self.root(blob)
                if origin not in env:  # only its shape is read
                    env[origin] = graph.input(self.net.blobs[origin].shape, origin)
                env.setdefault(blob, env[origin])
            emit_range(self._wiring, groups, i, i, graph, env)
        return graph, {name: env[name] for name in segment.outputs}
