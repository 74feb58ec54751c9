"""Graph → planned nodes: layouts, conversions and storages."""
from __future__ import annotations

from collections.abc import Callable, Iterable

from cnml.arena import Span, arrange
from cnml.errors import CnmlError
from cnml.graph import Graph, Node
from cnml.ops.convert_layout import ConvertLayout
from cnml.tensor import Layout, Tensor, same_bytes
from cnrt.memory import Memory

Home = Callable[[Tensor], Memory | None]


class Storage:
    """Memory that one or more tensors (views, in-place results) share: `nbytes` bytes from byte `offset` of `memory` on."""

    __slots__ = ("nbytes", "memory", "offset", "tensors")

    def __init__(self, tensor: Tensor, memory: Memory | None = None):
        self.nbytes = tensor.nbytes
        self.memory = memory
        self.offset = 0
        self.tensors = [tensor]


class Plan:
    """The nodes in order with conversions put in, and where every tensor lies.

    Parameters
    ----------
    graph : Graph
    retained : iterable of Tensor
        Values that must be readable after a run.
    bindings : dict of Tensor to Memory
        Memory of the graph's inputs (PLAIN).
    off : frozenset of str
        Of "place_concat", "place_slice" and "reuse_memory", those to leave out.

    Attributes
    ----------
    peak_bytes : int
        Memory of the values that are not retained; they take turns in it.
    """

    def __init__(self, graph: Graph, retained: Iterable[Tensor], bindings: dict[Tensor, Memory], off: frozenset[str] = frozenset()):
        self.nodes: list[Node] = []
        self.storages: dict[Tensor, Storage] = {}
        self._retained = set(retained)
        self._consumers = graph.consumers()
        self._inputs = set(graph.inputs)
        self._converted: dict[tuple[Tensor, Layout], Tensor] = {}
        self._off = off
        self.peak_bytes = 0
        for t in graph.inputs:
            if t not in bindings:
                raise CnmlError(f"failed to compile a graph: input '{t.name}' {t.shape} has no memory bound to it")
            self.storages[t] = Storage(t, bindings[t])
        for node in graph.nodes:
            self._place(node)
        self._makers = {t: n for n in self.nodes for t in n.outputs}  # after the passes: not the tensors' first producers
        for node in self.nodes:
            if "place_concat" not in off and node.op.joins_channels() and node.outputs[0].layout is Layout.NHWC:
                self._join(node)
        for node in self.nodes:
            if "place_slice" not in off and node.op.cuts_channels() and node.inputs[0].layout is Layout.NHWC:
                self._cut(node)

    def _place(self, node: Node) -> None:
        shapes = [t.shape for t in node.inputs]
        wanted, given = node.op.choose_layouts([t.layout for t in node.inputs], shapes)
        sources = [self._convert(t, layout) for t, layout in zip(node.inputs, wanted, strict=True)]
        for i, out in enumerate(node.outputs):
            layout = given[i] if len(given) > 1 else given[0]
            out.layout = layout if len(out.shape) == 4 else Layout.PLAIN
            out.pitch = out.offset = 0  # another plan may have placed it
        placed = Node(node.op, sources, node.parameters)
        placed.outputs = node.outputs
        if node.op.view:
            self._share(sources[0], node.outputs)
            return
        for i, out in enumerate(node.outputs):
            if i == 0 and node.op.inplace and self._may_overwrite(node.inputs[0], sources[0], out):
                self._share(sources[0], [out])
            else:
                self.storages[out] = Storage(out)
        self.nodes.append(placed)

    def _join(self, node: Node) -> None:
        """Let the producers of a concatenation's inputs write into it."""
        whole, first = node.outputs[0], 0
        for t in node.inputs:
            maker = self._makers.get(t)
            alone = len(self._consumers.get(t, ())) == 1 and len(self.storages[t].tensors) == 1 and t not in self._inputs
            if alone and maker is not None and maker.op.strided_output and t.layout is Layout.NHWC and not t.pitch:
                t.pitch, t.offset = whole.width, first
                self._share(whole, [t])
            first += t.shape[1]

    def _cut(self, node: Node) -> None:
        """Let the readers of a slice's outputs read them where they lie in its input."""
        whole, first = node.inputs[0], 0
        for t in node.outputs:
            readers = [n for n in self.nodes if t in n.inputs]
            alone = t not in self._retained and len(self.storages[t].tensors) == 1 and len(readers) == len(self._consumers.get(t, ()))
            if alone and not whole.pitch and all(n.op.strided_input and t not in n.inputs[1:] for n in readers):
                t.pitch, t.offset = whole.width, first
                self._share(whole, [t])
            first += t.shape[1]

    def _share(self, source: Tensor, outs: list[Tensor]) -> None:
        storage = self.storages[source]
        for out in outs:
            storage.tensors.append(out)
            self.storages[out] = storage

    def _may_overwrite(self, original: Tensor, source: Tensor, out: Tensor) -> bool:
        if source.nbytes != out.nbytes or source.layout is not out.layout:
            return False
        if source is not original:  # a conversion: private only if no other node uses it
            return len(self._consumers.get(original, ())) == 1 and len(self.storages[source].tensors) == 1
        return (len(self._consumers.get(original, ())) == 1 and original not in self._retained and original not in self._inputs
                and len(self.storages[original].tensors) == 1 + self._chain_length(original))

    def _chain_length(self, tensor: Tensor) -> int:
        """How many dead predecessors of an in-place chain share the storage of `tensor`."""
        storage, n = self.storages[tensor], 0
        while True:
            maker = next((m for m in reversed(self.nodes) if tensor in m.outputs), None)
            if maker is None or not maker.op.inplace or self.storages.get(maker.inputs[0]) is not storage:
                return n
            tensor = maker.inputs[0]
            if tensor in self._inputs:
                return -1
            n += 1
        return n

    def _convert(self, tensor: Tensor, layout: Layout) -> Tensor:
        if tensor.layout is layout or len(tensor.shape) != 4:
            return tensor
        if tensor.codes is not None:
            raise CnmlError(f"failed to compile a graph: the codes of '{tensor.name}' lie channels last, and an operator wants them {layout.value}")
        hit = self._converted.get((tensor, layout))
        if hit is not None:
            return hit
        out = Tensor(tensor.shape, tensor.name)
        out.layout = layout
        self._converted[tensor, layout] = out
        if same_bytes(tensor.shape):
            self._share(tensor, [out])
            return out
        node = Node(ConvertLayout(layout, f"{tensor.name} to {layout.value}"), [tensor], [])
        node.outputs = [out]
        out.producer = node
        self.nodes.append(node)
        self.storages[out] = Storage(out)
        return out

    def allocate(self, home: Home, malloc: Callable[[int], Memory]) -> None:
        """Give every storage its memory.

        Parameters
        ----------
        home : callable
            For a retained PLAIN tensor: the memory its owner wants it in, or None.
        malloc : callable
            bytes → Memory, for everything else.
        """
        passing = self._passing() if "reuse_memory" not in self._off else {}
        for storage in dict.fromkeys(self.storages.values()):
            if storage.memory is not None or storage in passing:
                continue
            for t in storage.tensors:
                if t in self._retained and not t.pitch and t.codes is None and (t.layout is Layout.PLAIN or same_bytes(t.shape)):
                    storage.memory = home(t)
                    if storage.memory is not None:
                        break
            if storage.memory is None:
                storage.memory = malloc(max(storage.nbytes, 4))
                self.peak_bytes += storage.nbytes if self._retained.isdisjoint(storage.tensors) else 0
        offsets, total = arrange(list(passing.values()))
        if passing:
            arena = malloc(total)
            self.peak_bytes += total
            for storage, offset in zip(passing, offsets, strict=True):
                storage.memory, storage.offset = arena, offset

    def _passing(self) -> dict[Storage, Span]:
        """Storages that nobody reads after the run, with the first and last node that touches each."""
        touched: dict[Storage, Span] = {}
        for i, node in enumerate(self.nodes):
            for t in (*node.inputs, *node.outputs):
                storage = self.storages[t]
                known = touched.get(storage)
                touched[storage] = Span(max(storage.nbytes, 4), known.first if known else i, i)
        return {s: span for s, span in touched.items() if s.memory is None and self._retained.isdisjoint(s.tensors)}
