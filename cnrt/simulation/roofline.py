"""What one instruction asks of one core: seconds of its arithmetic, and bytes from and to memory."""
from __future__ import annotations

import math
from typing import NamedTuple

from cnrt.card_model import CardModel
from cnrt.cost import Cost, Launch
from cnrt.errors import CnrtError, RetCode


class Share(NamedTuple):
    """A core's part of an instruction.

    Attributes
    ----------
    seconds : float
        Of arithmetic.
    weight_bytes, value_bytes : float
        That DDR has to move for it.
    """

    seconds: float
    weight_bytes: float
    value_bytes: float


def spread(cost: Cost, launch: Launch) -> tuple[int, int]:
    """Slices of the batch, and cores that share one: a slice needs an image, so what the batch is too small for shares images instead."""
    if not launch.whole:
        return launch.data, launch.model
    slices = math.gcd(launch.data, max(1, cost.images))
    return slices, launch.model * (launch.data // slices)


def share(cost: Cost, card: CardModel, launch: Launch) -> Share:
    """A core's part.

    Cores that share an image each read the whole input, and compute and write their part of the output with their part of the weights.

    Raises
    ------
    CnrtError
        UNSUPPORTED for a type in which the card does not multiply.
    """
    slices, sharing = spread(cost, launch)
    part = slices if launch.whole else 1
    seconds = arithmetic_seconds(cost, card, sharing) / part / sharing
    images = max(1.0, cost.images / part)
    return Share(seconds, cost.weight_bytes / sharing * min(1.0, cost.density),
                 from_memory(cost.read_bytes / part, images, card) + from_memory(cost.write_bytes / part / sharing, images, card))


def arithmetic_seconds(cost: Cost, card: CardModel, sharing: int = 1) -> float:
    """Of one core for the whole instruction; `sharing` cores cut the outer extent of the product among them.

    The multiplier array works in tiles of `array_inner` terms and `array_outer` sums. Products so small that the array would stay nearly empty
    (depthwise convolutions) go through the vector unit, at two operations each.
    """
    vector = cost.ops / card.vector_ops_per_second
    if not cost.macs:
        return vector
    rate = mac_rate(cost.dtype, card)
    outer = max(1.0, cost.outer / sharing)
    filled = _filled(cost.inner, card.array_inner) * _filled(outer, card.array_outer)
    array = cost.macs / (rate * card.mac_efficiency * filled) * sparse_share(cost.density, card)
    return min(array, 2 * cost.macs / card.vector_ops_per_second) + vector


def mac_rate(dtype: str, card: CardModel) -> float:
    """Multiply-accumulates a second of a core at its peak.

    Raises
    ------
    CnrtError
        UNSUPPORTED.
    """
    if dtype not in card.macs_per_second:
        raise CnrtError(RetCode.ERR_UNSUPPORTED, f"failed to time {dtype} arithmetic on {card.name}: its spec has rates for "
                        f"{', '.join(sorted(card.macs_per_second))}; choose a precision that the card computes in")
    return card.macs_per_second[dtype]


def sparse_share(density: float, card: CardModel) -> float:
    """Time of a sparse kernel over that of the dense one."""
    return 1.0 if density >= 1.0 else max(card.sparse_floor, 1.0 - card.sparse_efficiency * (1.0 - density))


def from_memory(nbytes: float, images: float, card: CardModel) -> float:
    """What of a core's tensor DDR moves: nothing where an image of it fits beside the core, which then goes on with it at once."""
    return 0.0 if nbytes <= card.onchip_bytes * images else nbytes


def _filled(extent: float, width: int) -> float:
    """Share of the array's rows or columns that an extent keeps busy."""
    return extent / (math.ceil(extent / width) * width)
