"""Which kernel normalises which neighbourhood."""
from __future__ import annotations

#: sizes that have kernels of their own
ACROSS = (3, 5, 7, 9)
WITHIN = (3, 5)
#: pixels whose squares the kernel for other sizes keeps at a time
PIXELS = 8


def across_kernel(size: int, beta: float) -> str:
    """Name of the kernel across channels."""
    if size not in ACROSS:
        return "lrn_across_f32_nhwc"
    return f"lrn_across_f32_nhwc_{size}{'_three_quarters' if beta == 0.75 else ''}"


def within_kernel(size: int) -> str:
    """Name of the kernel within channels."""
    return f"lrn_within_f32_nhwc_{size}" if size in WITHIN else "lrn_within_f32_nhwc"
