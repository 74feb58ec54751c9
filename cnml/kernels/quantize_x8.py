"""Between float32 and codes (`cnml.codes`), channels last: tasks take bands of pixels, or of elements where pixels lie without gaps."""
from __future__ import annotations

import numpy as np

from cnml.jit import jit
from cnml.kernels import kernel
from cnml.kernels.argblock import real, word
from cnml.ukernels.map_x8 import DEQUANTIZE, PLANES, QUANTIZE, REQUANTIZE, map_rows, quantize_planes

#: elements that tasks share out where rows lie without gaps
RUN = 64
ZERO = np.float32(0)


@jit
def share(pixels, channels, dense, task_id, task_dim):
    """A task's rows, elements of a row, and first row; dense pixels are one row, and the last number counts elements."""
    if not dense:
        first = pixels * task_id // task_dim
        return pixels * (task_id + 1) // task_dim - first, channels, first
    total = pixels * channels
    runs = (total + RUN - 1) // RUN
    first = runs * task_id // task_dim * RUN
    return 1, max(min(runs * (task_id + 1) // task_dim * RUN, total) - first, 0), first


@kernel("quantize_x8", exact=True)
def quantize_x8(args, task_id, task_dim):
    """y = codes of x * factor; arguments x (float32), y, pixels, channels, bytes from one pixel of x and of y to the next, factor, least and most
    result in units, code of 0."""
    pixels, channels, x_step, y_step = word(args, 2), word(args, 3), word(args, 4), word(args, 5)
    dense = x_step == 4 * channels and y_step == channels
    rows, n, first = share(pixels, channels, dense, task_id, task_dim)
    x, y = word(args, 0) + first * (4 if dense else x_step), word(args, 1) + first * (1 if dense else y_step)
    map_rows(QUANTIZE, (x, 0, y, rows, n, x_step, 0, y_step, 0, 0, word(args, 9), 0),
             (np.float32(real(args, 6)), ZERO, ZERO, ZERO, np.float32(real(args, 7)), np.float32(real(args, 8))))


@kernel("dequantize_x8", exact=True)
def dequantize_x8(args, task_id, task_dim):
    """y = (x - zero) * factor in float32; arguments x (codes), y, pixels, channels, bytes from one pixel of x and of y to the next, factor, zero."""
    pixels, channels, x_step, y_step = word(args, 2), word(args, 3), word(args, 4), word(args, 5)
    dense = x_step == channels and y_step == 4 * channels
    rows, n, first = share(pixels, channels, dense, task_id, task_dim)
    x, y = word(args, 0) + first * (1 if dense else x_step), word(args, 1) + first * (4 if dense else y_step)
    map_rows(DEQUANTIZE, (x, 0, y, rows, n, x_step, 0, y_step, word(args, 7), 0, 0, 0), (np.float32(real(args, 6)), ZERO, ZERO, ZERO, ZERO, ZERO))


@kernel("requantize_x8", exact=True)
def requantize_x8(args, task_id, task_dim):
    """y = codes of (x - x_zero) * factor; arguments x (codes), y, pixels, channels, bytes from one pixel of x and of y to the next, factor, x_zero,
    least and most result in units, code of 0 in y. y may be x."""
    pixels, channels, x_step, y_step = word(args, 2), word(args, 3), word(args, 4), word(args, 5)
    dense = x_step == channels and y_step == channels
    rows, n, first = share(pixels, channels, dense, task_id, task_dim)
    x, y = word(args, 0) + first * (1 if dense else x_step), word(args, 1) + first * (1 if dense else y_step)
    map_rows(REQUANTIZE, (x, 0, y, rows, n, x_step, 0, y_step, word(args, 7), 0, word(args, 10), 0),
             (np.float32(real(args, 6)), ZERO, ZERO, ZERO, np.float32(real(args, 8)), np.float32(real(args, 9))))


@kernel("quantize_planes_x8", exact=True)
def quantize_planes_x8(args, task_id, task_dim):
    """Codes of x * factor, four bytes a pixel, of images whose channels (4 at most) are planes; missing channels are zeros. Arguments x (float32), y,
    images, channels, elements of a plane, factor, least and most result in units, code of 0. Tasks take a part of every image."""
    channels, plane = word(args, 3), word(args, 4)
    _, n, first = share(plane, 1, True, task_id, task_dim)
    floats = (np.float32(real(args, 5)), ZERO, ZERO, ZERO, np.float32(real(args, 6)), np.float32(real(args, 7)))
    for image in range(word(args, 2)):
        x, y = word(args, 0) + 4 * (image * channels * plane + first), word(args, 1) + 4 * (image * plane + first)
        words = (x, 0, y, 1, n, 4 * plane, 0, 0, 0, 0, word(args, 8), 0)
        if channels == 1:
            quantize_planes(1, words, floats)
        elif channels == 2:
            quantize_planes(2, words, floats)
        elif channels == 3:
            quantize_planes(3, words, floats)
        else:
            quantize_planes(PLANES, words, floats)
