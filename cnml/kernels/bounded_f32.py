"""Whether numbers are small enough for what follows."""
from __future__ import annotations

import numpy as np

from cnml.jit import jit
from cnml.kernels.argblock import f32_at

#: magnitudes of factors of 32-bit sums, and of biases, below which each of both terms is below 2**27
MOST_FACTOR, MOST_BIAS = np.float32(2 ** -4), np.float32(2 ** 27)


@jit(exact=True)
def are_bounded(address, n, factor, bias):
    """Whether |x| < factor for the first n floats at an address and |x| < bias for the next n; a NaN is not."""
    x, large = f32_at(address, 2 * n), np.int64(0)
    for i in range(n):
        large += not abs(x[i]) < factor
        large += not abs(x[n + i]) < bias
    return large == 0
