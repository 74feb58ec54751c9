"""Magnitudes of many values in bounded memory."""
from __future__ import annotations

import math

import numpy as np

#: even, so that pairs of bins can be merged
BINS = 4096
_CHUNK = 1 << 18  # values that are looked at together: small enough to stay in the cache
_LEAST = -126 + int(math.log2(BINS))  # widths below this would leave float32's normal numbers


class MagnitudeHistogram:
    """Counts of |x| in `BINS` bins of one width, which is a power of two.

    When a value lies beyond the last bin, the width is doubled and neighbours are merged, which moves no value to a bin that it would not have been
    put into from the start. What is counted therefore depends on the values alone: not on their order, nor on how they come in batches.

    Attributes
    ----------
    counts : (BINS,) int64
        Bin i holds magnitudes in [i * width, (i + 1) * width), zeros excepted.
    zeros : int
        Values that are 0.
    largest : float
        Greatest magnitude; -1 before any value.
    negative : bool
        Whether any value was below 0.
    """

    def __init__(self) -> None:
        self.counts = np.zeros(BINS, np.int64)
        self.zeros = 0
        self.largest = -1.0
        self.negative = False
        self._exponent = _LEAST

    @property
    def width(self) -> float:
        """Of a bin."""
        return math.ldexp(1.0, self._exponent)

    @property
    def centres(self) -> np.ndarray:
        """The magnitude in the middle of each bin: (BINS,) float64."""
        return (np.arange(BINS) + 0.5) * self.width

    @property
    def values(self) -> int:
        """How many values were seen."""
        return self.zeros + int(self.counts.sum())

    def see(self, values: np.ndarray) -> None:
        """Count values.

        Parameters
        ----------
        values : ndarray of float32
            Any shape; finite.
        """
        if not values.size:
            return
        least, most = float(values.min()), float(values.max())
        self.negative |= least < 0
        self.largest = max(self.largest, most, -least)
        self._widen()
        flat, unit = values.reshape(-1), np.float32(1 / self.width)
        for start in range(0, flat.size, _CHUNK):
            part = flat[start:start + _CHUNK]
            magnitudes = np.abs(part)
            magnitudes *= unit  # a power of two: exact
            found = np.bincount(magnitudes.astype(np.int32), minlength=BINS)
            zeros = int(part.size - np.count_nonzero(part))
            found[0] -= zeros
            self.zeros += zeros
            self.counts += found

    def _widen(self) -> None:
        """Double the width until the greatest magnitude fits."""
        wanted = max(_LEAST, math.frexp(self.largest)[1] - int(math.log2(BINS)))  # largest < 2**frexp's exponent
        for _ in range(min(wanted - self._exponent, int(math.log2(BINS)) + 1)):
            self.counts[:BINS // 2] = self.counts.reshape(-1, 2).sum(1)
            self.counts[BINS // 2:] = 0
        self._exponent = max(self._exponent, wanted)
