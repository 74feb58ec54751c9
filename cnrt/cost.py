"""What an instruction costs a card, as plain numbers, and how a function is spread over cores. The runtime does not know which operator it was."""
from __future__ import annotations

from typing import NamedTuple


class Cost(NamedTuple):
    """The work of one operator for everything one invocation computes.

    Attributes
    ----------
    name : str
        For tables.
    dtype : str
        "float32", "float16" or "int8": at which rate it multiplies.
    macs : int
        Multiply-accumulates.
    inner, outer : int
        Terms of one sum, and sums that share their data: the two extents that a card's multiplier array is filled along.
    ops : int
        Operations on elements apart from the multiplier array.
    weight_bytes, read_bytes, write_bytes : int
        Constants, inputs and outputs as the card holds them.
    images : int
        Extent of the batch.
    density : float
        Share of the products that a sparse kernel has to compute; 1 for a dense one.
    """

    name: str
    dtype: str
    macs: int = 0
    inner: int = 1
    outer: int = 1
    ops: int = 0
    weight_bytes: int = 0
    read_bytes: int = 0
    write_bytes: int = 0
    images: int = 1
    density: float = 1.0


class Launch(NamedTuple):
    """How an invocation is spread over cores.

    Attributes
    ----------
    data, model : int
        Slices of a batch beside each other, and cores that share a slice.
    whole : bool
        Whether the function's costs are those of all slices together (a net, whose batch is cut up) instead of one (an offline function).
    """

    data: int = 1
    model: int = 1
    whole: bool = False

    @property
    def cores(self) -> int:
        """Cores in use."""
        return self.data * self.model


ALONE = Launch()
