"""Float32 convolutions on channels-last images: one driver for every geometry, one kernel per register tile.

Arguments: x, weights, bias, add or 0, y, table, scratch base, scratch step, activation mode, low, high (see `cnml.ukernels.epilogue_f32`). The table
comes from `cnml.kernels.conv_plan_f32`, the packed weights from `cnml.kernels.conv_pack_f32`.
"""
from __future__ import annotations

from functools import partial

import numpy as np

from cnml.jit import kernel_cfunc
from cnml.kernels import conv_table as ct
from cnml.kernels.argblock import real, word
from cnml.kernels.conv_addressing import (
    align_64,
    find_unit,
    gather_columns,
    link,
    phase_units,
    prepare_chunk,
    prepare_scratch,
    scatter_columns,
    tile_entries,
)
from cnml.kernels.conv_tiles import TILES, kernel_name, stored_items
from cnml.ukernels.conv_f32 import LANES, LINE, LINES_AHEAD, UNROLL, conv_tile
from cnml.ukernels.epilogue_f32 import NONE
from cnrt import kernel_table


def _conv2d(mr, nv, lanes, item):
    """The kernel of one tile. It may close over integers only: a closure over compiled functions is never found in the cache."""
    nr = nv * lanes

    def conv2d_nhwc_f32(args, task_id, task_dim):
        """y = activation(conv(x, weights) + bias + add); tasks take bands of (tile of pixels, block of channels)."""
        x, bias, table, scratch = word(args, 0), word(args, 2), word(args, 5), word(args, 6) + task_id * word(args, 7)
        low, high = np.float32(real(args, 9)), np.float32(real(args, 10))
        depth, cout = word(table, ct.DEPTH), word(table, ct.COUT_GROUP)
        group_blocks = (cout + nr - 1) // nr
        blocks = group_blocks * word(table, ct.GROUPS)
        prepare_scratch(table, scratch, mr)
        identity = scratch + align_64(4 * word(table, ct.ZEROS))
        tmp = align_64(identity + 8 * mr)
        found, pixels = tmp + align_64(4 * mr * nr), tmp + align_64(4 * mr * nr) + 64
        offsets = pixels + align_64(8 * (word(table, ct.CHUNK) + mr))
        units, done = np.int64(0), np.int64(0)
        for p in range(word(table, ct.PHASES)):
            units += phase_units(table, table + 8 * (ct.HEADER + p * ct.PHASE), mr, blocks)
        begin, end = units * task_id // task_dim, units * (task_id + 1) // task_dim
        for p in range(word(table, ct.PHASES)):
            phase = table + 8 * (ct.HEADER + p * ct.PHASE)
            taps, entries = word(phase, ct.TAPS), tile_entries(phase, offsets)
            total = phase_units(table, phase, mr, blocks)
            current, unit, stop = np.int64(-1), max(begin - done, 0), min(end - done, total)
            while unit < stop:
                find_unit(table, phase, mr, blocks, unit, found)
                chunk, block, tile_begin = word(found, 0), word(found, 1), word(found, 2)
                tile_end = min(word(found, 3), tile_begin + stop - unit)
                if chunk != current:
                    current = chunk
                    prepare_chunk(table, phase, x, scratch, chunk, mr, pixels, offsets)
                channel = block // group_blocks * cout + block % group_blocks * nr
                columns = min(nr, cout - block % group_blocks * nr)
                panel = word(args, 1) + word(phase, ct.WEIGHTS) // 4 * item + block * taps * depth * nr * item
                y, y_pixel, add_pixel = word(args, 4) + 4 * channel, word(table, ct.Y_PIXEL), word(table, ct.ADD_PIXEL)
                add = word(args, 3) + 4 * channel if word(args, 3) != 0 else 0
                tap = np.int64(0)
                while tap == 0 or tap < taps:
                    some = min(word(table, ct.TAPS_BLOCK), taps - tap)
                    for c in range(0, depth, word(table, ct.DEPTH_BLOCK)):
                        steps = min(word(table, ct.DEPTH_BLOCK), depth - c)
                        first, last = tap == 0 and c == 0, tap + some >= taps and c + steps >= depth
                        source, source_step = (add, add_pixel) if first else (y, y_pixel)  # read by the tile, besides the bias
                        start, start_step = (bias + 4 * block * nr, 0) if first else (y, y_pixel)
                        extra, extra_step = (add, add_pixel) if first else (0, 0)
                        out, out_step = y, y_pixel
                        if columns < nr:  # the last channels go through a full tile in scratch
                            start, start_step = (start, 0) if first else (tmp, 4 * nr)
                            extra, extra_step = (tmp, 4 * nr) if extra != 0 else (0, 0)
                            out, out_step = tmp, 4 * nr
                        mode, offset = word(args, 8) if last else NONE, 4 * c + block // group_blocks * word(table, ct.GROUP_STEP)
                        weights, following = panel + (tap * depth + c) * nr * item, some * steps * nr * item
                        for tile in range(tile_begin, tile_end):
                            where, step = pixels + 8 * mr * tile, word(entries, 2 * tile + 1)
                            inputs = word(entries, 2 * tile) + tap * step  # at the border every tap has its pointers
                            index = where if columns == nr else identity
                            if columns < nr and source != 0:
                                gather_columns(tmp, nr, source, source_step, where, mr, columns)
                            done_ahead = (tile - tile_begin) * LINE * LINES_AHEAD
                            ahead = following + done_ahead if done_ahead < UNROLL * nr * item else 0
                            conv_tile(mr, nv, item, (inputs, step, offsets + 8 * tap, some, offset, steps, weights, index, start, start_step,
                                                     extra, extra_step, out, out_step, mode, ahead), low, high)
                            if columns < nr:
                                scatter_columns(tmp, nr, y, y_pixel, where, mr, columns)
                    tap += max(some, 1)
                unit += tile_end - tile_begin
            done += total

    return conv2d_nhwc_f32


def _provide(function):  # type: ignore[no-untyped-def]
    link()
    return kernel_cfunc(function)


for _mr, _nv, _ in TILES[LANES]:
    for _item in stored_items():
        kernel_table.register(kernel_name(_mr, _nv * LANES, _item), partial(_provide, _conv2d(_mr, _nv, LANES, _item)))
