"""Running a stored golden case through its ONNX export and onnxruntime."""
from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from golden_tests.golden_case import feed, inside, open_net

import pycaffe_acc as caffe
from pycaffe_acc.onnx_export import translate_net
from pycaffe_acc.onnx_export.model_proto import model_proto
from pycaffe_acc.onnx_export.translation import NamedGraph


def run_model(graph: NamedGraph, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """All outputs of a graph, by onnxruntime without its optimisations of the graph, after onnx has checked it."""
    import onnx
    import onnxruntime
    model = model_proto(graph)
    onnx.checker.check_model(model, full_check=True)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return dict(zip(graph.outputs, session.run(list(graph.outputs), inputs), strict=True))


def compare(got: np.ndarray, want: np.ndarray, name: str, tolerance: tuple[float, float]) -> list[str]:
    """A sentence if two arrays differ."""
    if got.shape != want.shape:
        return [f"{name} has the shape {got.shape}, expected {want.shape}"]
    if np.allclose(got, want, rtol=tolerance[0], atol=tolerance[1], equal_nan=True):
        return []
    with np.errstate(all="ignore"):
        return [f"{name} differs by up to {np.nanmax(np.abs(got - want)):.3g}"]


def exported_differences(folder: Path, **kwargs: Any) -> tuple[list[str], int]:
    """Run every step of a case through its own export; states of recurrent layers go from one step to the next.

    Returns
    -------
    problems : list of str
    compared : int
        How many outputs were compared.

    Raises
    ------
    CaffeError
        When the case is refused.
    """
    meta = json.loads((folder / "meta.json").read_text())
    problems, compared, states = [], 0, {}
    with inside(folder):
        net: caffe.Net = open_net(meta, **kwargs)
        inputs, want = dict(np.load("inputs.npz")), dict(np.load("outputs.npz"))
        for name in ("memory_data", "memory_labels"):
            inputs.pop(name, None)
        for step in range(meta["steps"]):
            feed(net, inputs, step)
            net.reshape()
            at = f"@{step}" if step else ""
            graph = translate_net(net)
            values = {n: _input(net, n, want, at) for n in graph.inputs if n not in graph.states}
            outputs = run_model(graph, {**values, **states})
            states = {n: outputs[last] for n, last in graph.states.items()}
            for name, blob in graph.blobs.items():
                problems += compare(outputs[name], want[blob + at], blob + at, (max(meta["rtol"], 1e-5), max(meta["atol"], 1e-6)))
                compared += 1
    return problems, compared


def _input(net: caffe.Net, name: str, want: dict[str, np.ndarray], at: str) -> np.ndarray:
    """What an Input layer holds, or what a data layer gave when the case was recorded."""
    return np.array(net.blobs[name].data) if name in net.inputs else want[name + at]
