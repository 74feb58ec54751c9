"""What a drawing of a net shows: boxes of layers, with the in-place layers inside them, and the blobs between."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pycaffe_acc.errors import CheckError
from pycaffe_acc.proto import caffe_pb2

Shapes = Mapping[str, Sequence[int]]


@dataclass
class Box:
    """One layer and the layers that change its top in place.

    Attributes
    ----------
    title : str
        The layer's name.
    type : str
    lines : list of str
        What the layer does: type and parameters.
    inside : list of (str, str)
        Type and name of each in-place layer.
    """

    title: str
    type: str
    lines: list[str]
    inside: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Link:
    """A blob that goes from one box to another.

    Attributes
    ----------
    source, target : int
        Indices of boxes; source < target.
    blob : str
    label : str
        The blob's shape when it is known.
    """

    source: int
    target: int
    blob: str
    label: str


@dataclass
class NetGraph:
    """A net as boxes and links."""

    name: str
    boxes: list[Box]
    links: list[Link]


def net_graph(net: Any, phase: int | None = None, shapes: Shapes | None = None, display_lrm: bool = False) -> NetGraph:
    """The drawing of a NetParameter.

    Parameters
    ----------
    net : NetParameter
        In V2 form (layers in `layer`).
    phase : int, optional
        Leave out the layers that the other phase alone has.
    shapes : mapping of str to shape, optional
        Of blobs, to be written beside the links.
    display_lrm : bool
        Write learning-rate multipliers into the boxes.

    Returns
    -------
    NetGraph
    """
    return _Builder(net, phase, shapes or {}, display_lrm).build()


class _Builder:
    def __init__(self, net: Any, phase: int | None, shapes: Shapes, display_lrm: bool):
        self.net = net
        self.phase = phase
        self.shapes = shapes
        self.display_lrm = display_lrm
        self.boxes: list[Box] = []
        self.links: list[Link] = []
        #: boxes that make each blob; several where layers of both phases do
        self.makers: dict[str, list[int]] = {}

    def build(self) -> NetGraph:
        for name, dims in zip(self.net.input, _legacy_shapes(self.net), strict=False):
            self.add_input(name, dims)
        for layer in self.net.layer:
            if self.phase is None or runs_in(layer, self.phase):
                self.add(layer)
        return NetGraph(self.net.name, self.boxes, self.links)

    def add_input(self, blob: str, dims: Sequence[int] = ()) -> None:
        self.boxes.append(Box(blob, "Input", ["Input" + (" " + shape_text(dims) if dims else "")]))
        self.makers[blob] = [len(self.boxes) - 1]

    def add(self, layer: Any) -> None:
        for blob in layer.bottom:
            if blob not in self.makers:
                self.add_input(blob)
        if len(layer.bottom) == 1 and list(layer.top) == list(layer.bottom):
            for maker in self.makers[layer.bottom[0]]:
                self.boxes[maker].inside.append((layer.type, layer.name))
            return
        lines = layer_lines(layer)
        if self.display_lrm and layer.param:
            lines.append(f"lr mult {layer_lr_mult(layer)}")
        self.boxes.append(Box(layer.name or "(unnamed)", layer.type, lines))
        this = len(self.boxes) - 1
        for blob in dict.fromkeys(layer.bottom):
            label = shape_text(self.shapes[blob]) if blob in self.shapes else ""
            self.links += [Link(maker, this, blob, label) for maker in self.makers[blob]]
        by_phase = bool(layer.include or layer.exclude)
        for blob in layer.top:
            # two data layers, one for each phase, make the same blob: both lead on
            self.makers[blob] = [*(self.makers.get(blob, []) if by_phase else []), this]


def runs_in(layer: Any, phase: int) -> bool:
    """Whether a layer's include and exclude rules let it run in a phase (levels and stages are not looked at).

    Raises
    ------
    CheckError
        When it has both kinds of rules.
    """
    if layer.include and layer.exclude:
        raise CheckError(f"layer '{layer.name}' has both include and exclude rules; Caffe allows only one kind")
    if layer.include:
        return any(not rule.HasField("phase") or rule.phase == phase for rule in layer.include)
    return not any(rule.HasField("phase") and rule.phase == phase for rule in layer.exclude)


def shape_text(dims: Sequence[int]) -> str:
    """1×3×224×224."""
    return "×".join(str(d) for d in dims) or "scalar"


def _legacy_shapes(net: Any) -> list[Sequence[int]]:
    if net.input_shape:
        return [list(s.dim) for s in net.input_shape]
    dims = list(net.input_dim)
    return [dims[i:i + 4] for i in range(0, len(dims), 4)] or [()] * len(net.input)


def layer_lr_mult(layer: Any) -> Any:
    """Learning-rate multipliers: one value, or a list when they differ; 1.0 when none is given."""
    values = [p.lr_mult for p in layer.param]
    return 1.0 if not values else values[0] if len(set(values)) == 1 else values


def layer_lines(layer: Any) -> list[str]:
    """Type and the parameters that matter for reading a net."""
    describe = {
        "Convolution": _convolution, "Deconvolution": _convolution, "ConvolutionDepthwise": _convolution, "DepthwiseConvolution": _convolution,
        "Pooling": _pooling, "InnerProduct": _inner_product, "Input": _input, "LRN": _lrn, "Dropout": _dropout, "Eltwise": _eltwise,
        "Concat": _concat, "Slice": _slice, "Data": _data, "ImageData": _data, "Python": _python,
    }.get(layer.type)
    detail = describe(layer) if describe is not None else ""
    return [layer.type, detail] if detail else [layer.type]


def kernel_sides(param: Any) -> tuple[str, str, str]:
    """Kernel, stride and pad of a convolution or pooling message, as text: "3×3", "2", "1"."""
    def side(name: str, default: int) -> str:
        stem = {"kernel_size": "kernel"}.get(name, name)
        if param.HasField(stem + "_h") or param.HasField(stem + "_w"):
            high, wide = getattr(param, stem + "_h"), getattr(param, stem + "_w")
            return str(high) if high == wide else f"{high}×{wide}"
        value = getattr(param, name)
        values = [value] if isinstance(value, int) else list(value)
        if not values or (isinstance(value, int) and not param.HasField(name)):
            return str(default)
        return str(values[0]) if len(set(values)) == 1 else "×".join(map(str, values))

    kernel, stride, pad = side("kernel_size", 0), side("stride", 1), side("pad", 0)
    return (kernel if "×" in kernel else f"{kernel}×{kernel}"), stride, pad


def _convolution(layer: Any) -> str:
    param = layer.convolution_param
    kernel, stride, pad = kernel_sides(param)
    parts = [f"{param.num_output} × {kernel}", f"stride {stride}"]
    if pad != "0":
        parts.append(f"pad {pad}")
    if any(d != 1 for d in param.dilation):
        parts.append("dilation " + "×".join(map(str, param.dilation)))
    if param.group > 1:
        parts.append(f"group {param.group}")
    return ", ".join(parts)


def _pooling(layer: Any) -> str:
    param = layer.pooling_param
    method = caffe_pb2.PoolingParameter.PoolMethod.Name(param.pool)
    if param.global_pooling:
        return f"{method} global"
    kernel, stride, pad = kernel_sides(param)
    return f"{method} {kernel}, stride {stride}" + (f", pad {pad}" if pad != "0" else "")


def _inner_product(layer: Any) -> str:
    return f"{layer.inner_product_param.num_output} outputs"


def _input(layer: Any) -> str:
    return ", ".join(shape_text(s.dim) for s in layer.input_param.shape)


def _lrn(layer: Any) -> str:
    param = layer.lrn_param
    return f"{'within channel' if param.norm_region else 'across channels'}, size {param.local_size}"


def _dropout(layer: Any) -> str:
    return f"ratio {layer.dropout_param.dropout_ratio:g}"


def _eltwise(layer: Any) -> str:
    return caffe_pb2.EltwiseParameter.EltwiseOp.Name(layer.eltwise_param.operation)


def _concat(layer: Any) -> str:
    return f"axis {layer.concat_param.axis}" if layer.concat_param.axis != 1 else ""


def _slice(layer: Any) -> str:
    return f"axis {layer.slice_param.axis}" if layer.slice_param.axis != 1 else ""


def _data(layer: Any) -> str:
    batch = (layer.data_param if layer.type == "Data" else layer.image_data_param).batch_size
    return f"batch {batch}" if batch else ""


def _python(layer: Any) -> str:
    return f"{layer.python_param.module}.{layer.python_param.layer}"
