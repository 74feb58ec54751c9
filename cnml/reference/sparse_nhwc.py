"""Sparse convolution weights as their kernels walk them, in NumPy."""
from __future__ import annotations

import numpy as np


def sparse_nhwc(words: np.ndarray, outputs: int, depth: int, positions: np.ndarray, part: int, depth_block: int,
                channel_bytes: int) -> np.ndarray:
    """Dense weights from packed ones.

    Parameters
    ----------
    words : int32
        For every part of the outputs the word at which it begins; there, for each block of channels, the number of runs, for each run how many
        weights a row has and how many rows there are, and the rows: the output's rank in the part, then bytes and bits of each weight.
    outputs, depth : int
        Of one group.
    positions : (KH, KW) int
        Bytes of a kernel position in a channel's share of the panel.
    part, depth_block : int
        Outputs of a part, channels of a block.
    channel_bytes : int
        From one channel of the panel to the next.

    Returns
    -------
    (outputs, depth, KH, KW) float32

    Raises
    ------
    ValueError
        Bytes that are no kernel position, or a weight twice.
    """
    weights = np.zeros((outputs, depth, *positions.shape), np.float32)
    where = {int(b): at for at, b in np.ndenumerate(positions)}
    for rank, first in enumerate(range(0, outputs, part)):
        at = int(words[rank])
        for block in range(0, depth, depth_block):
            runs, at = int(words[at]), at + 1
            for _ in range(runs):
                count, rows = (int(n) for n in words[at:at + 2])
                at += 2
                for _ in range(rows):
                    output, pairs = first + int(words[at]), words[at + 1:at + 1 + 2 * count].reshape(count, 2)
                    at += 1 + 2 * count
                    for nbytes, bits in pairs:
                        channel, inside = block + int(nbytes) // channel_bytes, int(nbytes) % channel_bytes
                        if inside not in where or weights[(output, channel, *where[inside])] != 0:
                            raise ValueError(f"output {output}, channel {channel}: {inside} bytes are no kernel position, or one that came before")
                        weights[(output, channel, *where[inside])] = bits.view(np.float32)
    return weights
