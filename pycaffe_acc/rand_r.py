"""glibc's rand_r, many numbers at a time."""
from __future__ import annotations

import numpy as np

#: the largest number, RAND_MAX
RAND_MAX = 2**31 - 1

_FACTOR, _OFFSET, _MASK = 1103515245, 12345, 2**32 - 1
#: numbers computed together
_BLOCK = 1 << 18


class RandR:
    """The numbers that repeated calls of rand_r give.

    The state is a linear congruential generator modulo 2^32, s' = 1103515245 s + 12345, which advances three times for a number; the bits 16 to 26,
    16 to 25 and 16 to 25 of the three states stand side by side in it (glibc, stdlib/rand_r.c; the algorithm is that of the C standard's example).

    Parameters
    ----------
    seed : int
        The first state, 0 to 2^32 - 1.
    """

    def __init__(self, seed: int):
        self._state = seed & _MASK

    def draw(self, n: int) -> np.ndarray:
        """The next n numbers.

        Parameters
        ----------
        n : int

        Returns
        -------
        (n,) int64
            0 to RAND_MAX.
        """
        result = np.empty(n, np.int64)
        for start in range(0, n, _BLOCK):
            size = min(_BLOCK, n - start)
            states = self._states(3 * size).astype(np.int64).reshape(size, 3) >> 16
            result[start:start + size] = (states[:, 0] & 2047) << 20 | (states[:, 1] & 1023) << 10 | states[:, 2] & 1023
        return result

    def _states(self, n: int) -> np.ndarray:
        """The next n > 0 states, uint32. k steps at once are one step of another generator, so each round doubles what is known."""
        states = np.empty(n, np.uint32)
        states[0] = self._state * _FACTOR + _OFFSET & _MASK
        known, factor, offset = 1, _FACTOR, _OFFSET
        while known < n:
            size = min(known, n - known)
            states[known:known + size] = states[:size] * np.uint32(factor) + np.uint32(offset)
            factor, offset = factor * factor & _MASK, (factor * offset + offset) & _MASK
            known += size
        self._state = int(states[-1])
        return states
