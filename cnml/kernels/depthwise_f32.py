"""Float32 convolutions in which every input channel has its own outputs: group equals the number of input channels.

Arguments and table as in `cnml.kernels.conv_f32`; the table's COUT_GROUP is the number of outputs of a channel. Weights are packed for the first
outputs of all channels, then for the second ones: [rank][block of channels][tap][nr].
"""
from __future__ import annotations

from functools import partial

import numpy as np

from cnml.jit import kernel_cfunc
from cnml.kernels import conv_table as ct
from cnml.kernels.argblock import real, word
from cnml.kernels.conv_addressing import align_64, chunk_range, link, phase_chunks, prepare_chunk, prepare_scratch, spread_columns, tile_entries
from cnml.kernels.conv_tiles import DEPTHWISE_TILES, depthwise_name, stored_items
from cnml.ukernels.depthwise_f32 import LANES, depthwise_tile
from cnrt import kernel_table


def _depthwise2d(mr, nv, lanes, item):
    """The kernel of one tile; closes over integers only, see `cnml.kernels.conv_f32`."""
    nr = nv * lanes

    def depthwise_nhwc_f32(args, task_id, task_dim):
        """y = activation(depthwise conv(x, weights) + bias + add); tasks take bands of chunks of pixels."""
        x, table, scratch, mode = word(args, 0), word(args, 5), word(args, 6) + task_id * word(args, 7), word(args, 8)
        low, high = np.float32(real(args, 9)), np.float32(real(args, 10))
        channels, ranks = word(table, ct.CHANNELS), word(table, ct.COUT_GROUP)
        blocks = (channels + nr - 1) // nr
        prepare_scratch(table, scratch, mr)
        identity = scratch + align_64(4 * word(table, ct.ZEROS))
        tmp = align_64(identity + 8 * mr)
        pixels = tmp + align_64(4 * mr * nr)
        offsets = pixels + align_64(8 * (word(table, ct.CHUNK) + mr))
        y_pixel, add_pixel = word(table, ct.Y_PIXEL), word(table, ct.ADD_PIXEL)
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
                    for block in range(ranks * blocks):
                        rank, channel = block // blocks, block % blocks * nr
                        columns = min(nr, channels - channel)
                        first = 4 * (channel * ranks + rank)  # of the outputs, which lie `ranks` apart
                        out, out_step = word(args, 4) + first, y_pixel
                        add, add_step = word(args, 3) + first if word(args, 3) != 0 else 0, add_pixel
                        if ranks > 1:
                            if add != 0:
                                spread_columns(tmp, nr, add, add_step, where, mr, columns, -ranks)
                                add, add_step = tmp, 4 * nr
                            out, out_step = tmp, 4 * nr
                        depthwise_tile(mr, nv, item, (inputs, step, offsets, taps, 4 * channel, columns, weights + item * nr * taps * block,
                                                      where if ranks == 1 else identity, word(args, 2) + 4 * nr * block, add, add_step, out, out_step,
                                                mode), low, high)
                        if ranks > 1:
                            spread_columns(tmp, nr, word(args, 4) + first, y_pixel, where, mr, columns, ranks)
            done += chunks

    return depthwise_nhwc_f32


def _provide(function):  # type: ignore[no-untyped-def]
    link()
    return kernel_cfunc(function)


for _mr, _nv, _ in DEPTHWISE_TILES[LANES]:
    for _item in stored_items():
        kernel_table.register(depthwise_name(_mr, _nv * LANES, _item), partial(_provide, _depthwise2d(_mr, _nv, LANES, _item)))
