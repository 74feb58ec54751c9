"""Winograd convolutions, stride 1, on channels-last float32 images: transform, products and inverse transform of a run of tiles at a time.

Arguments: x, weights, bias, add or 0, y, table, scratch base, scratch step, activation mode, low, high (see `cnml.ukernels.epilogue_f32`), and what
to do: FUSED, TRANSFORM or PRODUCT of `cnml.kernels.winograd_table`. The table comes from `cnml.kernels.winograd_plan_f32`, the weights from
`cnml.kernels.winograd_pack_f32`.

A task's scratch holds V, the transformed windows [product][tile][channel], then the sums of a run of tiles and one block of outputs
[tile][product][output], then a window and two tiles for borders. TRANSFORM and PRODUCT are two instructions: V of all tiles lies in the scratch
of task 0 (whose end the other tasks' blocks continue), which stays as it is between two instructions of a function.

What all forms share, the drive, is compiled once and gets the addresses of a form's transforms and products.

A NaN or infinity in a window reaches all outputs of its tile.
"""
from __future__ import annotations

from functools import partial

import numpy as np
from numba import types

from cnml.jit import jit, kernel_cfunc
from cnml.kernels import winograd_product_f32, winograd_transform_f32  # noqa: F401  register what the names below stand for
from cnml.kernels import winograd_table as wt
from cnml.kernels.argblock import word
from cnml.kernels.conv_addressing import align_64
from cnml.kernels.conv_tiles import stored_items
from cnml.kernels.winograd_product_f32 import FETCHED
from cnml.kernels.winograd_tiles import FORMS, VECTORS, drive_name, input_name, output_name, product_name, winograd_name
from cnml.kernels.winograd_transform_f32 import place
from cnml.ukernels.indirect import call_words, symbol_address
from cnml.ukernels.simd.symbol import define
from cnml.ukernels.winograd_f32 import LANES
from cnrt import kernel_table

WIDE, MIDDLE = VECTORS[LANES][0], VECTORS[LANES][1]
_DRIVE_WORDS = 9


@jit
def whole(rows):
    """See `cnml.kernels.winograd_tiles.whole_rows`."""
    if rows < 4:
        return 4
    return 8 if rows == 7 else rows


@jit
def next_piece(args, tile, n, piece, slot):
    """Address of the memory that the run of n tiles from `tile` on reads and writes first, cut into pieces; 0 behind the last of them.

    Only the part in the first row of tiles: x, then y, one row of pixels after the other.
    """
    table = word(args, 5)
    image, row, column = place(table, tile)
    down, across, tall = word(table, wt.TILE_HEIGHT), word(table, wt.TILE_WIDTH), word(table, wt.WINDOW_HEIGHT)
    top, left = row * down - word(table, wt.PAD_Y), column * across - word(table, wt.PAD_X)
    height, width, pixel = word(table, wt.HEIGHT), word(table, wt.WIDTH), word(table, wt.X_PIXEL)
    pieces = max((min(n * across, width - left) * pixel + piece - 1) // piece, 1)
    if slot < tall * pieces:
        return word(args, 0) + ((image * height + top + slot // pieces) * width + left) * pixel + slot % pieces * piece
    slot -= tall * pieces
    height, width, pixel = word(table, wt.OUT_HEIGHT), word(table, wt.OUT_WIDTH), word(table, wt.Y_PIXEL)
    pieces = max((min(n * across, width - column * across) * pixel + piece - 1) // piece, 1)
    if slot < down * pieces:
        return word(args, 4) + ((image * height + row * down + slot // pieces) * width + column * across) * pixel + slot % pieces * piece
    return 0


@jit
def multiply(args, item, product, k, first, n, end, v, sums):
    """sums[tile][e] = v[e][tile] @ weights[e] for every product e of block k, by the product at an address, with weights of `item` bytes.

    The memory to ask for meanwhile is the next product's weights where they are far, else what the run of tiles behind this one needs, if there is
    one before `end`.
    """
    table = word(args, 5)
    block = table + 8 * (wt.HEADER + k * wt.BLOCK)
    count, depth, rows = word(table, wt.WINDOW_HEIGHT) * word(table, wt.WINDOW_WIDTH), word(table, wt.DEPTH), whole(n)
    v_row, v_product, near = word(table, wt.V_ROW), word(table, wt.V_PRODUCT), word(table, wt.NEAR)
    width = word(block, wt.NV) * LANES * 4
    size = depth * width // 4 * item
    piece = (rows + 5) // 6 * (depth // 4) * FETCHED
    panel, v = word(args, 1) + word(block, wt.WEIGHTS) // 4 * item, v + word(block, wt.INPUT)
    for e in range(count):
        ahead, limit = panel + size, size
        if near:
            ahead, limit = panel, np.int64(0)
            start = next_piece(args, first + n, min(n, end - first - n), piece, k * count + e) if first + n < end else 0
            if start != 0:
                ahead, limit = start, piece
        call_words(product, (v + e * v_product, v_row, rows, depth, panel, sums + e * width, count * width, ahead, limit))
        panel += size


def _drive(lanes):
    def winograd_drive(args, task_id, task_dim, item, into, out, wide, middle, narrow):
        """y = activation(conv(x, weights) + bias + add); tasks take bands of tiles, or for PRODUCT of (block of outputs, tile).

        `item` is the bytes of a weight; then the addresses of the input and output transforms and of the products of the three widths of blocks.
        """
        x, table, own, step, what = word(args, 0), word(args, 5), word(args, 6) + task_id * word(args, 7), word(args, 7), word(args, 11)
        tiles, run, blocks, v_bytes = word(table, wt.TILES), word(table, wt.RUN), word(table, wt.BLOCKS), word(table, wt.V_BYTES)
        count = word(table, wt.WINDOW_HEIGHT) * word(table, wt.WINDOW_WIDTH)
        v = own if what == wt.FUSED else word(args, 6)
        sums = own + v_bytes if what == wt.FUSED else word(args, 6) + v_bytes + task_id * (step - v_bytes)
        window = align_64(sums + count * whole(run) * WIDE * lanes * 4)
        corner = align_64(window + 4 * count * word(table, wt.CHANNELS))
        # a unit is a tile, for PRODUCT a vector of outputs of a tile
        units = tiles * word(table, wt.VECTORS) if what == wt.PRODUCT else tiles
        begin, end = units * task_id // task_dim, units * (task_id + 1) // task_dim
        for b in range(blocks if what == wt.PRODUCT else 1):
            from_tile, to_tile, first_block, end_block = begin, end, 0, blocks
            if what == wt.PRODUCT:
                block = table + 8 * (wt.HEADER + b * wt.BLOCK)
                before, nv = word(block, wt.BEFORE) * tiles, word(block, wt.NV)
                from_tile, to_tile = min(max(begin - before, 0) // nv, tiles), min(max(end - before, 0) // nv, tiles)
                first_block, end_block = b, b + 1
            runs = (to_tile - from_tile + run - 1) // run
            for r in range(runs):
                first = from_tile + (to_tile - from_tile) * r // runs
                n = from_tile + (to_tile - from_tile) * (r + 1) // runs - first
                rows = v if what == wt.FUSED else v + first * word(table, wt.V_ROW)
                if what != wt.PRODUCT:
                    call_words(into, (table, x, first, n, rows, window))
                if what != wt.TRANSFORM:
                    for k in range(first_block, end_block):
                        block = table + 8 * (wt.HEADER + k * wt.BLOCK)
                        nv = word(block, wt.NV)
                        product = wide if nv == WIDE else middle if nv == MIDDLE else narrow
                        multiply(args, item, product, k, first, n, to_tile, rows, sums)
                        call_words(out, (args, block, first, n, sums, corner))

    return winograd_drive


kernel_table.register(drive_name(), partial(kernel_cfunc, _drive(LANES), words=_DRIVE_WORDS))
drive = types.ExternalFunction(f"cnml_{drive_name()}", types.void(*[types.int64] * _DRIVE_WORDS))


def _winograd(item, into, out, wide, middle, narrow):
    """The kernel of one form; closes over an integer and names only, see `cnml.kernels.conv_f32`."""
    def winograd_nhwc(args, task_id, task_dim):
        """See `winograd_drive`."""
        drive(args, task_id, task_dim, item, symbol_address(into), symbol_address(out), symbol_address(wide), symbol_address(middle),
              symbol_address(narrow))

    return winograd_nhwc


def _provide(form, item):  # type: ignore[no-untyped-def]
    products = [product_name(nv, item) for nv in VECTORS[LANES]]
    parts = [input_name(form), output_name(form), *(products[min(rank, len(products) - 1)] for rank in range(3))]
    for name in (*parts, drive_name()):
        define(f"cnml_{name}", kernel_table.address(name))
    return kernel_cfunc(_winograd(item, *(f"cnml_{name}" for name in parts)))


for _form in FORMS:
    for _item in stored_items() if _form.halves else (4,):
        kernel_table.register(winograd_name(_form, _item), partial(_provide, _form, _item))
