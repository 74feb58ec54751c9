"""Pixels of bytes between canaries: what lies around them and between their channels must stay."""
from __future__ import annotations

import numpy as np

from cnml.parameter import aligned_empty

GUARD = 128
CANARY = 0xA5


class Pixels:
    """(pixels, channels) of any element type, `pitch` bytes a pixel, canaries between and around.

    Parameters
    ----------
    values : (..., channels) ndarray
        What the channels hold first, with the element type of the pixels.
    pitch : int
        Bytes from one pixel to the next.
    """

    def __init__(self, values: np.ndarray, pitch: int):
        *grid, channels = values.shape
        row = channels * values.itemsize
        n = int(np.prod(grid, dtype=np.int64))
        self._all = aligned_empty((n * pitch + 2 * GUARD,), np.uint8)
        self._all[...] = CANARY
        self._bytes = self._all[GUARD:GUARD + n * pitch].reshape(n, pitch)
        self._bytes[:, :row] = np.ascontiguousarray(values).reshape(n, channels).view(np.uint8).reshape(n, row)
        self._row, self._shape, self._type = row, values.shape, values.dtype
        self.pitch = pitch

    @property
    def address(self) -> int:
        """Where the first pixel is."""
        return self._bytes.ctypes.data

    @property
    def values(self) -> np.ndarray:
        """What the channels hold now."""
        return np.ascontiguousarray(self._bytes[:, :self._row]).view(self._type).reshape(self._shape)

    def check(self) -> None:
        """Fail if a canary changed."""
        n = self._bytes.size
        assert (self._all[:GUARD] == CANARY).all(), "written before the beginning"
        assert (self._all[GUARD + n:] == CANARY).all(), "written behind the end"
        assert (self._bytes[:, self._row:] == CANARY).all(), "written between the pixels"


def pitches(channels: int, item: int = 1) -> list[int]:
    """A pixel without gaps if it is whole words, the least pitch, and a wider one."""
    least = -(-channels * item // 4) * 4
    return [least, least + 20]
