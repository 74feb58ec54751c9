"""Runs of operators whose values are too large for the caches go through the kernels image by image."""
from __future__ import annotations

from math import ceil

from cnml.graph import Graph, Node
from cnml.ops.by_image import ByImage, Step
from cnml.ops.convolution import Convolution
from cnml.ops.pool import Pool
from cnml.ops.separable import SeparableConvolution
from cnml.tensor import Layout, Tensor, count
from cnrt.cpu import effective_cpus

BALANCE = 0.85               # share of the tasks' time that is used when they take whole images
CACHED_BYTES = 4 << 20       # of a value of the whole batch that caches hold until it is read
IMAGE_BYTES = 8 << 20        # of an operator's values for one image, at most: two tasks' share a third-level cache
WEIGHTS_SHARE = 1.5          # bytes of weights, which every image reads again, to bytes of an image's values


def by_image(graph: Graph, retained: set[Tensor]) -> Graph:
    """Neighbours whose images are independent become one operator, if nobody else reads what lies between them and it is large."""
    readers = graph.consumers()
    nodes: list[Node] = []
    at = 0
    while at < len(graph.nodes):
        end = at
        while end < len(graph.nodes) and _fits(graph.nodes[end], graph.nodes[at]):
            end += 1
        while end - at > 1 and not _closed(graph.nodes[at:end], retained, readers):
            end -= 1
        merged = _merged(graph.nodes[at:end]) if end - at > 1 else None
        nodes += graph.nodes[at:max(end, at + 1)] if merged is None else [merged]
        at = max(end, at + 1)
    return Graph.of(graph.inputs, nodes)


def balanced(images: int) -> bool:
    """Whether tasks that take whole images have about equally many, on this machine."""
    cpus = effective_cpus()
    return images > 1 and images / (ceil(images / cpus) * cpus) >= BALANCE


def _fits(node: Node, first: Node) -> bool:
    """Whether a node can be in the run that `first` begins, and costs no more alone for each image."""
    tensors = [*node.inputs, *node.outputs]
    images = first.inputs[0].shape[0] if first.inputs and len(first.inputs[0].shape) == 4 else 0
    if len(node.outputs) != 1 or not balanced(images) or any(len(t.shape) != 4 or t.shape[0] != images or t.count == 0 for t in tensors):
        return False
    values = sum(t.nbytes for t in tensors) // images
    weights = 4 * sum(count(p.shape) for p in node.parameters)
    return _independent(node) and values <= IMAGE_BYTES and weights <= WEIGHTS_SHARE * values


def _independent(node: Node) -> bool:
    op = node.op
    if isinstance(op, Convolution):
        return op.image_shape(node.inputs[0].shape) is not None and getattr(op, "int8", None) is None
    return isinstance(op, SeparableConvolution) or (isinstance(op, Pool) and not op.host_reason and not op.mask)


def _closed(run: list[Node], retained: set[Tensor], readers: dict[Tensor, list[Node]]) -> bool:
    """Whether only the run's last value is read outside of it, and one of the others is too large for the caches."""
    inside = {id(n) for n in run}
    between = [n.outputs[0] for n in run[:-1]]
    return (not any(t in retained or not readers.get(t) or any(id(r) not in inside for r in readers[t]) for t in between)
            and any(t.nbytes > CACHED_BYTES for t in between))


def _merged(run: list[Node]) -> Node | None:
    """The one operator, or None where its steps do not agree on a layout."""
    made = {n.outputs[0] for n in run}
    outside = list(dict.fromkeys(t for n in run for t in n.inputs if t not in made))
    numbers = {t: i for i, t in enumerate([*outside, *(n.outputs[0] for n in run)])}
    steps = [Step(n.op, tuple(numbers[t] for t in n.inputs), len(n.parameters), n.outputs[0].shape[1:]) for n in run]
    op = ByImage(steps, len(outside), f"{run[0].name.split('+')[0]} to {run[-1].name.split('+')[-1]}")
    shapes = [t.shape for t in outside]
    if any(op.layouts([layout] * len(outside), shapes) is None for layout in Layout):
        return None
    return Node.of(op, outside, [p for n in run for p in n.parameters], run[-1].outputs)
