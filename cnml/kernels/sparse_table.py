"""The table that tells a sparse convolution kernel its geometry: int64 words made by `cnml.kernels.sparse_plan_f32`.

A tile is NV vectors of output pixels. Where WIDE is 0 (kernels of 1 x 1), lane l of vector i is pixel i * lanes + l of a run of pixels of the whole
batch; otherwise a vector is cut into runs of WIDE neighbouring pixels of a line, run s of vector i in line s * NV + i of the tile. So the inputs of
two vectors for one kernel position are STEP bytes apart in a channel's part of the panel, which is CHANNEL_BYTES: LINES input lines by the columns
of the kernel by a vector.

Strides are in bytes, everything else in elements.
"""
from __future__ import annotations

(HEIGHT, WIDTH, X_PIXEL, CHANNELS, DEPTH, GROUPS, OUTPUTS, OUT_HEIGHT, OUT_WIDTH, OUT_PIXELS, Y_PIXEL, ADD_PIXEL, KERNEL_X, STRIDE_Y, STRIDE_X, PAD_Y,
 PAD_X, DILATION_X, WIDE, LINES, STEP, CHANNEL_BYTES, TILES, TILES_Y, TILES_X, PART, DEPTH_BLOCK, WORDS) = range(28)
