"""The interpolation points of the Winograd convolutions F(m x m, 3x3) and what follows from them.

After Lavin and Gray (arXiv 1509.09308) with the general construction of Barabasz et al. (arXiv 1803.10986): the polynomials are evaluated at 0, at
pairs +p and -p, and at infinity, so y = A^T [(G w G^T) * (B^T d B)] A for a window d of m + 2 by m + 2 inputs. Points whose product is 1 keep the
entries of B and A small: F(4x4) with the square roots of 1/2 and 2 errs by a fifth of what the textbook's 1 and 2 do.
"""
from __future__ import annotations

from math import prod, sqrt

import numpy as np

#: outputs along an axis of a tile → the positive points of the pairs
PAIRS: dict[int, tuple[float, ...]] = {2: (1.0,), 4: (sqrt(0.5), sqrt(2.0)), 6: (0.5, 1.0, 2.0)}


def points(m: int) -> list[float]:
    """The finite points in the order of the products: 0, then each pair, positive first (infinity comes last)."""
    return [0.0, *(sign * p for p in PAIRS[m] for sign in (1, -1))]


def weight_transform(m: int) -> np.ndarray:
    """G: (m + 2, 3) float64. Row j is [1, p, p^2] / prod over the other points q of (p - q)."""
    p = points(m)
    rows = [[a ** i / prod(a - b for b in p if b != a) for i in range(3)] for a in p]
    return np.array([*rows, [0.0, 0.0, 1.0]])


def input_transform(m: int) -> np.ndarray:
    """B^T: (m + 2, m + 2) float64. Row j has the coefficients of the polynomial with the other points as zeros, lowest power first."""
    p = points(m)
    result = np.zeros((m + 2, m + 2))
    for j, a in enumerate([*p, None]):
        zeros = [b for b in p if b != a]
        coefficients = np.array([1.0])
        for z in zeros:
            coefficients = np.convolve(coefficients, [-z, 1.0])
        result[j, :len(coefficients)] = coefficients
    return result


def output_transform(m: int) -> np.ndarray:
    """A^T: (m, m + 2) float64. Row i has the points to the power i; infinity enters the last row only."""
    p = points(m)
    result = np.zeros((m, m + 2))
    result[:, :-1] = [[a ** i for a in p] for i in range(m)]
    result[m - 1, -1] = 1.0
    return result
