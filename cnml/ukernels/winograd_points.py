"""The interpolation points of the Winograd convolutions F(m, r) along an axis and what follows from them.

After Lavin and Gray (arXiv 1509.09308) with the general construction of Barabasz et al. (arXiv 1803.10986): the polynomials are evaluated at 0, at
pairs +p and -p, and at infinity, so y = A^T [(G w) * (B^T d)] for a window d of m + r - 1 inputs and r weights; in a plane, the same along both axes.
Points whose product is 1 keep the entries of B and A small: F(4, 3) with the square roots of 1/2 and 2 errs by a fifth of what the textbook's 1 and 2
do, F(4, 7) with these four by a sixth of what 1/2, 1, 2 and 4 do.
"""
from __future__ import annotations

from math import prod, sqrt

import numpy as np

#: extent of a window, m + r - 1 → the positive points of the pairs
PAIRS: dict[int, tuple[float, ...]] = {1: (), 4: (1.0,), 6: (sqrt(0.5), sqrt(2.0)), 8: (0.5, 1.0, 2.0), 10: (0.5, 0.8, 1.25, 2.0)}


def points(t: int) -> list[float]:
    """The finite points of a window of `t` in the order of the products: 0, then each pair, positive first (infinity comes last)."""
    return [0.0, *(sign * p for p in PAIRS[t] for sign in (1, -1))]


def weight_transform(m: int, r: int) -> np.ndarray:
    """G: (m + r - 1, r) float64. Row j is [1, p, ..., p^(r - 1)] / prod over the other points q of (p - q)."""
    if m + r == 2:
        return np.ones((1, 1))
    p = points(m + r - 1)
    rows = [[a ** i / prod(a - b for b in p if b != a) for i in range(r)] for a in p]
    return np.array([*rows, [0.0] * (r - 1) + [1.0]])


def input_transform(t: int) -> np.ndarray:
    """B^T: (t, t) float64. Row j has the coefficients of the polynomial with the other points as zeros, lowest power first."""
    result = np.zeros((t, t))
    if t == 1:
        return result + 1
    p = points(t)
    for j, a in enumerate([*p, None]):
        coefficients = np.array([1.0])
        for b in p:
            if b != a:
                coefficients = np.convolve(coefficients, [-b, 1.0])
        result[j, :len(coefficients)] = coefficients
    return result


def output_transform(m: int, r: int) -> np.ndarray:
    """A^T: (m, m + r - 1) float64. Row i has the points to the power i; infinity enters the last row only."""
    t = m + r - 1
    result = np.zeros((m, t))
    if t == 1:
        return result + 1
    result[:, :-1] = [[a ** i for a in points(t)] for i in range(m)]
    result[m - 1, -1] = 1.0
    return result
