"""`check`: everything that is wrong with a model, at once, without running it."""
from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from pycaffe_acc.errors import CaffeError, MissingFileError
from pycaffe_acc.layer import closest, layer_types
from pycaffe_acc.mode import TEST, TRAIN
from pycaffe_acc.net import Net
from pycaffe_acc.net_filter import filter_net
from pycaffe_acc.text_format import read_net
from pycaffe_acc.tools.console import emit
from pycaffe_acc.tools.exit_code import ExitCode
from pycaffe_acc.upgrade import upgrade_net
from pycaffe_acc.weights import Coverage

NAME = "check"
HELP = "list everything unsupported in a prototxt (and its weights) without running it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Prototxt, perhaps weights, phase."""
    parser.add_argument("model", metavar="P", help="net description (.prototxt)")
    parser.add_argument("weights", metavar="W", nargs="?", help="weights (.caffemodel or HDF5): what they cover is listed")
    parser.add_argument("--phase", choices=("TEST", "TRAIN"), default="TEST")
    parser.add_argument("--vendor-exact", action="store_true", help="follow the vendor's fork where it differs from BVLC's Caffe")


def run(args: argparse.Namespace) -> int:
    """Read leniently, compare with what is known, build if that is possible; 4 for unknown layers or fields, 3 for another fault.

    Data files that are not on this machine and Python layers are notes, not faults.
    """
    phase = TEST if args.phase == "TEST" else TRAIN
    file = read_net(args.model, allow_unknown_fields=True)
    unknown_fields = [{"file": args.model, "line": f.line, "message": f.message, "field": f.name, "path": f.path, "closest": f.closest or None}
                      for f in file.unknown]
    layers = filter_net(upgrade_net(file.message), phase=phase, level=0, stages=())
    unknown_layers = unsupported(layers)
    document: dict[str, Any] = {"model": args.model, "weights": args.weights, "name": file.message.name, "phase": args.phase, "layers": len(layers),
                                "unknown_layers": unknown_layers, "unknown_fields": unknown_fields, "error": None, "notes": [], "coverage": None}
    if not unknown_layers:
        python = [m for m in layers if m.type == "Python"]
        document |= {"notes": [_python_note(m) for m in python]} if python else _build(args, phase)
    document["ok"] = not (unknown_layers or unknown_fields or document["error"] or (document["coverage"] and not document["coverage"]["complete"]))
    emit(args, document, _text(document))
    if unknown_layers or unknown_fields:
        return ExitCode.UNSUPPORTED
    return ExitCode.OK if document["ok"] else ExitCode.BAD_INPUT


def unsupported(layers: list[Any]) -> list[dict[str, str | None]]:
    """Layers whose type is not registered.

    Parameters
    ----------
    layers : list of LayerParameter

    Returns
    -------
    list of dict
        layer, type, and the closest registered type or None.
    """
    known = set(layer_types())
    return [{"layer": m.name, "type": m.type, "closest": closest(m.type).removeprefix(" (closest known: ").removesuffix(")") or None}
            for m in layers if m.type not in known]


def _build(args: argparse.Namespace, phase: int) -> dict[str, Any]:
    """Set the net up (shapes, parameters) and compare the weights with it."""
    try:
        net = Net(args.model, phase, allow_unknown_fields=True, vendor_exact=args.vendor_exact)
    except MissingFileError as e:  # nothing that the net asks for is unsupported, its data are just not here
        return {"notes": [f"needs data to run: {e}; the shapes behind that layer were not checked"]}
    except CaffeError as e:
        return {"error": str(e)}
    if args.weights is None:
        return {}
    try:
        coverage = net.copy_from(args.weights, strict=False)
    except CaffeError as e:
        return {"error": str(e)}
    return {"coverage": coverage_document(coverage)}


def _python_note(message: Any) -> str:
    p = message.python_param
    return (f"layer '{message.name}' (Python) runs {p.layer} of the module '{p.module}' when Net gets allow_python_layers=True; what it makes is "
            f"known only then, "
            "so shapes were not checked")


def coverage_document(coverage: Coverage) -> dict[str, Any]:
    """A `Coverage` as plain values, with its sentence."""
    return asdict(coverage) | {"complete": coverage.complete, "text": str(coverage)}


def _text(d: dict[str, Any]) -> str:
    lines = [f"{d['model']}: {d['layers']} layers in phase {d['phase']}"]
    for row in d["unknown_layers"]:
        hint = f" (closest known: {row['closest']})" if row["closest"] else ""
        lines.append(f"  unknown layer type '{row['type']}' of layer '{row['layer']}'{hint}")
    if d["unknown_layers"]:
        lines.append("  register own types with @pycaffe_acc.layer.layer('Type'); see docs/layers.md")
    for row in d["unknown_fields"]:
        hint = f" (closest known: '{row['closest']}')" if row["closest"] else ""
        lines.append(f"  {row['file']}:{row['line']}: {row['message']} has no field named '{row['field']}'{hint}")
    if d["error"]:
        lines.append(f"  {d['error']}")
    lines += [f"  note: {n}" for n in d["notes"]]
    if d["coverage"]:
        lines.append(f"  {d['coverage']['text']}")
    lines.append("everything is supported" if d["ok"] else "not everything is in order")
    return "\n".join(lines)
