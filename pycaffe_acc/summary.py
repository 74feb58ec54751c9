"""Size of a net, layer by layer: shapes, parameters, multiply-accumulates, memory."""
from __future__ import annotations

from typing import NamedTuple

from cnml.graph import Graph
from cnml.tensor import Shape, Tensor
from pycaffe_acc.net import Net
from pycaffe_acc.stage import emit_range


class LayerSize(NamedTuple):
    """One layer.

    Attributes
    ----------
    name, type : str
    tops : dict of str to tuple of int
        Blob name → shape.
    parameters : int
        Values in the weight blobs; those shared with an earlier layer are not counted again.
    macs : int
        Multiply-accumulates of one forward.
    top_bytes : int
        Of the tops that are blobs of their own, not of in-place ones.
    """

    name: str
    type: str
    tops: dict[str, Shape]
    parameters: int
    macs: int
    top_bytes: int


def layer_sizes(net: Net) -> list[LayerSize]:
    """Sizes of all layers for the shapes that the net's input blobs have now.

    Parameters
    ----------
    net : Net

    Returns
    -------
    list of LayerSize
    """
    wiring = net._wiring
    graph, env, counted, rows = Graph(), dict[str, Tensor](), set[int](), []
    for i, layer in enumerate(wiring.layers):
        done = len(graph.nodes)
        if layer.type == "Input":
            env.update({n: graph.input(net.blobs[n].shape, n) for n in wiring.tops[i]})
        else:
            emit_range(wiring, dict(net._groups), i, i, graph, env)
        macs = sum(n.op.macs([t.shape for t in n.inputs], [t.shape for t in n.outputs]) for n in graph.nodes[done:])
        fresh = [p for p in layer.blobs if id(p) not in counted]
        counted.update(map(id, fresh))
        tops = {name: env[name].shape for name in wiring.tops[i]}
        own = [env[name] for name in wiring.tops[i] if name not in wiring.bottoms[i]]
        rows.append(LayerSize(layer.name, layer.type, tops, sum(p.array.size for p in fresh), macs, sum(t.nbytes for t in own)))
    return rows
