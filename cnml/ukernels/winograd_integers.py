"""F(4, 3) in integers: the interpolation points of the exact Winograd convolutions and what follows from them.

The construction is that of `cnml.ukernels.winograd_points`, with the points as fractions a/b: 0, 1, -1, 2, -1/2 and infinity (1/0). Weights are
evaluated as sums of w[i] * a**i * b**(2 - i), so G, B and A hold integers, and 30 * y = A^T [(G w) * (B^T d)]. In a plane that is 900 = 4 * 225 times
the result. The sums may be taken modulo 2**32: times the inverse of 225 they are 4 * y modulo 2**32, from which y follows if its magnitude is below
2**29. The textbook's points, 1, -1, 2 and -2, would leave 2**25.

With inputs of one byte and weights in -127..127 no transformed input exceeds 98 * 255, no transformed weight 49 * 127: both are 16-bit integers.
"""
from __future__ import annotations

import numpy as np

#: inputs of a window and outputs of a tile along an axis
WINDOW, TILE = 6, 4
#: (window, 3) of weights
WEIGHT_TRANSFORM = np.array([[1, 0, 0], [1, 1, 1], [1, -1, 1], [1, 2, 4], [4, -2, 1], [0, 0, 1]])
#: (window, window) of inputs: B^T
INPUT_TRANSFORM = np.array([[2, 3, -4, -3, 2, 0], [0, 2, 5, 1, -2, 0], [0, 2, 1, -5, 2, 0], [0, -1, -2, 1, 2, 0], [0, -2, 1, 2, -1, 0],
                            [0, 2, 3, -4, -3, 2]])
#: (tile, window) of products: A^T
OUTPUT_TRANSFORM = np.array([[15, 5, 5, 1, 8, 0], [0, 5, -5, 2, -4, 0], [0, 5, 5, 4, 2, 0], [0, 5, -5, 8, -1, 15]])
#: 1 / 225 modulo 2**32
INVERSE = pow(225, -1, 1 << 32)
#: how far 4 * y is shifted
SHIFT = 2
#: the largest magnitude of a result that survives it
MOST_SUM = (1 << 29) - 1
