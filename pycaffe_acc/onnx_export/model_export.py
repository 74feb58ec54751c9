"""The whole export: translate, write, check, rename."""
from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cnml.codes import Codes
from pycaffe_acc.errors import CheckError
from pycaffe_acc.mode import TEST
from pycaffe_acc.net import Net
from pycaffe_acc.onnx_export.dependency import onnx_module, onnxruntime_module
from pycaffe_acc.onnx_export.model_proto import DEFAULT_OPSET, check_opset, model_file
from pycaffe_acc.onnx_export.refusal import OnnxMismatchError
from pycaffe_acc.onnx_export.self_check import Difference, differences
from pycaffe_acc.onnx_export.self_check_int8 import differences_int8
from pycaffe_acc.onnx_export.translation import NamedGraph, Translation


@dataclass
class ExportReport:
    """What was written.

    Attributes
    ----------
    path : Path
    graph : NamedGraph
    differences : list of Difference
        Against the net; empty without a check.
    notes : list of str
        What was left out or not done.
    """

    path: Path
    graph: NamedGraph
    differences: list[Difference] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def translate_net(net: Net, opset: int = DEFAULT_OPSET, outputs: Sequence[str] = (), results: Mapping[str, Codes] | None = None,
                  subsampled: bool = False) -> NamedGraph:
    """A net with its present shapes as a graph of ONNX operators.

    Parameters
    ----------
    net : Net
    opset : int
        13 or newer.
    outputs : sequence of str
        Blobs that the graph is to give, for instance the bottoms of a layer that ONNX cannot express; none: the net's outputs.
    results : dict of str to Codes, optional
        For a net of precision int8: blob → codes that a convolution's or inner product's result goes through where the engine leaves it in floats, in
        front of a sum for instance; `stated_codes` gives those that the prototxt has. onnxruntime computes only such convolutions in INT8, and
        OpenVINO fuses the sums.
    subsampled : bool
        For a net of precision int8: 1x1 convolutions that read a value with the same strides do so behind a MaxPool that takes them, for OpenVINO.

    Raises
    ------
    NotExpressibleError
        One error for all layers that ONNX cannot express exactly.
    CheckError, MissingExtraError
    """
    check_opset(opset)
    if net.source.precision not in ("fp32", "int8"):
        raise CheckError(f"net '{net.name}' has the precision {net.source.precision}; an ONNX model is made of a net of precision fp32 or int8")
    if (results or subsampled) and net.source.precision != "int8":
        raise CheckError(f"net '{net.name}' has the precision {net.source.precision}; codes for results and subsampling go with precision int8")
    return Translation(net, opset, outputs, results, subsampled).named()


def export(net: Net | str | os.PathLike[str], out: str | os.PathLike[str], weights: str | os.PathLike[str] | None = None,
           opset: int = DEFAULT_OPSET, outputs: Sequence[str] = (), check: bool = True, seed: int = 0, precision: str = "fp32",
           results: Mapping[str, Codes] | None = None, subsampled: bool = False) -> ExportReport:
    """Write a net as an ONNX model with fixed shapes.

    The model is checked by onnx and, where onnxruntime is installed, run beside the net on seeded random inputs. It appears under its name only when
    both went well.

    Parameters
    ----------
    net : Net, or path of a prototxt
        A Net is exported with its present shapes and weights.
    out : path
    weights : path, optional
        For a prototxt.
    opset : int
    outputs : sequence of str
        See `translate_net`.
    check : bool
        False leaves onnxruntime out.
    seed : int
        Of the inputs of the check.
    precision : str
        "fp32", or "int8" for a quantized prototxt: a QuantizeLinear and a DequantizeLinear around every value that the engine keeps as codes. A Net
        has its own.
    results : dict of str to Codes, optional
        See `translate_net`. The comparison by layers leaves them out, since the net has none.
    subsampled : bool
        See `translate_net`.

    Returns
    -------
    ExportReport

    Raises
    ------
    NotExpressibleError
        One error for all layers that ONNX cannot express exactly.
    OnnxMismatchError
        When onnxruntime's results differ by more than 1e-4 of an output's greatest magnitude; in INT8, when what a layer makes of the net's codes
        differs by more than one code (`pycaffe_acc.onnx_export.self_check_int8`). Its `differences` hold all of them.
    CheckError, MissingExtraError
    """
    onnx_module()
    if not isinstance(net, Net):
        net = Net(os.fspath(net), TEST, weights=None if weights is None else os.fspath(weights), precision=precision)
    elif weights is not None:
        raise CheckError("export: weights go with the path of a prototxt; a Net has its own")
    graph = translate_net(net, opset, outputs, results, subsampled)
    report = ExportReport(Path(out), graph, notes=list(graph.notes))
    runtime = onnxruntime_module() if check else None
    if check and runtime is None:
        report.notes.append("onnxruntime is not installed, so the model's results were not compared with the net's")
    with model_file(graph, report.path) as part:
        if runtime is not None:
            if net.source.precision == "int8":
                report.differences = differences_int8(net, translate_net(net, opset, outputs, None, subsampled) if results else graph,
                                                      part, runtime, seed)
            else:
                report.differences = differences(net, graph, part, runtime, seed)
            _refuse_mismatch(net, report)
    return report


def _refuse_mismatch(net: Net, report: ExportReport) -> None:
    bad = [d for d in report.differences if not d.passed]
    if bad:
        rows = "; ".join(f"'{d.output}' on {d.inputs} inputs by {d.worst:.3g} of {d.largest:.3g}, more than {d.allowed:g} of that" if d.finite else
                         f"'{d.output}' on {d.inputs} inputs has no finite value to compare" for d in bad)
        raise OnnxMismatchError(f"net '{net.name}': the model's results in onnxruntime differ from the net's: {rows}. '{report.path}' was not "
                                "written", report.differences)
