"""Float32 convolutions with few outputs a group, where vectors of outputs would stay empty.

Arguments and table as in `cnml.kernels.conv_f32`; weights are packed [group and block of nq outputs][tap][vector of channels][nq][lanes].
"""
from __future__ import annotations

from functools import partial

import numpy as np

from cnml.jit import kernel_cfunc
from cnml.kernels import conv_table as ct
from cnml.kernels.argblock import real, word
from cnml.kernels.conv_addressing import align_64, chunk_range, link, phase_chunks, prepare_chunk, prepare_scratch, tile_entries
from cnml.kernels.conv_tiles import NARROW_TILES, narrow_name, stored_items
from cnml.ukernels.narrow_f32 import LANES, narrow_tile
from cnrt import kernel_table


def _narrow(mr, nq, lanes, item):
    """The kernel of one tile; closes over integers only, see `cnml.kernels.conv_f32`."""
    def narrow_nhwc_f32(args, task_id, task_dim):
        """y = activation(conv(x, weights) + bias + add); tasks take bands of chunks of pixels."""
        x, table, scratch = word(args, 0), word(args, 5), word(args, 6) + task_id * word(args, 7)
        low, high = np.float32(real(args, 9)), np.float32(real(args, 10))
        depth, cout = word(table, ct.DEPTH), word(table, ct.COUT_GROUP)
        group_blocks = (cout + nq - 1) // nq
        panel = (depth + lanes - 1) // lanes * lanes * nq * item
        prepare_scratch(table, scratch, mr)
        pixels = align_64(scratch + align_64(4 * word(table, ct.ZEROS)) + 8 * mr)
        offsets = pixels + align_64(8 * (word(table, ct.CHUNK) + mr))
        items, done = np.int64(0), np.int64(0)
        for p in range(word(table, ct.PHASES)):
            items += phase_chunks(table, table + 8 * (ct.HEADER + p * ct.PHASE))
        begin, end = items * task_id // task_dim, items * (task_id + 1) // task_dim
        for p in range(word(table, ct.PHASES)):
            phase = table + 8 * (ct.HEADER + p * ct.PHASE)
            chunks, taps = phase_chunks(table, phase), word(phase, ct.TAPS)
            entries = tile_entries(phase, offsets)
            weights = word(args, 1) + word(phase, ct.WEIGHTS) // 4 * item
            for chunk in range(max(begin - done, 0), min(end - done, chunks)):
                prepare_chunk(table, phase, x, scratch, chunk, mr, pixels, offsets)
                for tile in range((chunk_range(table, phase, chunk)[1] + mr - 1) // mr):
                    inputs, step, where = word(entries, 2 * tile), word(entries, 2 * tile + 1), pixels + 8 * mr * tile
                    for block in range(word(table, ct.GROUPS) * group_blocks):
                        group, first = block // group_blocks, block % group_blocks * nq
                        channel = 4 * (group * cout + first)
                        add = word(args, 3) + channel if word(args, 3) != 0 else 0
                        narrow_tile(mr, nq, item, (inputs, step, offsets, taps, group * word(table, ct.GROUP_STEP), depth,
                                                   weights + block * taps * panel, where, min(nq, cout - first), word(args, 2) + 4 * nq * block, add,
                                                   word(table, ct.ADD_PIXEL), word(args, 4) + channel, word(table, ct.Y_PIXEL), word(args, 8)),
                                    low, high)
            done += chunks

    return narrow_nhwc_f32


def _provide(function):  # type: ignore[no-untyped-def]
    link()
    return kernel_cfunc(function)


for _mr, _nq, _ in NARROW_TILES[LANES]:
    for _item in stored_items():
        kernel_table.register(narrow_name(_mr, _nq, _item), partial(_provide, _narrow(_mr, _nq, LANES, _item)))
