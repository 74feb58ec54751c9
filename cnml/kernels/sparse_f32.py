"""Convolutions on channels-last float32 images that skip weights of zero.

Arguments as `cnml.kernels.conv_f32`: x, weights, bias, add or 0, y, table, scratch base, scratch step, activation mode, low, high. The table is that
of `cnml.kernels.sparse_table`, the weights are those of `cnml.kernels.sparse_pack_f32`.

For a tile of pixels a task transposes what the tile reads into a panel, which stays in the second-level cache; a part of the outputs then walks its
weights in blocks of channels whose share of the panel stays in the first-level cache, with the sums in scratch between two blocks.

What is multiplied by a weight of zero is not looked at: an infinity or NaN there does not reach the sums, as it does in dense kernels.
"""
from __future__ import annotations

import numpy as np

from cnml.jit import jit
from cnml.kernels import kernel
from cnml.kernels import sparse_table as st
from cnml.kernels.argblock import f32_at, i32_at, i64_at, real, word
from cnml.kernels.conv_addressing import align_64
from cnml.kernels.sparse_tiles import SPARSE_VECTORS, sparse_name
from cnml.ukernels.sparse_f32 import LANES, PAIR, VECTOR, panel_block, sparse_row, sums_out


@jit
def _place_run(table, x, zeros, tile, nv, pointers, pixels):
    """Input pointers and pixel indices of a tile of a 1 x 1 convolution."""
    height, width, total, n = word(table, st.OUT_HEIGHT), word(table, st.OUT_WIDTH), word(table, st.OUT_PIXELS), nv * LANES
    where, index, first, step = i64_at(pointers, n), i64_at(pixels, n), tile * n, word(table, st.STRIDE_X)
    i, line, column = 0, first // width, first % width
    while i < n and first + i < total:
        y, left = line % height * word(table, st.STRIDE_Y) - word(table, st.PAD_Y), column * step - word(table, st.PAD_X)
        source = x + (line // height * word(table, st.HEIGHT) + y) * word(table, st.WIDTH) * word(table, st.X_PIXEL)
        inside = y >= 0 and y < word(table, st.HEIGHT)
        some = min(n - i, width - column, total - first - i)
        for k in range(some):
            index[i + k] = first + i + k
            where[i + k] = source + left * word(table, st.X_PIXEL) if inside and left >= 0 and left < word(table, st.WIDTH) else zeros
            left += step
        i, line, column = i + some, line + 1, 0
    for k in range(i, n):
        where[k], index[k] = zeros, -1


@jit
def _place_lines(table, x, zeros, tile, nv, pointers, pixels):
    """Input pointers [line of the panel][column of the kernel][lane] and pixel indices of a tile of lines."""
    wide, lines, columns = word(table, st.WIDE), word(table, st.LINES), word(table, st.KERNEL_X)
    height, width, pixel = word(table, st.HEIGHT), word(table, st.WIDTH), word(table, st.X_PIXEL)
    out_height, out_width, stride = word(table, st.OUT_HEIGHT), word(table, st.OUT_WIDTH), word(table, st.STRIDE_X)
    across, down = word(table, st.TILES_X), word(table, st.TILES_Y)
    image, first_y, first_x = tile // (across * down), tile // across % down * (nv * (LANES // wide)), tile % across * wide
    where, index = i64_at(pointers, lines * columns * LANES), i64_at(pixels, nv * LANES)
    for run in range(LANES // wide):
        top = first_y + run * nv
        for i in range(nv):
            for k in range(wide):
                there = top + i < out_height and first_x + k < out_width
                index[i * LANES + run * wide + k] = (image * out_height + top + i) * out_width + first_x + k if there else -1
        for j in range(lines):
            y = top * word(table, st.STRIDE_Y) - word(table, st.PAD_Y) + j
            line = x + (image * height + y) * width * pixel
            inside = y >= 0 and y < height
            for c in range(columns):
                left, at = first_x * stride - word(table, st.PAD_X) + c * word(table, st.DILATION_X), (j * columns + c) * LANES + run * wide
                for k in range(wide):
                    column = left + k * stride
                    where[at + k] = line + column * pixel if inside and column >= 0 and column < width else zeros


@jit
def _fill_panel(table, group, pointers, panel):
    """The inputs of a group: [channel][vector]."""
    depth, channel_bytes = word(table, st.DEPTH), word(table, st.CHANNEL_BYTES)
    for c in range(0, depth, LANES):
        for i in range(channel_bytes // VECTOR):
            panel_block(pointers + 8 * LANES * i, 4 * (group * depth + c), panel + c * channel_bytes + i * VECTOR, channel_bytes, depth - c)


@jit
def _store_part(args, table, group, first, n, nv, pixels, sums, low, high):
    """Outputs first … first + n of a group, from their sums."""
    outputs = word(table, st.OUTPUTS)
    padded = (outputs + LANES - 1) // LANES * LANES
    y_pixel, add_pixel = word(table, st.Y_PIXEL), word(table, st.ADD_PIXEL)
    for i in range(nv):
        index, missing = i64_at(pixels + 8 * LANES * i, LANES), 0
        for k in range(LANES):
            missing += index[k] < 0
        if missing < LANES:
            for c in range(0, n, LANES):
                channel = 4 * (group * outputs + first + c)
                add = word(args, 3) + channel if word(args, 3) != 0 else 0
                sums_out((sums + (c * nv + i) * VECTOR, nv * VECTOR, word(args, 2) + 4 * (group * padded + first + c), pixels + 8 * LANES * i,
                          1 if missing == 0 else 0, add, add_pixel, word(args, 4) + channel, y_pixel, outputs - first - c, word(args, 8)), low, high)


def _sparse(nv):
    """The kernel of one tile; closes over an integer only, see `cnml.kernels.conv_f32`."""
    def sparse_nhwc_f32(args, task_id, task_dim):
        """y = activation(conv(x, weights) + bias + add); tasks take bands of (tile of pixels, part of the outputs)."""
        x, stream, table, scratch = word(args, 0), word(args, 1), word(args, 5), word(args, 6) + task_id * word(args, 7)
        low, high = np.float32(real(args, 9)), np.float32(real(args, 10))
        channels, depth, outputs, size = word(table, st.CHANNELS), word(table, st.DEPTH), word(table, st.OUTPUTS), word(table, st.PART)
        channel_bytes, block, step = word(table, st.CHANNEL_BYTES), word(table, st.DEPTH_BLOCK), word(table, st.STEP)
        group_parts = (outputs + size - 1) // size
        parts = group_parts * word(table, st.GROUPS)
        zeros = f32_at(scratch, channels)
        for c in range(channels):
            zeros[c] = 0
        pointers = align_64(scratch + 4 * channels)
        pixels = align_64(pointers + 8 * LANES * (channel_bytes // VECTOR))
        panel = align_64(pixels + 8 * LANES * nv)
        sums = panel + depth * channel_bytes
        units = word(table, st.TILES) * parts
        placed, filled = np.int64(-1), np.int64(-1)
        for unit in range(units * task_id // task_dim, units * (task_id + 1) // task_dim):
            tile, group, part = unit // parts, unit % parts // group_parts, unit % group_parts
            if tile != placed:
                if word(table, st.WIDE) > 0:
                    _place_lines(table, x, scratch, tile, nv, pointers, pixels)
                else:
                    _place_run(table, x, scratch, tile, nv, pointers, pixels)
                placed, filled = tile, np.int64(-1)
            if group != filled:
                _fill_panel(table, group, pointers, panel)
                filled = group
            p = stream + 4 * np.int64(i32_at(stream + 4 * (group * group_parts + part), 1)[0])
            for c in range(0, depth, block):
                runs, p = np.int64(i32_at(p, 1)[0]), p + 4
                for _ in range(runs):
                    head = i32_at(p, 2)
                    count, rows = np.int64(head[0]), np.int64(head[1])
                    p += 8
                    for _ in range(rows):
                        sparse_row(nv, (p, count, panel + c * channel_bytes, step, sums, 1 if c == 0 else 0))
                        p += 4 + PAIR * count
            _store_part(args, table, group, part * size, min(size, outputs - part * size), nv, pixels, sums, low, high)

    return sparse_nhwc_f32


for _nv in SPARSE_VECTORS:
    kernel(sparse_name(_nv))(_sparse(_nv))
