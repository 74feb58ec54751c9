"""The exported model of a net in INT8 against the net: layer by layer to a code step, and as a whole.

A rounding that falls the other way changes a code, and a code changes many behind it: the results of two right runtimes may differ by some per cent.
So the model is cut at every value that goes through codes: each piece gets the net's own codes, and what it makes of them may differ from the net's
by one step at most.
"""
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from cnml.reference.codes import decode, encode
from cnml.tensor import Shape
from pycaffe_acc.net import Net
from pycaffe_acc.onnx_export.model_proto import model_proto
from pycaffe_acc.onnx_export.onnx_graph import OnnxNode
from pycaffe_acc.onnx_export.self_check import DRAWS, Difference, compare, forward, picks, random_inputs, session
from pycaffe_acc.onnx_export.translation import NamedGraph

#: of a code: one, and what float32 makes of it
STEPS = 1.001
#: of an output's greatest magnitude, for floats that are made of the same codes: a bias in whole products and roundings
BY_LAYERS = 1e-2
#: of an output's greatest magnitude, for all roundings of all layers together
WHOLE = 1.0
MADE = "/made"


def cut(graph: NamedGraph, shapes: dict[str, Shape]) -> NamedGraph:
    """The same nodes, where every value that goes through codes is an input, and what is made for it an output with `MADE` behind its name.

    Parameters
    ----------
    graph : NamedGraph
    shapes : dict of str to shape
        Of these values.
    """
    def renamed(name: str) -> str:
        return name + MADE if name in shapes else name
    nodes = [OnnxNode(n.op, n.inputs, [renamed(v) for v in n.outputs], n.layer, n.attributes) for n in graph.nodes]
    outputs = {n: s for n, s in graph.outputs.items() if n not in shapes} | {n + MADE: s for n, s in shapes.items()}
    return replace(graph, nodes=nodes, inputs=graph.inputs | shapes, outputs=outputs)


def differences_int8(net: Net, graph: NamedGraph, path: Path, runtime: Any, seed: int = 0) -> list[Difference]:
    """Run the net and the model on the same inputs: normal ones, and some that use all codes alike.

    Parameters
    ----------
    net : Net
        Of precision int8.
    graph : NamedGraph
        What the engine computes, without codes that it does not have.
    path : Path
        The model; it may have more codes.
    runtime : module
        onnxruntime.
    seed : int

    Returns
    -------
    list of Difference
        For each kind of inputs: every output by layers and of the whole model, and the value that lies farthest from the net's in steps of its code.
    """
    rng = np.random.default_rng(seed)
    whole, pieces = session(path, runtime), None
    shapes = {n: s for n, s in graph.inputs.items() if n not in graph.states}
    rows: list[Difference] = []
    for kind in ("normal", "uniform"):
        for _ in range(DRAWS if picks(graph) else 1):
            feed = _on_codes(graph, random_inputs(graph, shapes, "normal", rng), kind, rng)
            blobs = {c.blob for c in graph.codes.values()} | set(graph.blobs.values())
            ours = feed | forward(net, feed, blobs - set(feed))
            coded = {name: _through(ours[c.blob], c) for name, c in graph.codes.items()}
            if pieces is None:
                pieces = cut(graph, {n: v.shape for n, v in coded.items()})
                parts = session(model_proto(pieces).SerializeToString(), runtime, optimised=False)
            theirs = dict(zip(pieces.outputs, parts.run(list(pieces.outputs), feed | coded), strict=True))
            made = [*_outputs(graph, ours, theirs, f"{kind}, by layers", BY_LAYERS), *_steps(graph, coded, theirs, kind)]
            if all(d.passed for d in made):
                break
        got = dict(zip(graph.outputs, whole.run(list(graph.outputs), feed), strict=True))
        rows += [*made, *_outputs(graph, ours, got, kind, WHOLE)]
    return rows


def _on_codes(graph: NamedGraph, feed: dict[str, np.ndarray], kind: str, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """The inputs; those that are quantized hold values in the range of their codes that are no halves, which are rounded in two ways."""
    made = dict(feed)
    for c in graph.codes.values():
        if c.blob in feed and c.quantized:
            shape = feed[c.blob].shape
            steps = 32 * rng.standard_normal(shape) if kind == "normal" else rng.uniform(-127, 127, shape)
            steps = np.clip(np.rint(steps if c.codes.zero else 2 * np.abs(steps)), c.codes.least, c.codes.most)
            made[c.blob] = ((steps + rng.uniform(-0.4, 0.4, shape)) * c.codes.unit).astype(np.float32)
    return made


def _through(values: np.ndarray, coded: Any) -> np.ndarray:
    """The net's values as the readers of their codes have them."""
    c = coded.codes
    if not coded.quantized:
        return values
    return decode(encode(values * np.float32(c.factor), c.least, c.most, c.zero), c.zero) * np.float32(c.unit)


def _outputs(graph: NamedGraph, ours: dict[str, np.ndarray], theirs: dict[str, np.ndarray], inputs: str, allowed: float) -> Iterator[Difference]:
    for name, blob in graph.blobs.items():
        if name in theirs:
            yield compare(name, inputs, ours[blob], theirs[name])._replace(allowed=allowed)


def _steps(graph: NamedGraph, coded: dict[str, np.ndarray], theirs: dict[str, np.ndarray], kind: str) -> Iterator[Difference]:
    """The worst of the values that go through codes; its unit stands for the greatest magnitude."""
    rows = [compare(name, f"{kind}, by layers, steps of its code", coded[name], theirs[name + MADE])._replace(largest=c.codes.unit, allowed=STEPS)
            for name, c in graph.codes.items()]
    if rows:
        yield max(rows, key=lambda d: d.relative)
