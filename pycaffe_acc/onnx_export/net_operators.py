"""A net as the engine's operators, layer by layer, with what of it goes into the file."""
from __future__ import annotations

from collections.abc import Sequence

from cnml.errors import CnmlError
from cnml.graph import Graph, Node
from cnml.tensor import Tensor
from cnrt.errors import CnrtError
from pycaffe_acc.build import Wiring
from pycaffe_acc.errors import CheckError
from pycaffe_acc.layer import Layer
from pycaffe_acc.net import Net
from pycaffe_acc.onnx_export.layer_table import Fate, entry
from pycaffe_acc.onnx_export.refusal import RefusedLayer
from pycaffe_acc.stage import Groups, emit_range


class NetOperators:
    """The operators of a net before any fusion.

    Parameters
    ----------
    net : Net
        With the shapes that the graph is to have.
    outputs : sequence of str
        Blobs that are wanted; none: the net's outputs. Layers that they do not depend on are not looked at.

    Raises
    ------
    CheckError
        For an output that is no blob of the net.

    Attributes
    ----------
    graph : Graph
    nodes : list of (Layer, Node)
        Those of the graph.
    inputs : dict of str to Tensor
        Tops of Input and of data layers.
    bindings : list of (str, Tensor)
        Each time a blob got a value, in order.
    blobs : dict of str to Tensor
        The blobs' last values.
    outputs : list of str
        Blobs that nobody reads but layers that are left out.
    refused : list of RefusedLayer
    notes : list of str
        Sentences on what was left out.
    """

    def __init__(self, net: Net, outputs: Sequence[str] = ()):
        self.nodes: list[tuple[Layer, Node]] = []
        self.inputs: dict[str, Tensor] = {}
        self.bindings: list[tuple[str, Tensor]] = []
        self.blobs: dict[str, Tensor] = {}
        self.refused: list[RefusedLayer] = []
        self.notes: list[str] = []
        self._net = net
        self.graph = Graph()
        self._groups: Groups = {}
        self._lost: set[str] = set()
        wiring = net._wiring
        for name in outputs:
            if name not in net.blobs:
                raise CheckError(f"net '{net.name}' has no blob '{name}' to be an output; its blobs are {', '.join(net.blobs)}")
        chosen = _needed_layers(wiring, outputs) if outputs else set(range(len(wiring.layers)))
        for i, layer in enumerate(wiring.layers):
            if i in chosen:
                self._layer(wiring, i, layer)
        self.outputs = list(outputs) or self._outputs(wiring)
        lost = [n for n in outputs if n in self._lost]
        if lost:
            raise CheckError(f"net '{net.name}': blob '{lost[0]}' is made by a layer that is for training and measuring, which has no ONNX form")

    def _layer(self, wiring: Wiring, i: int, layer: Layer) -> None:
        fate, note = entry(layer.type)
        missing = [b for b in wiring.bottoms[i] if b in self._lost]
        if fate is Fate.INPUT:
            for name in wiring.tops[i]:
                self.inputs[name] = self._bind(name, self.graph.input(self._net.blobs[name].shape, name))
        elif fate is Fate.LEFT_OUT:
            self._lost.update(wiring.tops[i])
            self.notes.append(f"layer '{layer.name}' ({layer.type}) is left out: {note}")
        elif fate is Fate.REFUSED or missing:
            self.refused.append(RefusedLayer(layer.name, layer.type, note if fate is Fate.REFUSED else
                                             f"its bottom '{missing[0]}' is made by a layer that is left out"))
            for name in wiring.tops[i]:
                self._bind(name, Tensor(self._net.blobs[name].shape, name))
        else:
            self._emit(wiring, i, layer)

    def _bind(self, name: str, tensor: Tensor) -> Tensor:
        self.blobs[name] = tensor
        self.bindings.append((name, tensor))
        return tensor

    def _emit(self, wiring: Wiring, i: int, layer: Layer) -> None:
        done = len(self.graph.nodes)
        known = dict(self.blobs)
        try:
            emit_range(wiring, self._groups, i, i, self.graph, self.blobs)
        except (CnmlError, CnrtError) as e:
            raise CheckError(f"layer '{layer.name}' ({layer.type}): {e}") from e
        self.nodes += [(layer, node) for node in self.graph.nodes[done:]]
        self.bindings += [(n, t) for n, t in self.blobs.items() if known.get(n) is not t]

    def _outputs(self, wiring: Wiring) -> list[str]:
        """Blobs without readers, and those whose readers are left out: the ones in front of Splits."""
        source: dict[str, str] = {}
        read: set[str] = set()
        wanted: dict[str, None] = {}
        for layer, bottoms, tops in zip(wiring.layers, wiring.bottoms, wiring.tops, strict=True):
            if layer.type == "Split":
                source.update(dict.fromkeys(tops, source.get(bottoms[0], bottoms[0])))
                continue
            origins = [source.get(b, b) for b in bottoms]
            if entry(layer.type).fate is Fate.LEFT_OUT:
                wanted.update(dict.fromkeys(o for o in origins if o not in self._lost))
            else:
                read.update(o for o in origins if o not in tops)
        outputs = [n for n in self._net.outputs if n not in self._lost]
        outputs += [n for n in wanted if n not in read and n not in outputs]
        return [n for n in outputs if self.blobs[n] is not self.inputs.get(n)]


def _needed_layers(wiring: Wiring, outputs: Sequence[str]) -> set[int]:
    """Indices of the layers that the blobs depend on."""
    wanted, chosen = set(outputs), set()
    for i in range(len(wiring.layers) - 1, -1, -1):
        if wanted.intersection(wiring.tops[i]):
            chosen.add(i)
            wanted.update(wiring.bottoms[i])
    return chosen
