"""INT8 convolutions that skip words of four input channels whose weights are zero: lanes are pixels, and every output has a list of its words.

A tile of pixels has a panel, in which a row holds one word of input of all its pixels (`cnml.ukernels.sparse_qs8`), in parts of kernel positions and
channels that stay in a near cache. Tasks share out (tile, block of NR outputs); a task makes the panel of a tile once for all of its blocks.

Arguments: as of `cnml.kernels.conv_qs8`, with weights from `cnml.kernels.sparse_pack_qs8`, then the bytes of a result. Its factors and biases are
times `cnml.ukernels.simd.vec_x8.SCALE` where that is 1.
"""
from __future__ import annotations

import numpy as np

from cnml.jit import jit, kernel_cfunc
from cnml.kernels import conv_table as ct
from cnml.kernels.argblock import i64_at, real, word
from cnml.kernels.bounded_f32 import MOST_BIAS, MOST_FACTOR, are_bounded
from cnml.kernels.bytes_x8 import copy_bytes
from cnml.kernels.conv_addressing import align_64, chunk_range, link, phase_chunks, prepare_chunk, prepare_scratch, tile_entries
from cnml.kernels.conv_qs8 import MOST_ADD
from cnml.ukernels.simd.vec_x8 import SCALE
from cnml.ukernels.sparse_qs8 import FLOATS, LANES, MASKED, NOTHING, QUAD, end_rows, panel_rows, pixel_rows, walk_rows
from cnrt import kernel_table

#: outputs of a block: as many as a vector has bytes
NR = QUAD * LANES
VECTOR = 4 * LANES  # bytes of a vector
SPARSE_NAME = "sparse_nhwc_qs8"
#: `MOST_FACTOR` and `MOST_BIAS` of numbers that are scaled
SCALED_FACTOR, SCALED_BIAS = SCALE * MOST_FACTOR, SCALE * MOST_BIAS


@jit(exact=True)
def row_bytes(table):
    """Bytes from one row of the panel, and of sums, to the next: whole vectors of the pixels of a tile."""
    return (word(table, ct.CHUNK) + LANES - 1) // LANES * VECTOR


@jit(exact=True)
def parts_of_scratch(table, scratch):
    """Where in scratch, behind a pixel of padding, there are: the indices 0 to LANES - 1, the panel, sums, what is added to a block of them,
    pointers to that, results of a quad, the tile's pixels, offsets of the taps.
    """
    pitch, cout = row_bytes(table), word(table, ct.COUT_GROUP)
    identity = scratch + align_64(4 * word(table, ct.ZEROS))
    panel = align_64(identity + 8 * LANES)
    sums = panel + word(table, ct.TAPS_BLOCK) * word(table, ct.DEPTH_BLOCK) * pitch
    more = sums + (cout + NR - 1) // NR * NR * pitch
    pointers = more + NR * pitch
    quad = align_64(pointers + 8 * LANES)
    pixels = quad + QUAD * 4 * NR
    return identity, panel, sums, more, pointers, quad, pixels, pixels + align_64(8 * (word(table, ct.CHUNK) + LANES))


@jit(exact=True)
def fill_panel(table, phase, first, words, offset, vectors, panel, offsets):
    """Rows of the panel for TAPS_BLOCK taps from the first on: `words` words of each, `offset` bytes behind the pixels."""
    entries, pitch = tile_entries(phase, offsets), row_bytes(table)
    for tap in range(first, min(first + word(table, ct.TAPS_BLOCK), word(phase, ct.TAPS))):
        for i in range(vectors):
            pointers, step = word(entries, 2 * i), word(entries, 2 * i + 1)
            shift = offset + (word(offsets, tap) if step == 0 else 0)
            panel_rows(pointers + tap * step, shift, words, panel + (tap - first) * words * pitch + VECTOR * i, pitch)


@jit(exact=True)
def gather_added(add, stride, item, columns, pixels, pointers, more, pitch):
    """What is added to a vector of pixels, as rows: floats of each output, or codes of four outputs."""
    where = i64_at(pointers, LANES)
    for i in range(LANES):
        where[i] = add + word(pixels, i) * stride
    whole = columns * item // 4
    panel_rows(pointers, 0, whole, more, pitch)
    if 4 * whole < columns * item:
        for i in range(LANES):
            copy_bytes(more + whole * pitch + 4 * i, where[i] + 4 * whole, columns * item - 4 * whole)


@jit(exact=True)
def scatter_rows(sums, item, columns, rows, y, table, places):
    """Results of a tile of so many pixels, as `end_rows` left them, to the pixels."""
    pitch, stride, pixels = row_bytes(table), word(table, ct.Y_PIXEL), places[6]
    apart, step = (pitch, LANES) if item == 4 else (QUAD * pitch, VECTOR)  # bytes between rows of words, outputs of a vector
    for channel in range(0, columns, step):
        here, n = sums + channel * pitch, item * min(columns - channel, step)
        if MASKED or n == VECTOR:
            pixel_rows(here, apart, pixels, rows, y + item * channel, stride, n)
        else:
            for first in range(0, rows, QUAD):
                pixel_rows(here + 4 * first, apart, places[0], QUAD, places[5], VECTOR, n)
                for i in range(QUAD):
                    copy_bytes(y + item * channel + word(pixels, first + i) * stride, places[5] + VECTOR * i, n)


@jit(exact=True)
def end_block(args, block, sums, rows, bounded, places):
    """Factors, biases, what is added, activation and stores of a block's sums for a tile of so many pixels."""
    table, ends, item, padded = word(args, 5), word(args, 2), word(args, 18), word(args, 11)
    cout, pitch, vectors = word(table, ct.COUT_GROUP), row_bytes(table), (rows + LANES - 1) // LANES
    group_blocks = (cout + NR - 1) // NR
    channel = block // group_blocks * cout + block % group_blocks * NR
    columns = min(NR, cout - block % group_blocks * NR)
    kind, factors = word(args, 12) if word(args, 3) != 0 else NOTHING, ends + 4 * (padded + block * NR)
    if kind != NOTHING:
        add_item = 4 if kind == FLOATS else 1
        for i in range(vectors):
            gather_added(word(args, 3) + add_item * channel, word(table, ct.ADD_PIXEL), add_item, columns, places[6] + 8 * LANES * i, places[4],
                         places[3] + VECTOR * i, pitch)
    end_rows((sums, pitch, vectors, (columns + QUAD - 1) // QUAD, factors, factors + 4 * padded, places[3], kind, word(args, 14), item, word(args, 8),
              word(args, 17), bounded),
             (np.float32(real(args, 9)), np.float32(real(args, 10)), np.float32(real(args, 13)), np.float32(real(args, 15)),
              np.float32(real(args, 16))))
    scatter_rows(sums, item, columns, rows, word(args, 4) + item * channel, table, places)


@jit(exact=True)
def run_tile(args, table, phase, first, last, bounded, places):
    """Blocks first to last of one group for the tile whose pointers are prepared, of as many pixels as `places` says last."""
    depth, cout, taps, pitch = word(table, ct.DEPTH), word(table, ct.COUT_GROUP), word(phase, ct.TAPS), row_bytes(table)
    taps_block, depth_block, weights, ends = word(table, ct.TAPS_BLOCK), word(table, ct.DEPTH_BLOCK), word(args, 1), word(args, 2)
    where, rows = places
    group_blocks = (cout + NR - 1) // NR
    blocks, offset = group_blocks * word(table, ct.GROUPS), first // group_blocks * word(table, ct.GROUP_STEP)
    vectors, part = (rows + LANES - 1) // LANES, np.int64(0)
    for tap in range(0, taps, taps_block):
        for start in range(0, depth, depth_block):
            fill_panel(table, phase, tap, min(depth_block, depth - start), offset + 4 * start, vectors, where[1], where[7])
            done = tap + taps_block >= taps and start + depth_block >= depth
            for block in range(first, last):
                section, sums = weights + word(weights, part * blocks + block), where[2] + (block - first) * NR * pitch
                walk_rows((section, section + 8 * NR, min(NR, cout - block % group_blocks * NR), where[1], ends + 4 * block * NR, np.int64(part == 0),
                           sums, pitch, vectors))
                if done:  # its sums are near
                    end_block(args, block, sums, rows, bounded, where)
            part += 1


def sparse_nhwc_qs8(args, task_id, task_dim):
    """y = activation(factor * (start + conv(x, weights)) + bias + add_factor * add); tasks take bands of (tile of pixels, block of outputs)."""
    table, scratch, ends = word(args, 5), word(args, 6) + task_id * word(args, 7), word(args, 2)
    phase, n = table + 8 * ct.HEADER, word(args, 11)
    factor, bias = np.float32(SCALED_FACTOR), np.float32(SCALED_BIAS)
    codes_added = word(args, 3) == 0 or word(args, 12) != FLOATS and abs(np.float32(real(args, 13))) < MOST_ADD
    bounded = np.int64(codes_added and are_bounded(ends + 4 * n, n, factor, bias))
    group_blocks = (word(table, ct.COUT_GROUP) + NR - 1) // NR
    blocks = group_blocks * word(table, ct.GROUPS)
    prepare_scratch(table, scratch, LANES)
    places = parts_of_scratch(table, scratch)
    units = phase_chunks(table, phase) * blocks
    current, unit, end = np.int64(-1), units * task_id // task_dim, units * (task_id + 1) // task_dim
    while unit < end:
        chunk, first = unit // blocks, unit % blocks
        last = min((first // group_blocks + 1) * group_blocks, first + end - unit)
        if chunk != current:
            current = chunk
            prepare_chunk(table, phase, word(args, 0), scratch, chunk, LANES, places[6], places[7])
        run_tile(args, table, phase, first, last, bounded, (places, chunk_range(table, phase, chunk)[1]))
        unit += last - first


def _provide() -> int:
    link()
    return kernel_cfunc(sparse_nhwc_qs8, exact=True)


kernel_table.register(SPARSE_NAME, _provide)
