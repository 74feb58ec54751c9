"""`export-onnx`: a net as an ONNX model."""
from __future__ import annotations

import argparse

from pycaffe_acc.evaluation.table import table
from pycaffe_acc.onnx_export.model_export import ExportReport, export
from pycaffe_acc.onnx_export.model_proto import DEFAULT_OPSET, OLDEST_OPSET
from pycaffe_acc.onnx_export.refusal import OnnxMismatchError
from pycaffe_acc.onnx_export.self_check import Difference
from pycaffe_acc.onnx_export.stated_codes import stated_codes
from pycaffe_acc.seeded_weights import fill_seeded
from pycaffe_acc.tools.console import emit, note
from pycaffe_acc.tools.exit_code import ExitCode, UsageError
from pycaffe_acc.tools.model_arguments import add_model, open_net, positive

NAME = "export-onnx"
HELP = "write a net as an ONNX model that computes exactly the same, or say which layers ONNX cannot express"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The net, the file, opset and batch."""
    add_model(parser, weights_required=False)
    parser.add_argument("--out", required=True, metavar="F", help="the .onnx file; it appears only when the model is whole and checked")
    parser.add_argument("--opset", type=positive, default=DEFAULT_OPSET, metavar="V", help=f"{OLDEST_OPSET} or newer (default {DEFAULT_OPSET})")
    parser.add_argument("--batch", type=positive, metavar="N", help="images in one run (default: the prototxt's)")
    parser.add_argument("--outputs", default="", metavar="BLOB,…", help="blobs that the model gives (default: the net's outputs)")
    parser.add_argument("--precision", choices=("fp32", "int8"), default="fp32", help="int8: a quantized prototxt with QuantizeLinear and "
                        "DequantizeLinear around the values that the engine keeps as codes (default: fp32)")
    parser.add_argument("--for", dest="runtime", choices=("onnxruntime", "openvino"), help="with --precision int8: the form that this runtime "
                        "computes in INT8 throughout; results of INT8 layers that the engine leaves in floats get codes too, by the ranges that the "
                        "prototxt has for Eltwise, Pooling and Concat, and for openvino the strides of 1x1 convolutions become poolings")
    parser.add_argument("--no-check", action="store_true", help="do not run the model beside the net in onnxruntime")
    parser.add_argument("--vendor-exact", action="store_true", help="follow the vendor's fork where it differs from BVLC's Caffe")
    parser.set_defaults(threads=None)


def run(args: argparse.Namespace) -> int:
    """Export, and print the differences."""
    if args.runtime and args.precision != "int8":
        raise UsageError("--for goes with --precision int8; a model in floats is the same for every runtime")
    net = open_net(args)
    if args.weights is None:
        fill_seeded(net)
        note("no --weights: the model gets seeded random ones, good for measuring speed only")
    outputs = [name for name in args.outputs.split(",") if name]
    try:
        report = export(net, args.out, opset=args.opset, outputs=outputs, check=not args.no_check,
                        results=stated_codes(net) if args.runtime else None, subsampled=args.runtime == "openvino")
    except OnnxMismatchError as e:
        emit(args, {"out": None, "error": str(e), "differences": _rows(e.differences)}, _text(e.differences))
        note(f"pycaffe-acc: {e}")
        return ExitCode.CHECK_FAILED
    for sentence in report.notes:
        note(sentence)
    emit(args, _document(report), "\n".join([*filter(None, [_text(report.differences)]), _sentence(report)]))
    return ExitCode.OK


def _rows(differences: list[Difference]) -> list[dict[str, object]]:
    return [d._asdict() | {"relative": d.relative, "passed": d.passed} for d in differences]


def _text(differences: list[Difference]) -> str:
    rows = [[d.output, d.inputs, f"{d.worst:.3g}", f"{d.largest:.4g}", f"{d.relative:.2g}"] for d in differences]
    return table(["output", "inputs", "max|Δ|", "largest", "relative"], rows, left=2) + "\n" if rows else ""


def _sentence(report: ExportReport) -> str:
    g = report.graph
    shapes = ", ".join(f"{n} ({'x'.join(map(str, s)) or 'scalar'})" for n, s in g.inputs.items())
    return f"wrote {report.path}: {len(g.nodes)} nodes, opset {g.opset}, {sum(a.nbytes for a in g.arrays.values()) / 2**20:.1f} MiB, inputs {shapes}"


def _document(report: ExportReport) -> dict[str, object]:
    g = report.graph
    counts: dict[str, int] = {}
    for node in g.nodes:
        counts[node.op] = counts.get(node.op, 0) + 1
    return {"out": str(report.path), "opset": g.opset, "inputs": {n: list(s) for n, s in g.inputs.items()},
            "outputs": {n: list(s) for n, s in g.outputs.items()}, "operators": dict(sorted(counts.items())), "states": g.states,
            "notes": report.notes, "differences": _rows(report.differences)}
