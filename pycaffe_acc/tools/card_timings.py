"""The table by layer of `time` on a virtual card."""
from __future__ import annotations

from cnml.executable import Timing
from cnrt.card_model import card_model
from cnrt.simulation import layer_times
from pycaffe_acc.card_costs import net_costs
from pycaffe_acc.errors import CheckError
from pycaffe_acc.net import Net


def card_timings(net: Net, fusion: bool = True) -> list[Timing]:
    """Simulated time of every layer of a net for a card, each alone on the cores of a forward, and what bounds it.

    Parameters
    ----------
    net : Net
        Built for a card.
    fusion : bool
        False shows layers that the card would fuse one by one.

    Raises
    ------
    CheckError
        When the net is for the host.
    """
    settings = net.source.card
    if settings is None:
        raise CheckError(f"net '{net.name}' is not for a card; its layers' times are measured")
    rows = layer_times(net_costs(net, fusion=fusion), card_model(settings.kind), settings.launch, max(0, settings.channel))
    return [Timing(r.cost.name, r.cost.dtype, 1e3 * r.seconds, f"simulated, bound by {r.bound}", r.cost.macs) for r in rows]
