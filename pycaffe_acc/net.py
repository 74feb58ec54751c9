"""The net: pycaffe's Net over compiled stages."""
from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from cnml.executable import Around, Timing
from cnml.graph import Graph
from cnml.parameter import Parameter
from cnml.tensor import Tensor
from cnrt.device import current_device
from cnrt.queue import Queue
from pycaffe_acc.blob import Blob, ParameterBlob
from pycaffe_acc.build import share_parameters, wire
from pycaffe_acc.card import open_card
from pycaffe_acc.card_run import CardRun
from pycaffe_acc.errors import CheckError, ConcurrentUseError
from pycaffe_acc.layer import Layer, NetContext
from pycaffe_acc.memory_budget import check_activations
from pycaffe_acc.mode import check_mode, default_threads
from pycaffe_acc.name_dict import NameDict
from pycaffe_acc.net_forward import NetForward
from pycaffe_acc.net_html import NetHtml
from pycaffe_acc.net_source import NetSource, read_source
from pycaffe_acc.stage import Groups, emit_range
from pycaffe_acc.stages import Stages
from pycaffe_acc.weights import Coverage, load_weights, read_weights, save_caffemodel

_log = logging.getLogger("caffe")


class NetLayer:
    """What `net.layers[i]` shows: `type` and the weight blobs."""

    def __init__(self, layer: Layer):
        self._layer = layer
        self.blobs = [ParameterBlob(p) for p in layer.blobs]

    @property
    def type(self) -> str:
        """The Caffe type."""
        return self._layer.type

    @property
    def name(self) -> str:
        """The layer's name."""
        return self._layer.name

    @property
    def engine(self) -> Layer:
        """The object behind: parameters, data sources."""
        return self._layer


class BlobDict(NameDict[Blob]):
    """`net.blobs`: ordered by creation. Indexing with the name of a layer that has one top gives that top, as runtimes that name values by layer
    do.
    """

    def __init__(self) -> None:
        super().__init__()
        self.layers: dict[str, str] = {}

    def __missing__(self, name: str) -> Blob:
        if name not in self.layers:
            raise KeyError(name)
        return self[self.layers[name]]


class Net(NetForward, NetHtml):
    """A Caffe net for inference.

    `Net(file, phase)`, `Net(file, weights, phase)` and `Net(network_file=, phase=, level=0, stages=None, weights=None)` as in pycaffe. `file` may
    also be a `NetParameter`.

    Parameters
    ----------
    network_file : str, Path or NetParameter
    phase : int
        caffe.TRAIN (0) or caffe.TEST (1).
    level : int
    stages : sequence of str
    weights : str, optional
        .caffemodel or HDF5 file.
    vendor_exact : bool
        The vendor's fork instead of BVLC's Caffe where they differ: no Splits, in-place tops renamed, its layers' quirks.
    allow_python_layers : bool or None
        Python layers import the module their prototxt names, so they are off; None takes the process default.
    allow_unknown_fields : bool or None
        Keep prototxt fields that no known fork has (reported in the log) instead of refusing them.
    threads : int, optional
        Core slots; default `PYCAFFE_ACC_NUM_THREADS` or the CPUs this process may use.
    precision : str
        "fp32"; "fp16": weights and the layers' results in half precision, sums in float32; "int8": quantized layers of the prototxt in INT8, values
        between them too where they can, float32 elsewhere; "mlu": quantized layers in INT8 and FP16 elsewhere, as on the vendor's card. Unless given,
        "mlu" in the vendor's modes and else "fp32". Blobs and `params` stay arrays of float32.

    Raises
    ------
    CaffeError
        A subclass that names file and line, or layer and rule. FileNotFoundError (a RuntimeError too) for a missing file.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        source = read_source(args, kwargs)
        self._source = source
        self._lock = threading.Lock()
        self._device = current_device() if source.card is None else open_card(source.card, self)
        self._queue = Queue(self._device)
        self.threads = source.threads or (default_threads() if source.card is None else source.card.cores)
        self.coverage: Coverage | None = None
        #: set it to a list, and every forward appends the pairs of notifiers around its functions on the device
        self.notifiers: list[Around] | None = None
        self.name = source.message.name
        context = NetContext(source.phase, source.vendor_exact, source.allow_python_layers)
        self._wiring = wire(source.layers, context)
        self._groups: Groups = {}
        self._weighted: list[tuple[int, str, float]] | None = None  # layer, top and loss weight
        self._hooks: dict[str, list[Callable[[int], None]]] = {k: [] for k in ("before_forward", "after_forward", "before_backward",
                                                                               "after_backward")}
        self.blobs: BlobDict = BlobDict()
        self._stages = Stages(self._wiring, self._groups, self.blobs, self._device, source.precision)
        self._setup()
        if source.precision == "int8" and not any(layer.int8 for layer in self._wiring.layers):
            raise CheckError(f"Net: precision is 'int8', but no layer of net '{self.name}' says how it is quantized (bottom_mlu_dtype and "
                             "blobs_dtype of type DT_INT8); `pycaffe-acc quantize` writes a prototxt that does")
        self._name_layers()
        self._card = None if source.card is None else CardRun(self, source.card)
        if source.weights is not None:
            self.copy_from(source.weights)

    # ---- construction -----------------------------------------------------------------------------------------------------------------------

    def _setup(self) -> None:
        """Parameters and shapes, layer by layer, as Caffe's set-up does."""
        net, graph = self._wiring, Graph()
        env: dict[str, Tensor] = {}
        owners: dict[str, tuple[str, Parameter]] = {}
        for i, layer in enumerate(net.layers):
            layer.setup([env[b].shape for b in net.bottoms[i]])
            share_parameters(layer, self._source.param_specs(i), owners)
            if any(layer.held()):
                env.update({n: t for n, t, held in zip(net.tops[i], layer.emit(graph, []), layer.held(), strict=True) if held})
            before = len(graph.nodes)
            emit_range(net, self._groups, i, i, graph, env)
            if any(node.op.effects() for node in graph.nodes[before:]):
                self._stages.effects.add(i)
        check_activations({n: t.shape for n, t in env.items()})
        for name in net.blob_names:
            self.blobs[name] = Blob(env[name].shape, self._device, name)
            shared = self._groups.get(name)
            if shared:
                self.blobs[name].join(self.blobs[next(n for n in self.blobs if n in shared)])
        for layer, tops in zip(net.layers, net.tops, strict=True):
            for name, values in zip(tops, layer.initial_values(), strict=False):
                if values is not None:
                    self.blobs[name].data[...] = values

    def _name_layers(self) -> None:
        net = self._wiring
        self._layer_names = [layer.name for layer in net.layers]
        self.layers = [NetLayer(layer) for layer in net.layers]
        self.layer_dict = NameDict(zip(self._layer_names, self.layers, strict=True))
        self.params = NameDict((n, lay.blobs) for n, lay in zip(self._layer_names, self.layers, strict=True) if lay.blobs)
        self.inputs = list(net.inputs)
        self.outputs = list(net.outputs)
        self.top_names = NameDict((n, list(t)) for n, t in zip(self._layer_names, net.tops, strict=True))
        self.bottom_names = NameDict((n, list(b)) for n, b in zip(self._layer_names, net.bottoms, strict=True))
        self._blob_names = list(net.blob_names)
        self.blobs.layers = {n: t[0] for n, t in zip(self._layer_names, net.tops, strict=True) if len(t) == 1 and t[0] in self.blobs}

    @property
    def blob_loss_weights(self) -> OrderedDict[str, float]:
        """Loss weight of each blob (1 for the first top of a loss layer unless told)."""
        weights = OrderedDict.fromkeys(self.blobs, 0.0)
        for layer, message, tops in zip(self._wiring.layers, self._source.layers, self._wiring.tops, strict=True):
            given = list(message.loss_weight) or ([1.0] if layer.type.endswith("Loss") else [])
            weights.update(zip(tops, given, strict=False))
        return weights

    # ---- running ----------------------------------------------------------------------------------------------------------------------------

    @contextmanager
    def _exclusive(self, what: str) -> Iterator[None]:
        if not self._lock.acquire(blocking=False):
            raise ConcurrentUseError(f"net '{self.name}': {what} while another thread runs it; give each thread its own net.clone() (weights are "
                                     f"shared)")
        try:
            yield
        finally:
            self._lock.release()

    def _forward(self, first: int, last: int) -> float:
        """Run layers first..last (indices, both included); returns the weighted loss as pycaffe does."""
        check_mode(self._source.mode, self.name)
        for name in self.inputs:
            if 0 in self.blobs[name].shape:
                raise CheckError(f"net '{self.name}': input blob '{name}' has the shape {self.blobs[name].shape}, which holds nothing to run on; "
                                 f"every extent must be at least 1 (reshape it to the batch you want)")
        with self._exclusive("forward() was called"):
            if self._hooks["before_forward"] or self._hooks["after_forward"]:
                for i in range(first, last + 1):
                    self._call_hooks("before_forward", i)
                    self._run(i, i)
                    self._call_hooks("after_forward", i)
            else:
                self._run(first, last)
        return self._loss(first, last)

    def _run(self, first: int, last: int) -> None:
        if self._card is not None:
            self._card.run(self, first, last)
            return
        for section in self._stages.cut(first, last):
            self._stages.stage(section).run(self._queue, self.threads, self.notifiers)

    def _call_hooks(self, kind: str, layer: int) -> None:
        for hook in self._hooks[kind]:
            hook(layer)

    def _loss(self, first: int, last: int) -> float:
        if self._weighted is None:
            weights = self.blob_loss_weights
            self._weighted = [(i, t, weights[t]) for i, tops in enumerate(self._wiring.tops) for t in tops if weights[t]]
        return sum(weight * float(self.blobs[top].data.sum()) for i, top, weight in self._weighted if first <= i <= last)

    def profile(self, iterations: int = 10, fusion: bool = True) -> list[Timing]:
        """Median time of every operator, run one after another.

        Parameters
        ----------
        iterations : int
        fusion : bool
            False shows every layer alone.

        Returns
        -------
        list of cnml.executable.Timing
        """
        rows: list[Timing] = []
        with self._exclusive("profile() was called"):
            for section in self._stages.cut(0, len(self._wiring.layers) - 1):
                stage = self._stages.stage(section, fusion)
                stage.run(self._queue, self.threads)
                rows += stage.executable.profile(self._queue, self.threads, iterations)
        return rows

    def kernel_names(self) -> list[str]:
        """Names of the kernels that a forward with the present shapes runs. Nothing is compiled or run."""
        with self._exclusive("kernel_names() was called"):
            stages = [self._stages.stage(section) for section in self._stages.cut(0, len(self._wiring.layers) - 1)]
            return list(dict.fromkeys(n for s in stages for n in s.executable.kernel_names()))

    def reshape(self) -> None:
        """Carry changed input shapes through the net, so that all blobs have their new shapes.

        Raises
        ------
        CheckError
            When a layer cannot take the new shapes; the blobs keep the old ones.
        """
        with self._exclusive("reshape() was called"):
            graph, env = Graph(), {}
            net = self._wiring
            for i, layer in enumerate(net.layers):
                env.update({n: graph.input(self.blobs[n].shape, n) for n, held in zip(net.tops[i], layer.held(), strict=True) if held})
                emit_range(net, self._groups, i, i, graph, env)
            check_activations({n: t.shape for n, t in env.items()})
            for name, tensor in env.items():
                self.blobs[name].forget(tensor.shape)

    # ---- weights ----------------------------------------------------------------------------------------------------------------------------

    def copy_from(self, source: str | Path | Any, strict: bool = True) -> Coverage:
        """Copy weights by layer name from a .caffemodel or HDF5 file (or a NetParameter).

        Parameters
        ----------
        source : str, Path or NetParameter
        strict : bool
            False copies what fits and lists the rest.

        Returns
        -------
        Coverage
            Layers loaded, never initialised, unused.
        """
        weights = read_weights(source)
        self.coverage = load_weights(self._wiring.layers, weights, strict=strict)
        _log.info("%s", self.coverage)
        return self.coverage

    def load_hdf5(self, path: str | Path) -> Coverage:
        """`copy_from` for HDF5 weights."""
        return self.copy_from(path)

    def save(self, path: str | Path) -> None:
        """Write a .caffemodel (whole or not at all)."""
        save_caffemodel(path, self._wiring.layers, self._source.message_with_layers())

    def save_hdf5(self, path: str | Path, write_diff: bool = False) -> None:
        """Write the weights as HDF5 (whole or not at all)."""
        from pycaffe_acc.hdf5_weights import save_hdf5
        save_hdf5(path, self._wiring.layers)

    def share_with(self, other: Net) -> None:
        """Use the weights of the layers of `other` that have the same name."""
        theirs = {layer.name: layer for layer in other._wiring.layers}
        for layer in self._wiring.layers:
            source = theirs.get(layer.name)
            if source is None or not layer.blobs:
                continue
            shapes, others = [b.shape for b in layer.blobs], [b.shape for b in source.blobs]
            if shapes != others:
                raise CheckError(f"share_with: layer '{layer.name}' has blobs of shapes {shapes} here and {others} there; they must be equal")
            layer.blobs[:] = source.blobs
        self._stages.clear()
        self._name_layers()

    def clone(self) -> Net:
        """Another net of the same description that shares the weights: one for each thread."""
        twin = Net(self._source)
        twin.share_with(self)
        twin.threads = self.threads
        for name in self.inputs:
            twin.blobs[name].set_shape(self.blobs[name].shape)
        return twin

    # ---- rest of pycaffe ----------------------------------------------------------------------------------------------------------------------

    def set_input_arrays(self, data: np.ndarray, labels: np.ndarray) -> None:
        """Give a net that starts with a MemoryData layer its images (N, C, H, W) and labels (N,)."""
        first = self._wiring.layers[0]
        if first.type != "MemoryData":
            raise CheckError(f"set_input_arrays: the first layer is '{first.name}' of type {first.type}; only MemoryData takes arrays")
        first.set_input_arrays(data, labels)  # type: ignore[attr-defined]

    def clear_param_diffs(self) -> None:
        """Set the weights' diffs to zero."""
        for blobs in self.params.values():
            for b in blobs:
                b.diff[...] = 0

    def memory(self) -> dict[str, int]:
        """Bytes of the weights in Caffe's form, of the blobs' values if each had its own memory, and (after a forward) of the peak: the memory that
        values between inputs and kept blobs take turns in, and of the weights as the kernels read them ("packed"), both summed over the compiled
        ranges of the last forward.
        """
        weights = {id(p): 4 * p.array.size for lay in self._wiring.layers for p in lay.blobs}
        newest = self._stages.newest(0, len(self._wiring.layers) - 1) if self._card is None else self._card.newest(self)
        return {"weights": sum(weights.values()), "activations": sum(4 * b.count for b in self.blobs.values()),
                "peak": sum(stage.executable.peak_bytes() for stage in newest),
                "packed": sum(stage.executable.weight_bytes() for stage in newest)}

    @property
    def source(self) -> NetSource:
        """What the net was made of."""
        return self._source

    def before_forward(self, hook: Callable[[int], None]) -> None:
        """Call `hook(layer index)` before each layer of a forward (layers then run one by one)."""
        self._hooks["before_forward"].append(hook)

    def after_forward(self, hook: Callable[[int], None]) -> None:
        """Call `hook(layer index)` after each layer of a forward (layers then run one by one)."""
        self._hooks["after_forward"].append(hook)

    def before_backward(self, hook: Callable[[int], None]) -> None:
        """Accepted; never called, since this package does not train."""
        self._hooks["before_backward"].append(hook)

    def after_backward(self, hook: Callable[[int], None]) -> None:
        """Accepted; never called, since this package does not train."""
        self._hooks["after_backward"].append(hook)

    def backward(self, diffs: Sequence[str] | None = None, start: str | None = None, end: str | None = None, **kwargs: Any) -> dict[str, np.ndarray]:
        """Not part of this package."""
        raise CheckError(f"net '{self.name}': backward() computes gradients, and training is not part of this package; it runs trained nets")

    def forward_backward_all(self, *args: Any, **kwargs: Any) -> None:
        """Not part of this package."""
        self.backward()
