"""A depthwise convolution and the pointwise one that alone reads it become one operator."""
from __future__ import annotations

from cnml.graph import Graph, Node
from cnml.ops.convolution import Convolution
from cnml.ops.separable import SeparableConvolution
from cnml.tensor import Tensor

#: a sparse pointwise convolution is left alone where it takes this share of the dense one's time: alone, the two go through memory
APART = 0.7


def fuse_separable(graph: Graph, retained: set[Tensor]) -> Graph:
    """Wherever that is faster (`SeparableConvolution.gains`): what lies between the two then stays in a core's cache, band by band."""
    readers = graph.consumers()
    makers: dict[Tensor, Node] = {}
    dropped: set[int] = set()
    nodes: list[Node] = []
    for node in graph.nodes:
        first = makers.get(node.inputs[0]) if node.inputs else None
        if first is not None and node.inputs[0] not in retained and len(readers[node.inputs[0]]) == 1 and _fit(first, node):
            dropped.add(id(first))
            node = _merged(first, node)
        makers.update(dict.fromkeys(node.outputs, node))
        nodes.append(node)
    return Graph.of(graph.inputs, [n for n in nodes if id(n) not in dropped])


def _fit(first: Node, second: Node) -> bool:
    depthwise, pointwise = first.op, second.op
    if not isinstance(depthwise, Convolution) or not isinstance(pointwise, Convolution):
        return False
    if not SeparableConvolution.gains(depthwise, pointwise, first.inputs[0].shape, second.inputs[0].shape):
        return False
    image = pointwise.image_shape(second.inputs[0].shape)
    return image is not None and pointwise.choose_sparse(image, second.parameters, APART).cut is None


def _merged(first: Node, second: Node) -> Node:
    depthwise, pointwise = first.op, second.op
    assert isinstance(depthwise, Convolution) and isinstance(pointwise, Convolution)
    op = SeparableConvolution(depthwise, pointwise, len(first.parameters), f"{depthwise.name}+{pointwise.name}")
    return Node.of(op, [first.inputs[0], *second.inputs[1:]], first.parameters + second.parameters, second.outputs)
