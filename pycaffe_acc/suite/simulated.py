"""Simulated figures: the event model of a card for a net whose answers were computed here."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from cnrt.card_model import CardModel, card_model
from cnrt.cost import Cost, Launch
from cnrt.simulation import Company, simulate
from cnrt.simulation.clock import steady_seconds
from pycaffe_acc.card_costs import net_costs, net_feed
from pycaffe_acc.errors import CheckError
from pycaffe_acc.net import Net
from pycaffe_acc.segments import Segments
from pycaffe_acc.suite.plan import DevicePlan

#: the model's stages by the names of a measured time split; layout and type conversion is a part of preparing on the host
_STAGES = {"load": "decode", "convert_in": "convert", "copy_in": "copy_in", "compute": "compute", "copy_out": "copy_out", "convert_out": "post"}

_INPUT = "it brings data from outside"


def card_costs(net: Net, zeros: Mapping[str, float], device: DevicePlan) -> tuple[Cost, ...]:
    """What one image costs a card.

    Parameters
    ----------
    net : Net
        With a batch of one; in the precision that the card computes in.
    zeros : mapping of str to float
        Share of zero weights of layers that the card runs as sparse ones.
    device : DevicePlan

    Raises
    ------
    CheckError
        When layers of the net run on the host, whose time the event model does not know.
    """
    outside = {name: reason for s in Segments(net).all if not s.symbol for name, reason in s.reasons.items() if reason != _INPUT}
    if outside:
        first = next(iter(outside))
        raise CheckError(f"net '{net.name}' cannot be simulated on {device.name}: {len(outside)} of its layers would run on the host, whose time the "
                         f"model of the card does not know; the first is '{first}': {outside[first]}")
    return tuple(c._replace(density=1.0 - _zeros(c.name, zeros)) if c.macs else c for c in net_costs(net))


def _zeros(name: str, zeros: Mapping[str, float]) -> float:
    """Of the layer that an operator came from; fused ones have the names of all their layers, with + between them."""
    return next((share for layer, share in zeros.items() if f"+{layer}+" in f"+{name}+"), 0.0)


def simulated(net: Net, zeros: Mapping[str, float], device: DevicePlan, images: int) -> dict[str, Any]:
    """Throughput of a net on a card, as plain values. The same every time.

    Parameters
    ----------
    net : Net
        With a batch of one.
    zeros : mapping of str to float
        See `card_costs`.
    device : DevicePlan
        Every one of its threads gives the card `dp` images at a time.
    images : int
        How many the accuracy beside it was measured on; the figures are of a long run.

    Raises
    ------
    CheckError, CnrtError
        For layers that the card does not run, a precision that it does not compute in, more cores than it has.
    """
    card, launch = card_model(device.name), Launch(device.dp, device.mp)
    costs = card_costs(net, zeros, device)
    feed = net_feed(net, pixels=True, bytes_in=False, pipelined=True)
    alone = simulate(costs, card, launch, device.threads, device.dp)
    whole = simulate(costs, card, launch, device.threads, device.dp, feed=feed)
    latencies = 1e3 * np.array(whole.latencies)
    return {"images": images, "hardware_fps": alone.end_to_end_fps, "hardware_fps_vendor": whole.hardware_fps, "end_to_end_fps": whole.end_to_end_fps,
            "latency_ms": {f"p{p}": float(np.percentile(latencies, p)) for p in (50, 90, 99)},
            "split_seconds": {_STAGES[k]: v for k, v in whole.split.items()}, "split_of": "all threads",
            "in_turn_fps": None, "in_turn_end_to_end_fps": None,
            "wall_seconds": whole.seconds}


def simulated_layers(net: Net, zeros: Mapping[str, float], device: DevicePlan) -> list[dict[str, Any]]:
    """Simulated time of every instruction for `dp` images on as many cores, as rows of the report's table."""
    card, launch = card_model(device.name), Launch(device.dp, device.mp)
    rows = []
    for cost in card_costs(net, zeros, device):
        seconds = _seconds(card, [cost], launch) - _seconds(card, [], launch)
        macs = cost.macs * device.dp
        rows.append({"name": cost.name, "type": cost.dtype, "note": f"density {cost.density:.2f}" if cost.density < 1 else "", "ms": 1e3 * seconds,
                     "macs": macs, "gmacs_per_second": 1e-9 * macs / seconds if macs and seconds > 0 else None})
    return rows


def _seconds(card: CardModel, costs: list[Cost], launch: Launch) -> float:
    return steady_seconds(card, costs, launch, 0, Company())
