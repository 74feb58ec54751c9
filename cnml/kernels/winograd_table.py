"""The table that tells a Winograd kernel its geometry: int64 words made by `cnml.kernels.winograd_plan_f32`, read by `cnml.kernels.winograd_f32`.

The output of all images is cut into tiles of pixels, each made from a window of input, the outputs of every group into *blocks* of up to WIDE
vectors. Pixels, pitches, offsets and steps are in bytes, everything else in elements: float32 values, or two channels of 16-bit integers. NEAR: the
weights stay in a cache. ZERO: the code of 0 in an input of codes.
"""
from __future__ import annotations

# words of the table
(BATCH, HEIGHT, WIDTH, CHANNELS, X_PIXEL, OUT_HEIGHT, OUT_WIDTH, Y_PIXEL, ADD_PIXEL, PAD_Y, PAD_X, TILES_Y, TILES_X, RUN, DEPTH, V_ROW, V_PRODUCT,
 V_BYTES, BLOCKS, VECTORS, TILES, NEAR,
 TILE_HEIGHT, TILE_WIDTH, WINDOW_HEIGHT, WINDOW_WIDTH, ZERO, HEADER) = range(28)
# words of a block, after the header: first output, its valid columns, vectors, vectors before it, offset of its inputs, of its weights, of its bias
OUTPUT, COLUMNS, NV, BEFORE, INPUT, WEIGHTS, BIAS, BLOCK = range(8)

# what a call does: everything; only the input transform, into the scratch of task 0; the rest, from there
FUSED, TRANSFORM, PRODUCT = range(3)
