"""Which kernel makes which softmax, and what it works in."""
from __future__ import annotations

from cnml.cpu import isa

#: vectors of columns that go side by side, `cnml.ukernels.softmax_f32.VECTORS`
VECTORS = 4


def softmax_kernel(n: int, inner: int) -> str:
    """Name of the kernel for the middle of (outer, n, inner)."""
    return f"softmax_f32_packed_{n}" if inner == 1 and 2 <= n <= isa().lanes // 2 else "softmax_f32"


def softmax_scratch(n: int, inner: int) -> int:
    """Bytes that a task works in."""
    return 64 if inner == 1 else 4 * n * VECTORS * isa().lanes
