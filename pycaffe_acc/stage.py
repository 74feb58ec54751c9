"""A contiguous range of layers, compiled for the shapes its blobs have."""
from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from cnml.errors import CnmlError
from cnml.executable import Around, Executable
from cnml.graph import Graph
from cnml.ops.view import View
from cnml.tensor import Tensor
from cnrt.device import Device
from cnrt.errors import CnrtError
from cnrt.queue import Queue
from pycaffe_acc.blob import Blob, Place
from pycaffe_acc.build import Wiring
from pycaffe_acc.deferred import Deferred, Recipe, Remote
from pycaffe_acc.errors import CheckError
from pycaffe_acc.memory_budget import check_activations

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


def range_results(net: Wiring, first: int, last: int) -> set[str]:
    """Blobs that layers first..last make and that nobody among them reads, or that somebody behind them reads."""
    unread: set[str] = set()
    made: set[str] = set()
    for i in range(first, last + 1):
        unread.difference_update(net.bottoms[i])
        unread.update(net.tops[i])
        made.update(net.tops[i])
    later = {b for bottoms in net.bottoms[last + 1:] for b in bottoms}
    return unread | (made & later)


class Stage:
    """An executable with its connections to the net's blobs.

    The blobs that nobody behind the range needs and that are not `wanted` are left to fusion: they are computed again when somebody looks
    (`Deferred`).

    Parameters
    ----------
    net : Wiring
    groups : dict
        See `emit_range`.
    first, last : int
    blobs : dict of str to Blob
    device : cnrt.Device
    fusion : bool
    wanted : frozenset of str or None
        Blobs that a script looks at; None keeps every blob.
    precision : str
        See `cnml.executable.Executable`.
    """

    def __init__(self, net: Wiring, groups: Groups, first: int, last: int, blobs: dict[str, Blob], device: Device, fusion: bool = True,
                 wanted: frozenset[str] | None = None, precision: str = "fp32"):
        graph = Graph()
        self._blobs = blobs
        self._inputs = range_inputs(net, first, last)
        env = {name: graph.input(blobs[name].shape, name) for name in self._inputs}
        sources = dict(env)
        emit_range(net, groups, first, last, graph, env)
        check_activations({n: t.shape for n, t in env.items()})
        self._tops: dict[str, Tensor] = {n: t for n, t in env.items() if sources.get(n) is not t}
        self._copies = {name: device.malloc(max(4, tensor.nbytes)) for name, tensor in sources.items()}
        self._targets = [(name, self._copies[name].array(np.uint8, (tensor.nbytes,))) for name, tensor in sources.items()]
        self._copied: dict[str, tuple[Place, int] | None] = {}  # the state of each blob whose copy is that of its bytes
        bindings = {tensor: self._copies[name] for name, tensor in sources.items()}
        keep = set(self._tops) if wanted is None else range_results(net, first, last) | wanted
        self._kept = {n: t for n, t in self._tops.items() if n in keep}
        self._recipe = Recipe(graph, bindings, device, precision)
        self._promise: Callable[[], Deferred | None] = lambda: None  # a weak reference to the last one: those who still need it hold it
        names = {t: n for n, t in reversed(self._kept.items())}
        with _as_check_error():
            self.executable = Executable(graph, self._kept.values(), bindings, lambda t: blobs[names[t]].home(t.nbytes), device, fusion,
                                         precision=precision)

    def run(self, queue: Queue, cores: int, notifiers: list[Around] | None = None) -> None:
        """Run, and let the blobs follow. See `Executable.run`."""
        self._enter()
        with _as_check_error():
            self.executable.run(queue, cores, notifiers)
        self._leave()

    def _enter(self) -> None:
        """Copy what the range reads: scripts may change their blobs, and blobs computed later must come from the same values. What nobody touched
        since the last copy is there already.
        """
        for name, target in self._targets:
            blob = self._blobs[name]
            memory, place = blob.plain_memory(), blob.place
            state = None if place.watched() else (place, place.changes)
            if state is None or state != self._copied.get(name):
                target[...] = memory.array(np.uint8, target.shape)
                self._copied[name] = state

    def _leave(self) -> None:
        exe = self.executable
        elsewhere, current = [], set()  # blobs that share a place hold the same bytes: one of them, a plain one if there is one, tells where
        owners = {id(memory): self._blobs[name].place for name, memory in self._copies.items()}
        for name, tensor in self._kept.items():
            blob = self._blobs[name]
            step = exe.dynamic.get(tensor)
            if step is not None:
                self._take(blob, step.results[step.node.outputs.index(tensor)])
            elif exe.is_plain(tensor):
                self._settle(blob, tensor, owners)
                current.add(blob.place)
            else:
                elsewhere.append((blob, tensor))
        for blob, tensor in elsewhere:
            if blob.place in current:
                blob.show(tensor.shape)
            else:
                blob.follow(Remote(exe, tensor))
                current.add(blob.place)
        self._defer(current)

    def _settle(self, blob: Blob, tensor: Tensor, owners: dict[int, Place]) -> None:
        """Give a blob its plain values. A view of a blob that is another one to scripts (Dropout's top) gets a copy, and so does one whose arrays
        scripts hold in another memory than the one this range was compiled for.
        """
        memory, place = self.executable.memory_of(tensor), blob.place
        owner = owners.setdefault(id(memory), place)
        if owner is not place or (memory not in self._copies.values() and place.memory is not memory and place.watched()):
            place.remote = None
            place.changes += 1
            blob.show(tensor.shape)
            self.executable.read_into(tensor, blob.home().array(np.float32, tensor.shape))
        elif memory in self._copies.values():  # what the blob holds already
            blob.show(tensor.shape)
        else:
            blob.attach(memory, tensor.shape)

    def _defer(self, current: set[Place]) -> None:
        """Promise the values of the blobs that were not kept and share no place with one that was."""
        promise = self._promise()
        if promise is not None and promise.stands():
            return
        places: dict[Place, Tensor] = {}
        for name, tensor in self._tops.items():
            if name not in self._kept:
                blob = self._blobs[name]
                blob.show(tensor.shape)
                if blob.place not in current:
                    places[blob.place] = tensor
        if places:
            self._promise = weakref.ref(Deferred(self._recipe, places))

    @staticmethod
    def _take(blob: Blob, result: np.ndarray) -> None:
        blob.set_shape(tuple(result.shape))
        blob.data[...] = result
