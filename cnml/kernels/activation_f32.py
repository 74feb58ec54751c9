"""The activation at the end of an element-wise kernel; its words are `cnml.epilogue.Activation.words()`."""
from __future__ import annotations

import numpy as np

from cnml.jit import jit
from cnml.kernels.argblock import real, word

ZERO, ONE, INFINITY = np.float32(0), np.float32(1), np.float32(np.inf)
RELU, LEAKY, CLIP = 1, 2, 3


@jit(forceinline=True)
def activation(args, i):
    """Slope, low, high and whether it clips, from the three words at i."""
    mode, a, b = word(args, i), np.float32(real(args, i + 1)), np.float32(real(args, i + 2))
    slope = ZERO if mode == RELU else (a if mode == LEAKY else ONE)
    clips = mode == CLIP
    return slope, (a if clips else -INFINITY), (b if clips else INFINITY), clips


@jit(inline="always")
def activated(v, slope, low, high, clips):
    """max(v, 0) + slope * min(v, 0) within low .. high; NaN stays, but becomes low when clipped."""
    r = (ZERO if v < ZERO else v) + slope * (ZERO if v > ZERO else v)
    r = high if high < r else r
    return low if clips and not (r > low) else r
