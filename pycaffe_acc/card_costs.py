"""What a net costs a virtual card, and what goes in and out with an image: the inputs of `cnrt.simulation`. Nothing runs."""
from __future__ import annotations

from math import prod

from cnml.cost import graph_costs
from cnrt.cost import Cost
from cnrt.simulation import Feed
from pycaffe_acc.net import Net
from pycaffe_acc.segments import Segments


def net_costs(net: Net, every_int8: bool = False, fusion: bool = True) -> tuple[Cost, ...]:
    """Costs of the layers that a card can run, fused as its compiler fuses them, for the shapes that the net has now.

    Parameters
    ----------
    net : Net
        Its precision says how values are held.
    every_int8 : bool
        Count all convolutions and inner products as INT8, for nets that nobody quantized: values do not matter here.
    fusion : bool
        False keeps every layer apart.

    Returns
    -------
    tuple of Cost
        Of one forward.
    """
    segments = Segments(net)
    costs: list[Cost] = []
    for segment in segments.all:
        if segment.symbol:
            graph, outputs = segments.graph(segment)
            costs += graph_costs(graph, outputs.values(), net.source.precision, every_int8, fusion)
    return tuple(costs)


def net_feed(net: Net, pixels: bool = False, bytes_in: bool = False, pipelined: bool = False, online: bool = False) -> Feed:
    """What an image of a net takes to the card and back: float32 on the host, halves on the card.

    Parameters
    ----------
    net : Net
    pixels : bool
        Whether its pictures are read from files.
    bytes_in : bool
        Whether pictures go to the card as bytes (the first convolution subtracts the mean), which takes no conversion of types.
    pipelined, online :
        See `cnrt.simulation.Feed`.
    """
    into = [net.blobs[n].shape for n in net.inputs if net.blobs[n].shape]
    out = [net.blobs[n].shape for n in net.outputs if net.blobs[n].shape]
    values, results = sum(prod(s[1:]) for s in into), sum(prod(s[1:]) for s in out)
    pictures = sum(prod(s[2:]) for s in into) if pixels else 0
    return Feed(values if bytes_in else 4 * values, values if bytes_in else 2 * values, 4 * results, 2 * results, True, pictures, pipelined, online)
