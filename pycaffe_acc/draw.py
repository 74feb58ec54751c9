"""pycaffe's `caffe.draw` without Graphviz: nets as SVG or DOT."""
from __future__ import annotations

import importlib
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnrt.whole_file import whole_file
from pycaffe_acc.drawing_colour import layer_colours
from pycaffe_acc.drawing_dot import net_dot
from pycaffe_acc.drawing_graph import NetGraph, Shapes, kernel_sides, layer_lines, layer_lr_mult, net_graph
from pycaffe_acc.drawing_svg import net_svg
from pycaffe_acc.errors import CheckError, MissingExtraError
from pycaffe_acc.proto import caffe_pb2
from pycaffe_acc.upgrade import upgrade_net

RANKDIRS = ("TB", "BT", "LR", "RL")
_OWN_FORMATS = ("svg", "dot", "gv")


def draw_net(caffe_net: Any, rankdir: str = "LR", ext: str = "svg", phase: int | None = None, display_lrm: bool = False,
             shapes: Shapes | None = None) -> bytes:
    """Draw a net.

    Parameters
    ----------
    caffe_net : NetParameter
    rankdir : {"LR", "RL", "TB", "BT"}
        Where the net runs.
    ext : str
        "svg" or "dot" are made here; "png", "pdf" and others only when Graphviz's program `dot` is installed.
    phase : int, optional
        Leave out layers of the other phase.
    display_lrm : bool
        Show learning-rate multipliers.
    shapes : mapping of str to shape, optional
        Shapes of blobs, e.g. `{n: b.shape for n, b in net.blobs.items()}`, shown beside the links.

    Returns
    -------
    bytes
        The file's content.

    Raises
    ------
    CheckError
        For another rankdir.
    MissingExtraError
        For a format that needs Graphviz, when it is not installed.
    """
    return _drawing(caffe_net, rankdir, phase, display_lrm, shapes).create(format=ext)


def draw_net_to_file(caffe_net: Any, filename: str | Path, rankdir: str = "LR", phase: int | None = None, display_lrm: bool = False,
                     shapes: Shapes | None = None) -> None:
    """Draw a net into a file; the name's suffix is the format. The file appears whole or not at all.

    Parameters and errors are those of `draw_net`.
    """
    path = Path(filename)
    content = draw_net(caffe_net, rankdir, path.suffix[1:].lower() or "svg", phase, display_lrm, shapes)
    with whole_file(path) as part:
        part.write_bytes(content)


def get_pydot_graph(caffe_net: Any, rankdir: str = "LR", label_edges: bool = True, phase: int | None = None, display_lrm: bool = False) -> Any:
    """The drawing as an object with `create(format=…)`, `to_string()` and `write(path)`.

    Returns
    -------
    pydot.Dot, or Drawing when pydot is not installed
    """
    drawing = _drawing(caffe_net, rankdir, phase, display_lrm, None, label_edges)
    try:
        pydot = importlib.import_module("pydot")
    except ImportError:
        return drawing
    return pydot.graph_from_dot_data(drawing.to_string())[0]


@dataclass(frozen=True)
class Drawing:
    """A drawn net, with the methods of a pydot graph that scripts use."""

    graph: NetGraph
    rankdir: str
    label_edges: bool = True

    def to_string(self) -> str:
        """The DOT text."""
        return net_dot(self.graph, self.rankdir, self.label_edges)

    def to_svg(self) -> str:
        """The SVG text."""
        return net_svg(self.graph, self.rankdir)

    def create(self, prog: str | None = None, format: str = "svg") -> bytes:
        """The content of a file of a format; see `draw_net`. `prog` names another program of Graphviz than `dot`."""
        if format == "svg":
            return self.to_svg().encode("utf-8")
        text = self.to_string().encode("utf-8")
        if format in _OWN_FORMATS:
            return text
        program = shutil.which(prog or "dot")
        if program is None:
            raise MissingExtraError(f"drawing a net as '{format}' needs Graphviz's program '{prog or 'dot'}', which is not installed; "
                                    "use svg, which needs nothing and which browsers show")
        done = subprocess.run([program, f"-T{format}"], input=text, capture_output=True, check=False, timeout=300)
        if done.returncode:
            raise CheckError(f"'{program} -T{format}' failed: {done.stderr.decode('utf-8', 'replace').strip()}")
        return done.stdout

    def write(self, path: str | Path, prog: str | None = None, format: str = "svg") -> bool:
        """Write a file."""
        Path(path).write_bytes(self.create(prog, format))
        return True

    def _repr_svg_(self) -> str:
        return self.to_svg()


def _drawing(net: Any, rankdir: str, phase: int | None, display_lrm: bool, shapes: Shapes | None, label_edges: bool = True) -> Drawing:
    if rankdir not in RANKDIRS:
        raise CheckError(f"rankdir is '{rankdir}'; it must be one of {', '.join(RANKDIRS)}")
    if len(net.layers):
        net = upgrade_net(caffe_pb2.NetParameter.FromString(net.SerializeToString()))
    return Drawing(net_graph(net, phase, shapes, display_lrm), rankdir, label_edges)



def get_pooling_types_dict() -> dict[int, str]:
    """Number → name of the pooling methods."""
    return {number: name for name, number in caffe_pb2.PoolingParameter.PoolMethod.items()}


def get_edge_label(layer: Any) -> str:
    """What pycaffe writes at the link that leaves a layer: batch size or number of outputs."""
    if layer.type == "Data":
        return f"Batch {layer.data_param.batch_size}"
    if layer.type in ("Convolution", "Deconvolution"):
        return str(layer.convolution_param.num_output)
    if layer.type == "InnerProduct":
        return str(layer.inner_product_param.num_output)
    return '""'


def get_layer_lr_mult(layer: Any) -> Any:
    """Learning-rate multipliers of a layer: one value, or a list when they differ."""
    return layer_lr_mult(layer)


def get_layer_label(layer: Any, rankdir: str = "LR", display_lrm: bool = False) -> str:
    """Text of a layer's node: name, type, and kernel, stride and pad where it has them; one line for nets that run left to right, else several."""
    separator = " " if rankdir in ("TB", "BT") else "\n"
    if layer.type in ("Convolution", "Deconvolution", "Pooling"):
        kernel, stride, pad = kernel_sides(layer.pooling_param if layer.type == "Pooling" else layer.convolution_param)
        kind = layer.type if layer.type != "Pooling" else f"{get_pooling_types_dict()[layer.pooling_param.pool]} {layer.type}"
        parts = [layer.name, f"({kind})", f"kernel size: {kernel}", f"stride: {stride}", f"pad: {pad}"]
    else:
        parts = [layer.name, f"({layer_lines(layer)[0]})"]
    if display_lrm:
        parts.append(f"lr mult: {layer_lr_mult(layer)}")
    return separator.join(parts)


def choose_color_by_layertype(layertype: str) -> str:
    """Fill colour of a layer type."""
    return layer_colours(layertype)[0]
