"""Codes of normalized pixels (`cnml.codes`): tasks take a part of every image."""
from __future__ import annotations

import numpy as np

from cnml.kernels import kernel
from cnml.kernels.argblock import f32_at, real, word
from cnml.ukernels.pixels_x8 import PLANES, normalize_planes

#: pixels that tasks share out
RUN = 64


@kernel("pixel_codes_x8", exact=True)
def pixel_codes_x8(args, task_id, task_dim):
    """Codes of (x * slope + bias) * factor, four bytes a pixel, of images whose channels (4 at most) are planes; missing channels are zeros.
    Arguments x (float32), y, table of four slopes and four biases, images, channels, elements of a plane, factor, least and most result in units,
    code of 0."""
    channels, plane, t = word(args, 4), word(args, 5), f32_at(word(args, 2), 8)
    runs = (plane + RUN - 1) // RUN
    first = runs * task_id // task_dim * RUN
    n = max(min(runs * (task_id + 1) // task_dim * RUN, plane) - first, 0)
    floats = (t[0], t[1], t[2], t[3], t[4], t[5], t[6], t[7], np.float32(real(args, 6)), np.float32(real(args, 7)), np.float32(real(args, 8)))
    for image in range(word(args, 3)):
        x, y = word(args, 0) + 4 * (image * channels * plane + first), word(args, 1) + 4 * (image * plane + first)
        words = (x, y, n, 4 * plane, word(args, 9))
        if channels == 1:
            normalize_planes(1, words, floats)
        elif channels == 2:
            normalize_planes(2, words, floats)
        elif channels == 3:
            normalize_planes(3, words, floats)
        else:
            normalize_planes(PLANES, words, floats)
