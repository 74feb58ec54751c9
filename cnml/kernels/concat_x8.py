"""Joining bytes along the channels."""
from __future__ import annotations

from cnml.kernels import kernel
from cnml.kernels.argblock import word
from cnml.kernels.bytes_x8 import copy_bytes

_FIRST, _EACH = 4, 3


@kernel("concat_x8")
def concat_x8(args, task_id, task_dim):
    """y = n inputs side by side in each of `pixels` pixels; from argument 4 on, for each input: x (0 leaves its columns alone), channels, bytes a
    pixel. Tasks take bands of pixels.
    """
    y, pixels, y_pixel, n = word(args, 0), word(args, 1), word(args, 2), word(args, 3)
    for i in range(pixels * task_id // task_dim, pixels * (task_id + 1) // task_dim):
        to = y + i * y_pixel
        for k in range(n):
            x, channels, x_pixel = word(args, _FIRST + _EACH * k), word(args, _FIRST + _EACH * k + 1), word(args, _FIRST + _EACH * k + 2)
            if x != 0:
                copy_bytes(to, x + i * x_pixel, channels)
            to += channels
