"""The exported model against the net, with onnxruntime on random inputs."""
from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cnml.tensor import Shape
from pycaffe_acc.errors import CheckError
from pycaffe_acc.net import Net
from pycaffe_acc.onnx_export.translation import NamedGraph

TOLERANCE = 1e-4
#: relative change of the inputs that stands for roundings inside a net, and how much of its effect is forgiven
NOISE, FORGIVEN = 1e-6, 2.0
#: how often inputs are drawn for a net that picks among values
DRAWS = 6


class Difference(NamedTuple):
    """One output on one set of inputs.

    Attributes
    ----------
    output : str
    inputs : str
        Which inputs.
    worst : float
        max|Δ| over the elements that are finite in both; inf where only one is finite.
    largest : float
        Greatest finite magnitude of the net's values.
    finite : bool
        Whether there was anything finite to compare.
    noise : float
        How much the net's own values change when its inputs do by 1e-6 of themselves; measured where `worst` is above the tolerance.
    allowed : float
        Of `largest`.
    """

    output: str
    inputs: str
    worst: float
    largest: float
    finite: bool
    noise: float = 0.0
    allowed: float = TOLERANCE

    @property
    def relative(self) -> float:
        """max|Δ| relative to the output's greatest magnitude."""
        return self.worst / self.largest if self.largest > 0 else self.worst

    @property
    def passed(self) -> bool:
        """Whether it is within what is allowed, or no more than what roundings do to the net itself."""
        return self.finite and (self.relative <= self.allowed or self.worst <= FORGIVEN * self.noise)


def picks(graph: NamedGraph) -> bool:
    """Whether the graph chooses among values, so that a rounding can change a result by more than a rounding."""
    read = {v for n in graph.nodes for v in n.inputs} | set(graph.outputs)
    return any(n.op in ("ArgMax", "TopK", "Greater") or n.op == "MaxPool" and read.intersection(n.outputs[1:]) for n in graph.nodes)


def session(model: str | os.PathLike[str] | bytes, runtime: Any, optimised: bool = True) -> Any:
    """An onnxruntime session on the CPU that says only what is wrong.

    Parameters
    ----------
    model : path-like or bytes
    runtime : module
        onnxruntime.
    optimised : bool
        False runs the nodes as they are written.

    Raises
    ------
    CheckError
        When onnxruntime cannot run the model.
    """
    options = runtime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    if not optimised:
        options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        return runtime.InferenceSession(model if isinstance(model, bytes) else os.fspath(model), options, providers=["CPUExecutionProvider"])
    except Exception as e:  # its errors have no common base; each means that it does not take the model
        raise CheckError(f"onnxruntime {runtime.__version__} does not take the model: {e}. Choose an older opset, or leave the check out "
                         "(--no-check)") from e


def compare(name: str, inputs: str, ours: np.ndarray, theirs: np.ndarray) -> Difference:
    """Difference of one output; elements that are not finite must be so in both.

    Parameters
    ----------
    name, inputs : str
    ours, theirs : ndarray of one shape
    """
    good = np.isfinite(ours)
    if ours.shape != theirs.shape or not np.array_equal(good, np.isfinite(theirs)):
        return Difference(name, inputs, np.inf, float(np.abs(ours[good]).max(initial=0)), True)
    delta = np.abs(ours[good].astype(np.float64) - theirs[good])
    return Difference(name, inputs, float(delta.max(initial=0)), float(np.abs(ours[good]).max(initial=0)), bool(good.any()))


def random_inputs(graph: NamedGraph, shapes: dict[str, Shape], scale: str, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Values for every input.

    Parameters
    ----------
    graph : NamedGraph
        Its `ranges` say which inputs are whole numbers.
    shapes : dict
        Inputs to make.
    scale : {"normal", "pixels"}
        Standard normal, or bytes minus a mean as image nets take them.
    rng : numpy.random.Generator
    """
    made = {}
    x: np.ndarray
    for name, shape in shapes.items():
        if name in graph.regions:
            x = _random_regions(shape, *graph.regions[name], rng)
        elif name in graph.ranges:
            x = rng.integers(0, max(graph.ranges[name], 1), shape)
        elif scale == "pixels" and len(shape) == 4:
            x = rng.integers(0, 256, shape) - 117
        else:
            x = rng.standard_normal(shape)
        made[name] = x.astype(np.float32)
    return made


def _random_regions(shape: Shape, images: int, height: float, width: float, rng: np.random.Generator) -> np.ndarray:
    """Rows (image, x1, y1, x2, y2) inside the images."""
    rows = int(np.prod(shape)) // 5
    x, y = (np.sort(rng.uniform(0, extent, (rows, 2)), axis=1) for extent in (width, height))
    return np.stack([rng.integers(0, images, rows), x[:, 0], y[:, 0], x[:, 1], y[:, 1]], axis=1).reshape(shape)


def differences(net: Net, graph: NamedGraph, path: Path, runtime: Any, seed: int = 0) -> list[Difference]:
    """Run the net and the model on the same inputs: normal ones, and for nets of images pixels.

    A net that picks among values (see `picks`) jumps where two of them are nearly equal, and rounding decides. Its inputs are drawn anew until the
    results agree, at most `DRAWS` times; a wrong model would agree on none.

    Parameters
    ----------
    net : Net
        Its input blobs are overwritten.
    graph : NamedGraph
    path : Path
        The model.
    runtime : module
        onnxruntime.
    seed : int

    Returns
    -------
    list of Difference
    """
    rng = np.random.default_rng(seed)
    peer = session(path, runtime)
    shapes = {n: s for n, s in graph.inputs.items() if n not in graph.states}
    kinds = ["normal", "pixels"] if any(len(s) == 4 and n not in graph.ranges for n, s in shapes.items()) else ["normal"]
    rows = []
    for kind in kinds:
        for _ in range(DRAWS if picks(graph) else 1):
            feed = random_inputs(graph, shapes, kind, rng)
            ours = forward(net, feed, set(graph.blobs.values()))
            theirs = dict(zip(graph.outputs, peer.run(list(graph.outputs), feed), strict=True))
            made = [compare(name, kind, ours[blob], theirs[name]) for name, blob in graph.blobs.items()]
            if all(d.passed for d in made):
                break
        rows += made if all(d.passed for d in made) else _with_noise(net, graph, feed, ours, made, rng)
    return rows


def _with_noise(net: Net, graph: NamedGraph, feed: dict[str, np.ndarray], ours: dict[str, np.ndarray], rows: list[Difference],
                rng: np.random.Generator) -> list[Difference]:
    """The rows with the effect of inputs that are a little different: a steep net (a softmax of scores in the hundreds) is not a wrong one."""
    shaken = {n: x if n in graph.ranges else (x * (1 + NOISE * rng.choice((-1, 1), x.shape))).astype(np.float32) for n, x in feed.items()}
    other = forward(net, shaken, set(ours))
    return [d._replace(noise=compare(d.output, d.inputs, ours[graph.blobs[d.output]], other[graph.blobs[d.output]]).worst) for d in rows]


def forward(net: Net, feed: dict[str, np.ndarray], wanted: set[str]) -> dict[str, np.ndarray]:
    """The wanted blobs after a forward of a clone, whose recurrent layers start from zeros as the model does.

    Data layers in front are left out, since they would overwrite the inputs, and so is what comes behind the last wanted blob.
    """
    clone = net.clone()
    for name, values in feed.items():
        clone.blobs[name].data[...] = values
    wiring, names = clone._wiring, clone._layer_names
    first = next(i for i, bottoms in enumerate(wiring.bottoms) if bottoms)
    last = max(i for i, tops in enumerate(wiring.tops) if wanted.intersection(tops))
    clone.forward(list(wanted), start=names[first], end=names[last])
    return {name: np.array(clone.blobs[name].data) for name in wanted}
