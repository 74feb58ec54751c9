"""The table that tells a convolution kernel its geometry: int64 words made by `cnml.kernels.conv_plan_f32`, read by `cnml.kernels.conv_addressing`.

A layer is a list of *phases* (one for a convolution; one per residue of the output position modulo the stride for a deconvolution). A phase is a grid
of output pixels and a list of taps: pixel (gy, gx) of the grid reads input pixel (gy * step_y + tap_y, gx * step_x + tap_x) for every tap, a pixel of
zeros where that lies outside. A *chunk* is a run of pixels of one phase; its pointers are made once and serve all output channels.

Strides, steps of channels and WEIGHTS are in bytes, everything else in elements of four bytes: float32 values, or four channels of codes. PAD is the
bits of an element outside of the image.
"""
from __future__ import annotations

# words of the table
(BATCH, HEIGHT, WIDTH, X_PIXEL, DEPTH, GROUP_STEP, GROUPS, COUT_GROUP, Y_PIXEL, ADD_PIXEL, OUT_HEIGHT, OUT_WIDTH, CHUNK, PANEL_OUTER, TAPS_BLOCK,
 DEPTH_BLOCK, ZEROS, STAGED, CHANNELS, PHASES, PAD, HEADER) = range(22)
# words of a phase, after the header
(GRID_HEIGHT, GRID_WIDTH, STEP_Y, STEP_X, OUT_Y, OUT_X, OUT_STEP_Y, OUT_STEP_X, WEIGHTS, TAPS, FIRST_TAP, MIN_Y, MAX_Y, MIN_X, MAX_X,
 PHASE) = range(16)
# STAGED: the rows a chunk needs are first copied, padded and channels last, to scratch
DIRECT, STAGE_NHWC, STAGE_PLAIN = range(3)
