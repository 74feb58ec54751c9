"""What a user can tell a quantization method."""
from __future__ import annotations

from dataclasses import dataclass

from pycaffe_acc.errors import CheckError

#: how ranges of weights are found: the largest magnitude, or the smallest squared error
WEIGHT_RANGES = ("absmax", "mse")


@dataclass(frozen=True)
class CalibrationOptions:
    """Methods ignore what is not theirs.

    Attributes
    ----------
    kept_percent : float
        Method percentile: the share of all values, zeros included, that is NOT clipped; above 50, at most 100.
    weight_ranges : str
        One of `WEIGHT_RANGES`.
    """

    kept_percent: float = 99.99
    weight_ranges: str = "absmax"

    def __post_init__(self) -> None:
        if not 50 < self.kept_percent <= 100:
            raise CheckError(f"the percentile method was told to keep {self.kept_percent:g} % of the values; it must be the share that is kept, "
                             "above 50 and at most 100 (99.99 clips one value in ten thousand)")
        if self.weight_ranges not in WEIGHT_RANGES:
            raise CheckError(f"unknown rule for the ranges of weights '{self.weight_ranges}'; known: {', '.join(WEIGHT_RANGES)}")
