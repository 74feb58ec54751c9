"""The table of an N-dimensional convolution, for `cnml.kernels.conv_nd_f32`.

A convolution reads the *big* side and writes the *small* one, its transpose the other way round: small position i and kernel position t meet at big
position i * stride - pad + t * dilation.
"""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.parameter import aligned_empty

AXES, BATCH, CHANNELS, OUTPUTS, GROUP, HEADER = range(6)
#: rows of `axes` words each, after the header
BIG, SMALL, KERNEL, STRIDE, PAD, DILATION = range(6)


def conv_nd_table(batch: int, channels: int, outputs: int, group: int, big: Sequence[int], small: Sequence[int], kernel: Sequence[int],
                  stride: Sequence[int], pad: Sequence[int], dilation: Sequence[int]) -> np.ndarray:
    """Make the table.

    Parameters
    ----------
    batch, channels, outputs, group : int
        `channels` are the input's, `outputs` the output's.
    big, small : sequence of int
        Spatial extents: input and output of a convolution, output and input of its transpose. May be empty.
    kernel, stride, pad, dilation : sequence of int

    Returns
    -------
    (6 + 6 * max(axes, 1),) int64 ndarray
    """
    rows = [big, small, kernel, stride, pad, dilation]
    if not kernel:  # a single position
        rows = [(1,), (1,), (1,), (1,), (0,), (1,)]
    words = [len(rows[0]), batch, channels, outputs, group, *(int(v) for row in rows for v in row)]
    table = aligned_empty((len(words),), np.int64)
    table[:] = words
    return table
