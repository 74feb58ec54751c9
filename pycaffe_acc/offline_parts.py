"""What an offline file keeps of a net besides functions: its segments in order, and the CPU segments as prototxt and weights."""
from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from cnrt.model import Model
from pycaffe_acc.blob_conversion import array_to_blobproto
from pycaffe_acc.errors import CheckError
from pycaffe_acc.net import Net
from pycaffe_acc.proto import caffe_pb2
from pycaffe_acc.segments import Segment, Segments
from pycaffe_acc.text_format import format_message, parse_net

TABLE = "caffe.segments"
FORMAT = 1
_KEYS = {"symbol", "inputs", "outputs", "copies", "prototxt", "precision", "weights"}


class Part(NamedTuple):
    """One segment of a file.

    Attributes
    ----------
    symbol : str
        Empty for a CPU segment.
    inputs, outputs : tuple of str
    net : Net or None
        Of a CPU segment; None for one that only brings in what the caller gives.
    copies : dict of str to str
        Outputs that are the bytes of another output.
    """

    symbol: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    net: Net | None
    copies: dict[str, str]


def cpu_attachments(segments: Segments) -> dict[str, bytes]:
    """The attachments of a file that keeps its CPU segments.

    Parameters
    ----------
    segments : Segments

    Returns
    -------
    dict of str to bytes
        The table, and the weights of each CPU segment.
    """
    net, found = segments.net, {}
    rows = []
    for i, segment in enumerate(segments.all):
        row: dict[str, Any] = {"symbol": segment.symbol, "inputs": segment.inputs, "outputs": segment.outputs, "copies": segment.copies,
                               "prototxt": None, "precision": _precision(segments, segment), "weights": None}
        if not segment.symbol and not all(net.layers[k].type == "Input" for k in segment.layers):
            message = _message(segments, segment)
            row["prototxt"] = format_message(message)
            weights = _weights(segments, segment)
            if weights.layer:
                row["weights"] = f"caffe.weights.{i}"
                found[row["weights"]] = weights.SerializeToString()
        rows.append(row)
    table = {"format": FORMAT, "net": net.name, "inputs": {n: net.blobs[n].shape for n in net.inputs}, "outputs": net.outputs,
             "vendor_exact": net.source.vendor_exact, "phase": net.source.phase, "segments": rows}
    return {TABLE: json.dumps(table, separators=(",", ":")).encode(), **found}


def _precision(segments: Segments, segment: Segment) -> str:
    """Of a net of the segment's layers alone: INT8 elsewhere is float32 where no layer is quantized."""
    precision = segments.net.source.precision
    quantized = any(segments.net.layers[i].engine.int8 is not None for i in segment.layers)
    return "fp32" if precision == "int8" and not quantized else precision


def _message(segments: Segments, segment: Segment) -> Any:
    """The layers of a segment as a net of their own, behind an Input layer for what comes from outside."""
    net = segments.net
    message = caffe_pb2.NetParameter()
    message.name = f"{net.name} {net.layers[segment.layers[0]].name} to {net.layers[segment.layers[-1]].name}"
    if segment.inputs:
        given = message.layer.add()
        given.name, given.type = _fresh("inputs", net), "Input"
        for name in segment.inputs:
            given.top.append(name)
            given.input_param.shape.add().dim.extend(net.blobs[name].shape)
    for i in segment.layers:
        layer = message.layer.add()
        layer.CopyFrom(net.source.layers[i])
        del layer.blobs[:]
        for j, name in enumerate(layer.bottom):
            layer.bottom[j] = segments.root(name)
    return message


def _fresh(name: str, net: Net) -> str:
    taken = {layer.name for layer in net.layers}
    while name in taken:
        name = f"_{name}"
    return name


def _weights(segments: Segments, segment: Segment) -> Any:
    message = caffe_pb2.NetParameter()
    for i in segment.layers:
        blobs = segments.net.layers[i].engine.blobs
        if blobs:
            layer = message.layer.add()
            layer.name, layer.type = segments.net.layers[i].name, segments.net.layers[i].type
            layer.blobs.extend(array_to_blobproto(b.array) for b in blobs)
    return message


class Table(NamedTuple):
    """What a file says of the net it was made of.

    Attributes
    ----------
    name : str
    inputs : dict of str to tuple of int
    outputs : list of str
    parts : list of Part
    """

    name: str
    inputs: dict[str, tuple[int, ...]]
    outputs: list[str]
    parts: list[Part]


def read_table(model: Model, threads: int | None = None) -> Table | None:
    """The segments of a file; None for a file without CPU segments.

    Parameters
    ----------
    model : Model
    threads : int, optional
        Core slots of the CPU segments' nets.

    Raises
    ------
    CheckError
        For a table of another format, or one that contradicts itself or the file's functions.
    """
    if TABLE not in model.attachments:
        return None
    try:
        table = json.loads(model.attachments[TABLE])
        if table["format"] != FORMAT:
            raise CheckError(f"offline model: its table of segments has the format {table['format']!r}; this version reads {FORMAT}")
        parts = [_part(row, table, model, threads) for row in table["segments"]]
        inputs = {str(n): tuple(int(d) for d in shape) for n, shape in table["inputs"].items()}
        return Table(str(table["net"]), inputs, [str(n) for n in table["outputs"]], parts)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as e:
        raise CheckError(f"offline model: its table of segments contradicts itself ({type(e).__name__}: {e})") from e


def _part(row: Mapping[str, Any], table: Mapping[str, Any], model: Model, threads: int | None) -> Part:
    if set(row) != _KEYS:
        raise ValueError(f"a row with {sorted(row)}")
    symbol, net = str(row["symbol"]), None
    if symbol and symbol not in model.programs:
        raise ValueError(f"no function '{symbol}'")
    if row["prototxt"] is not None:
        net = Net(parse_net(row["prototxt"], "the offline model's prototxt").message, table["phase"], threads=threads, precision=row["precision"],
                  vendor_exact=table["vendor_exact"])
        if row["weights"] is not None:
            net.copy_from(model.attachments[row["weights"]])
    return Part(symbol, tuple(map(str, row["inputs"])), tuple(map(str, row["outputs"])), net,
                {str(k): str(v) for k, v in row["copies"].items()})
