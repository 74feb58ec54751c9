"""Which kernel pools which window."""
from __future__ import annotations

#: kernel height, kernel width and horizontal stride of the windows that have kernels of their own: those that overlap
LINES = ((3, 3, 2), (3, 3, 1))


def line_name(method: str, kernel_h: int, kernel_w: int, stride_w: int) -> str:
    """Name of the kernel ("max" or "ave") for one window size and horizontal stride."""
    return f"pool_{method}_f32_{kernel_h}x{kernel_w}s{stride_w}"


def pool_kernel(method: str, kernel: tuple[int, int], stride: tuple[int, int], channels: int) -> str:
    """Name of the kernel for a window.

    Parameters
    ----------
    method : str
        "max" or "ave".
    kernel, stride : (height, width)
    channels : int
        Side by side in memory.
    """
    lined = (*kernel, stride[1]) in LINES and channels >= 4
    return line_name(method, *kernel, stride[1]) if lined else f"pool_{method}_f32"
