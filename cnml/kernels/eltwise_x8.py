"""Element by element, of several tensors of codes."""
from __future__ import annotations

import numpy as np

from cnml.kernels import kernel
from cnml.kernels.argblock import real, word
from cnml.kernels.quantize_x8 import share
from cnml.ukernels.map_x8 import SUM, map_rows


@kernel("sum_x8", exact=True)
def sum_x8(args, task_id, task_dim):
    """y = codes of activation((a - a_zero) * a_factor + (b - b_zero) * b_factor); arguments a, b, y, pixels, channels, bytes from one pixel of each
    to the next, a_factor, a_zero, b_factor, b_zero, activation mode, low, high (see `cnml.ukernels.epilogue_f32`), least and most result in
    units, code of 0 in y. y may be a or b. Tasks take bands of pixels."""
    channels, a_step, b_step, y_step = word(args, 4), word(args, 5), word(args, 6), word(args, 7)
    dense = a_step == channels and b_step == channels and y_step == channels
    rows, n, first = share(word(args, 3), channels, dense, task_id, task_dim)
    a = word(args, 0) + first * (1 if dense else a_step)
    b = word(args, 1) + first * (1 if dense else b_step)
    y = word(args, 2) + first * (1 if dense else y_step)
    map_rows(SUM, (a, b, y, rows, n, a_step, b_step, y_step, word(args, 9), word(args, 11), word(args, 17), word(args, 12)),
             (np.float32(real(args, 8)), np.float32(real(args, 10)), np.float32(real(args, 13)), np.float32(real(args, 14)),
              np.float32(real(args, 15)), np.float32(real(args, 16))))
