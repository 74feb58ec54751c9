"""What a net asks of its card with every batch."""
from __future__ import annotations

from typing import NamedTuple

from cnrt.card_model import CardModel
from cnrt.cost import Cost, Launch
from pycaffe_acc.card_costs import net_costs
from pycaffe_acc.net import Net
from pycaffe_acc.offline_net import OfflineNet


class CardWork(NamedTuple):
    """A batch's work.

    Attributes
    ----------
    costs : tuple of Cost
    launch : Launch
    apart : bool
        Whether every layer is an invocation of its own (the vendor's mode MLU).
    """

    costs: tuple[Cost, ...]
    launch: Launch
    apart: bool = False

    def on(self, card: CardModel) -> CardModel:
        """The card, with a launch for every layer where they are apart."""
        if not self.apart:
            return card
        return card.with_constants(instruction_seconds=card.instruction_seconds + card.launch_seconds, launch_seconds=0.0)


def card_work(net: Net | OfflineNet) -> CardWork:
    """Of a net on a card; layers that the host runs are no part of it."""
    if isinstance(net, Net):
        settings = net.source.card
        if settings is None:
            return CardWork(net_costs(net), Launch(1, net.threads, whole=True))
        return CardWork(net_costs(net, fusion=settings.mode != "MLU"), settings.launch, settings.mode == "MLU")
    functions = [runner.function for runner in net._runners.values()]
    return CardWork(tuple(c for f in functions for c in f.costs), Launch(functions[0].data_parallelism, functions[0].model_parallelism))
