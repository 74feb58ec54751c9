"""INT8 convolutions on channels-last codes: one driver for every geometry, one kernel per register tile and kind of result.

Arguments: x, weights, ends, add or 0, y, table, scratch base, scratch step, activation mode, low, high (see `cnml.ukernels.epilogue_f32`), columns in
`ends`, kind of `add` (see `cnml.ukernels.conv_qs8`), its factor and its code of 0, then smallest and largest result and the code of 0 in y. The table
comes from `cnml.kernels.conv_plan_qs8`, weights and ends (int32 starts, float32 factors, float32 biases) from `cnml.kernels.conv_pack_qs8`.
"""
from __future__ import annotations

from functools import partial

import numpy as np

from cnml.jit import kernel_cfunc
from cnml.kernels import conv_table as ct
from cnml.kernels.argblock import real, word
from cnml.kernels.bounded_f32 import MOST_BIAS, MOST_FACTOR, are_bounded
from cnml.kernels.bytes_x8 import copy_bytes
from cnml.kernels.conv_addressing import align_64, find_unit, link, phase_units, prepare_chunk, prepare_scratch, tile_entries
from cnml.kernels.conv_tiles import TILES
from cnml.ukernels.conv_qs8 import FLOATS, LANES, LINE, LINES_AHEAD, MASKED, NOTHING, UNROLL, conv_tile_qs8
from cnrt import kernel_table

#: bytes of a result → how it is called in names of kernels
RESULT: dict[int, str] = {1: "x8", 4: "f32"}
#: magnitude of the factor of added codes below which they are below 2**27
MOST_ADD = np.float32(2 ** 19)


def kernel_name(mr: int, nr: int, item: int) -> str:
    """Name of the kernel with a tile of `mr` pixels by `nr` channels and results of `item` bytes."""
    return f"conv2d_nhwc_qs8_{RESULT[item]}_{mr}x{nr}"


def _conv2d(mr, nv, lanes, item):
    """The kernel of one tile; closes over integers only, see `cnml.kernels.conv_f32`."""
    nr = nv * lanes
    least = 0 if MASKED else nr  # channels of a tile that stores by itself

    def conv2d_nhwc_qs8(args, task_id, task_dim):
        """y = activation(factor * (start + conv(x, weights)) + bias + add_factor * add); tasks take bands of (tile of pixels, block of channels)."""
        x, ends, table, scratch = word(args, 0), word(args, 2), word(args, 5), word(args, 6) + task_id * word(args, 7)
        floats = (np.float32(real(args, 9)), np.float32(real(args, 10)), np.float32(real(args, 13)), np.float32(real(args, 15)),
                  np.float32(real(args, 16)))
        ended, mode, add_zero, zero = 4 * word(args, 11), word(args, 8), word(args, 14), word(args, 17)  # before the loop: y might hold them
        add_kind = word(args, 12) if word(args, 3) != 0 else NOTHING
        add_item = 4 if add_kind == FLOATS else 1
        bounded = add_kind != FLOATS and abs(floats[2]) < MOST_ADD and are_bounded(ends + ended, word(args, 11), MOST_FACTOR, MOST_BIAS)
        depth, cout = word(table, ct.DEPTH), word(table, ct.COUT_GROUP)
        y_pixel, add_pixel = word(table, ct.Y_PIXEL), word(table, ct.ADD_PIXEL)
        group_blocks = (cout + nr - 1) // nr
        blocks = group_blocks * word(table, ct.GROUPS)
        prepare_scratch(table, scratch, mr)
        identity = scratch + align_64(4 * word(table, ct.ZEROS))
        tmp = align_64(identity + 8 * mr)
        extra = tmp + align_64(item * mr * nr)
        found = extra + align_64(4 * mr * nr)
        pixels = found + 64
        offsets = pixels + align_64(8 * (word(table, ct.CHUNK) + mr))
        phase = table + 8 * ct.HEADER
        taps, entries = word(phase, ct.TAPS), tile_entries(phase, offsets)
        units = phase_units(table, phase, mr, blocks)
        current, unit, end = np.int64(-1), units * task_id // task_dim, units * (task_id + 1) // task_dim
        while unit < end:
            find_unit(table, phase, mr, blocks, unit, found)
            chunk, block, tile_begin = word(found, 0), word(found, 1), word(found, 2)
            tile_end = min(word(found, 3), tile_begin + end - unit)
            if chunk != current:
                current = chunk
                prepare_chunk(table, phase, x, scratch, chunk, mr, pixels, offsets)
            channel = block // group_blocks * cout + block % group_blocks * nr
            columns = min(nr, cout - block % group_blocks * nr)
            panel, following = word(args, 1) + block * taps * depth * nr * 4, taps * depth * nr * 4
            y, add = word(args, 4) + item * channel, word(args, 3) + add_item * channel
            start = ends + 4 * block * nr
            offset = block // group_blocks * word(table, ct.GROUP_STEP)
            for tile in range(tile_begin, tile_end):
                where, step = pixels + 8 * mr * tile, word(entries, 2 * tile + 1)
                out, out_step, more, more_step, index = y, y_pixel, add, add_pixel, where
                if columns < least:  # the last channels go through a full tile in scratch
                    out, out_step, index = tmp, nr * item, identity
                    if add_kind != NOTHING:
                        more, more_step = extra, nr * add_item
                        for i in range(mr):
                            copy_bytes(extra + i * nr * add_item, add + word(where, i) * add_pixel, columns * add_item)
                done_ahead = (tile - tile_begin) * LINE * LINES_AHEAD
                ahead = following + done_ahead if done_ahead < UNROLL * nr * 4 else 0
                conv_tile_qs8(mr, nv, item, (word(entries, 2 * tile), step, offsets, taps, offset, depth, panel, index, start, start + ended,
                                             start + 2 * ended, more, more_step, add_kind, add_zero, out, out_step, columns, mode, zero,
                                             bounded, ahead), floats)
                if columns < least:
                    for i in range(mr):
                        copy_bytes(y + word(where, i) * y_pixel, tmp + i * nr * item, columns * item)
            unit += tile_end - tile_begin

    return conv2d_nhwc_qs8


def _provide(function):  # type: ignore[no-untyped-def]
    link()
    return kernel_cfunc(function, exact=True)


for _mr, _nv, _ in TILES[LANES]:
    for _item in RESULT:
        kernel_table.register(kernel_name(_mr, _nv * LANES, _item), partial(_provide, _conv2d(_mr, _nv, LANES, _item)))
