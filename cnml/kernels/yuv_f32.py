"""Video pixels (YUV 4:2:0, chroma interleaved) as four planes of colour."""
from __future__ import annotations

import math

from cnml.jit import jit
from cnml.kernels import kernel
from cnml.kernels.argblock import f32_at, word


@jit(exact=True)
def _byte(thousandths):
    """Nearest whole number, halves up, held in 0..255."""
    return min(max(math.floor((thousandths + 500.0) / 1000.0), 0.0), 255.0)


@kernel("yuv_to_rgb_f32", exact=True)
def yuv_to_rgb_f32(args, task_id, task_dim):
    """Arguments x (N, 1, 3 H / 2, W), y (N, 4, H, W), N, H, W, places of V and U in a pair (0 or 1), planes of R, G and B, plane of a constant, and
    it; tasks take pairs of rows. Thousandths of whole numbers are exact, so no order of operations matters."""
    n, height, width, v_at, u_at = word(args, 2), word(args, 3), word(args, 4), word(args, 5), word(args, 6)
    red, green, blue, other, constant = word(args, 7), word(args, 8), word(args, 9), word(args, 10), word(args, 11)
    area, pairs = height * width, height // 2
    x, y = f32_at(word(args, 0), n * (area + area // 2)), f32_at(word(args, 1), n * 4 * area)
    for line in range(n * pairs * task_id // task_dim, n * pairs * (task_id + 1) // task_dim):
        image, pair = line // pairs, line % pairs
        luma, chroma, out = image * (area + area // 2), image * (area + area // 2) + area + pair * width, image * 4 * area
        for row in range(2 * pair, 2 * pair + 2):
            for column in range(width):
                at = chroma + column // 2 * 2
                light = 1164.0 * (x[luma + row * width + column] - 16.0)
                v, u = x[at + v_at] - 128.0, x[at + u_at] - 128.0
                place = out + row * width + column
                y[place + red * area] = _byte(light + 1596.0 * v)
                y[place + green * area] = _byte(light - 813.0 * v - 391.0 * u)
                y[place + blue * area] = _byte(light + 2018.0 * u)
                y[place + other * area] = constant
