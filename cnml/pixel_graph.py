"""A first convolution's normalization and the quantization behind it in one pass over the pixels."""
from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cnml.graph import Graph, Node
from cnml.operator import Operator
from cnml.ops.channel_affine import ChannelAffine
from cnml.ops.pixel_codes import PLANES, PixelCodes
from cnml.ops.quantize import Quantize
from cnml.passes.merge import merge_chains
from cnml.tensor import Tensor


def pixel_graph(graph: Graph, retained: Iterable[Tensor]) -> Graph:
    """The graph with a `PixelCodes` wherever images of a few channels are normalized only to be quantized.

    Parameters
    ----------
    graph : Graph
        What `int8_graph` gives for values that stay codes; on the card, normalized pixels are halves first.
    retained : iterable of Tensor
        Values that must be readable after a run.

    Returns
    -------
    Graph
    """
    return merge_chains(graph, set(retained), _merged)


def _merged(producer: Node, consumer: Node) -> Operator | None:
    shape, op = producer.inputs[0].shape, consumer.op
    affine: Any = producer.op
    if not isinstance(affine, ChannelAffine) or not isinstance(op, Quantize) or len(producer.parameters) != 2:
        return None
    return PixelCodes(op.codes, op.name) if len(shape) == 4 and 1 <= shape[1] <= PLANES else None
