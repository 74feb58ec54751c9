"""Runs of bytes."""
from __future__ import annotations

from cnml.jit import jit
from cnml.kernels.argblock import u8_at


@jit
def copy_bytes(address, source, n):
    """n bytes; the two runs do not overlap."""
    dst, src = u8_at(address, n), u8_at(source, n)
    for i in range(n):
        dst[i] = src[i]
