"""How a quantized tensor is held in memory, and what an operator's data and weights are quantized by."""
from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cnml.quantization import INT8_LIMIT, QuantParam

#: largest code of values that are never negative
UINT8_LIMIT = 255
#: elements of a pixel are rounded up to this many bytes, what the kernels read at once
WORD = 4


class Codes(NamedTuple):
    """Unsigned bytes `round(x / unit) + zero`, halves away from zero.

    Attributes
    ----------
    unit : float
        Real value of one step, a float32 value.
    zero : int
        The code of 0: 128 for values in [-127, 127] units, 0 for values in [0, 255].
    """

    unit: float
    zero: int = 128

    @classmethod
    def of(cls, param: QuantParam, unsigned: bool = False) -> Codes:
        """The codes of a quantization parameter for a whole tensor.

        Parameters
        ----------
        param : QuantParam
            Not per channel.
        unsigned : bool
            Values are never negative and scaled to 255 instead of 127.
        """
        return cls(float(np.float32(np.ldexp(1.0 / float(np.float32(param.scale)), int(param.position)))), 0 if unsigned else 128)  # type: ignore[arg-type]

    @property
    def least(self) -> int:
        """Smallest multiple of the unit."""
        return -INT8_LIMIT if self.zero else 0

    @property
    def most(self) -> int:
        """Largest multiple of the unit."""
        return INT8_LIMIT if self.zero else UINT8_LIMIT

    @property
    def factor(self) -> float:
        """Units in 1, as a float32 value."""
        return float(np.float32(1.0 / self.unit))


class LayerCodes(NamedTuple):
    """How a layer computes in INT8.

    Attributes
    ----------
    data : Codes
        Of its first input.
    weights : QuantParam
        Of its weights, for all or per output channel.
    """

    data: Codes
    weights: QuantParam
