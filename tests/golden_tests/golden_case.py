"""Runs one stored case (see the data folder's README) and lists how it differs."""
from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

import pycaffe_acc as caffe


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    """Work in `folder`, with its modules importable (Python layers)."""
    before, modules = os.getcwd(), set(sys.modules)
    os.chdir(folder)
    sys.path.insert(0, str(folder))
    sys.modules["caffe"] = caffe  # for Python layers
    try:
        yield
    finally:
        os.chdir(before)
        del sys.modules["caffe"]
        sys.path.remove(str(folder))
        for name in set(sys.modules) - modules:
            if str(folder) in str(getattr(sys.modules[name], "__file__", "")):
                del sys.modules[name]


def open_net(meta: dict[str, Any], **kwargs: Any) -> caffe.Net:
    """The net of a case, in the current folder."""
    if meta.get("weights"):
        kwargs["weights"] = meta["weights"]
    return caffe.Net("case.prototxt", caffe.TEST, stages=meta.get("stages") or None, level=meta.get("level") or 0, allow_python_layers=True, **kwargs)


def run_case(folder: Path, **kwargs: Any) -> list[str]:
    """Run every step of a case.

    Returns
    -------
    list of str
        One sentence a difference; empty when everything matches.
    """
    meta = json.loads((folder / "meta.json").read_text())
    with inside(folder):
        net = open_net(meta, **kwargs)
        inputs, want = dict(np.load("inputs.npz")), dict(np.load("outputs.npz"))
        if meta.get("memory"):
            net.set_input_arrays(inputs.pop("memory_data"), inputs.pop("memory_labels"))
        problems = compare_structure(net, meta)
        for step in range(meta["steps"]):
            feed(net, inputs, step)
            net.forward()
            problems += compare_blobs(net, want, step, meta)
    return problems


def compare_structure(net: caffe.Net, meta: dict[str, Any]) -> list[str]:
    """Names of inputs, outputs, blobs and layers, and shapes of the weights."""
    problems = []
    for what, got, expected in (("inputs", list(net.inputs), meta["net_inputs"]), ("outputs", list(net.outputs), meta["net_outputs"]),
                                ("blobs", list(net.blobs), meta["blob_order"]), ("layers", list(net._layer_names), meta["layer_names"]),
                                ("types", [layer.type for layer in net.layers], meta["layer_types"])):
        if got != expected:
            problems.append(f"{what} {got}, expected {expected}")
    for name, shapes in meta["param_shapes"].items():
        got_shapes = [list(b.data.shape) for b in net.params[name]]
        if got_shapes != shapes:
            problems.append(f"weights of '{name}' {got_shapes}, expected {shapes}")
    return problems


def feed(net: caffe.Net, inputs: dict[str, np.ndarray], step: int) -> None:
    """Assign the inputs of a step, reshaping where needed."""
    for key, value in inputs.items():
        name, _, at = key.partition("@")
        if int(at or 0) == step:
            if tuple(net.blobs[name].data.shape) != value.shape:
                net.blobs[name].reshape(*value.shape)
            net.blobs[name].data[...] = value


def compare_blobs(net: caffe.Net, want: dict[str, np.ndarray], step: int, meta: dict[str, Any]) -> list[str]:
    """Compare every stored blob of a step."""
    problems = []
    for key, value in want.items():
        name, _, at = key.partition("@")
        if int(at or 0) != step:
            continue
        got = np.array(net.blobs[name].data)
        if got.shape != value.shape:
            problems.append(f"{key} has the shape {got.shape}, expected {value.shape}")
        elif not np.allclose(got, value, rtol=meta["rtol"], atol=meta["atol"], equal_nan=True):
            with np.errstate(all="ignore"):
                worst = np.nanmax(np.abs(got - value))
            problems.append(f"{key} differs by up to {worst:.3g}")
    return problems
