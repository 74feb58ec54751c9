"""A contiguous range of layers, compiled for the shapes its blobs have."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from cnml.errors import CnmlError
from cnml.executable import Around, Executable
from cnml.graph import Graph
from cnml.ops.view import View
from cnml.tensor import Tensor
from cnrt.device import Device
from cnrt.errors import CnrtError
from cnrt.memory import Memory
from cnrt.queue import Queue
from pycaffe_acc.blob import Blob
from pycaffe_acc.build import Wiring
from pycaffe_acc.errors import CheckError

Groups = dict[str, set[str]]


def emit_range(net: Wiring, groups: Groups, first: int, last: int, graph: Graph, env: dict[str, Tensor]) -> None:
    """Add the operators of layers first..last to a graph.

    Parameters
    ----------
    net : Wiring
    groups : dict
        For each blob, the blobs that share its memory in Caffe; extended on the way.
    first, last : int
        Layer indices, both included.
    graph : cnml.Graph
    env : dict
        Blob name → newest tensor; must hold what the range reads and its layers' held tops, gets what it makes.

    Raises
    ------
    CheckError
        Naming the layer.
    """
    for i in range(first, last + 1):
        layer, bottoms = net.layers[i], net.bottoms[i]
        held = layer.held()
        if held and all(held):
            continue
        try:
            tops = layer.emit(graph, [env[b] for b in bottoms])
        except (CnmlError, CnrtError) as e:
            raise CheckError(f"layer '{layer.name}' ({layer.type}): {e}") from e
        if len(tops) != len(net.tops[i]):
            raise CheckError(f"layer '{layer.name}' ({layer.type}): made {len(tops)} tops where its prototxt has {len(net.tops[i])}")
        for name, tensor, kept in zip(net.tops[i], tops, held, strict=True):
            if kept:
                continue
            env[name] = tensor
            if name in bottoms:
                for other in groups.get(name, ()):
                    if other != name and other in env:
                        env[other] = graph.add(View(env[other].shape, f"{layer.name}:{other}"), [tensor])[0]
        if layer.shares_memory() and bottoms:
            union = set(bottoms[:1]) | set(net.tops[i])
            for name in list(union):
                union |= groups.get(name, set())
            for name in union:
                groups[name] = union


def range_inputs(net: Wiring, first: int, last: int) -> list[str]:
    """Blobs that layers first..last read before they make them, and those that come from the caller (held tops, `Layer.held`)."""
    made: set[str] = set()
    needed: dict[str, None] = {}
    for i in range(first, last + 1):
        held = net.layers[i].held()
        needed.update(dict.fromkeys(n for n, kept in zip(net.tops[i], held, strict=True) if kept))
        for b in net.bottoms[i]:
            if b not in made:
                needed[b] = None
        made.update(n for n, kept in zip(net.tops[i], held, strict=True) if not kept)
    return list(needed)


@contextmanager
def _as_check_error() -> Iterator[None]:
    """What operators and runtime refuse is a `CheckError` to users of a net."""
    try:
        yield
    except (CnmlError, CnrtError) as e:
        raise CheckError(str(e)) from e


class Stage:
    """An executable with its connections to the net's blobs.

    Parameters
    ----------
    net : Wiring
    groups : dict
        See `emit_range`.
    first, last : int
    blobs : dict of str to Blob
    device : cnrt.Device
    fusion : bool
    """

    def __init__(self, net: Wiring, groups: Groups, first: int, last: int, blobs: dict[str, Blob], device: Device, fusion: bool = True):
        graph = Graph()
        self._blobs = blobs
        self._inputs = range_inputs(net, first, last)
        env = {name: graph.input(blobs[name].shape, name) for name in self._inputs}
        sources = dict(env)
        emit_range(net, groups, first, last, graph, env)
        self._tops: dict[str, Tensor] = {n: t for n, t in env.items() if sources.get(n) is not t}
        self._snapshots: dict[str, Memory] = {}
        bindings = {}
        for name, tensor in sources.items():
            memory = blobs[name].plain_memory()
            if name in self._tops:  # overwritten in place within the range: the range reads a copy
                memory = self._snapshots[name] = device.malloc(max(4, tensor.nbytes))
            bindings[tensor] = memory
        names = {t: n for n, t in reversed(self._tops.items())}
        with _as_check_error():
            self.executable = Executable(graph, self._tops.values(), bindings, lambda t: blobs[names[t]].home(t.nbytes), device, fusion)

    def run(self, queue: Queue, cores: int, notifiers: list[Around] | None = None) -> None:
        """Run, and let the blobs follow. See `Executable.run`."""
        self._enter()
        with _as_check_error():
            self.executable.run(queue, cores, notifiers)
        self._leave()

    def _enter(self) -> None:
        for name in self._inputs:
            memory = self._blobs[name].plain_memory()
            copy = self._snapshots.get(name)
            if copy is not None:
                n = 4 * self._blobs[name].count
                copy.array(np.uint8, (n,))[...] = memory.array(np.uint8, (n,))

    def _leave(self) -> None:
        exe = self.executable
        elsewhere, current = [], set()  # blobs that share a place hold the same bytes: one of them, a plain one if there is one, tells where
        for name, tensor in self._tops.items():
            blob = self._blobs[name]
            step = exe.dynamic.get(tensor)
            if step is not None:
                self._take(blob, step.results[step.node.outputs.index(tensor)])
            elif exe.is_plain(tensor):
                blob.attach(exe.memory_of(tensor), tensor.shape)
                current.add(blob.place)
            else:
                elsewhere.append((blob, tensor))
        for blob, tensor in elsewhere:
            if blob.place in current:
                blob.show(tensor.shape)
            else:
                blob.follow(exe, tensor)
                current.add(blob.place)

    @staticmethod
    def _take(blob: Blob, result: np.ndarray) -> None:
        blob.set_shape(tuple(result.shape))
        blob.data[...] = result
