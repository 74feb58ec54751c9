"""From the table of a layer to the pointers of a chunk of output pixels (see `cnml.kernels.conv_table` for the words).

What all tiles share is compiled once, as kernels of its own, and reached by the tiles' kernels as external symbols (`link`): inlined, it would make
every tile compile twice as long.
"""
from __future__ import annotations

from numba import types

from cnml.jit import jit
from cnml.kernels import kernel
from cnml.kernels.argblock import f32_at, i32_at, i64_at, word
from cnml.kernels.conv_table import (
    BATCH,
    CHANNELS,
    CHUNK,
    DIRECT,
    FIRST_TAP,
    GRID_HEIGHT,
    GRID_WIDTH,
    HEIGHT,
    MAX_X,
    MAX_Y,
    MIN_X,
    MIN_Y,
    OUT_HEIGHT,
    OUT_STEP_X,
    OUT_STEP_Y,
    OUT_WIDTH,
    OUT_X,
    OUT_Y,
    PAD,
    PANEL_OUTER,
    STAGE_NHWC,
    STAGED,
    STEP_X,
    STEP_Y,
    TAPS,
    WIDTH,
    X_PIXEL,
    ZEROS,
)
from cnml.ukernels.simd.symbol import define
from cnrt import kernel_table


@jit
def phase_pixels(table, phase):
    """Pixels in one run of chunks: a grid of the whole batch, or of one image when rows are staged."""
    n = word(phase, GRID_HEIGHT) * word(phase, GRID_WIDTH)
    if word(table, STAGED) == DIRECT:
        n *= word(table, BATCH)
    return n


@jit
def phase_chunks(table, phase):
    """Number of chunks of a phase."""
    chunk = word(table, CHUNK)
    n = (phase_pixels(table, phase) + chunk - 1) // chunk
    if word(table, STAGED) != DIRECT:
        n *= word(table, BATCH)
    return n


@jit
def chunk_range(table, phase, chunk):
    """First pixel (counted over the whole batch) and number of pixels of a chunk."""
    pixels, size = phase_pixels(table, phase), word(table, CHUNK)
    runs = (pixels + size - 1) // size
    inside = (chunk % runs) * size
    return (chunk // runs) * pixels + inside, min(size, pixels - inside)


@jit
def phase_tiles(table, phase, mr):
    """Number of tiles of `mr` pixels in one run of chunks, whose last may be shorter."""
    pixels, size = phase_pixels(table, phase), word(table, CHUNK)
    return pixels // size * ((size + mr - 1) // mr) + (pixels % size + mr - 1) // mr


@jit
def phase_units(table, phase, mr, blocks):
    """Number of (tile, block of channels) of a phase: what the tasks share out."""
    runs = 1 if word(table, STAGED) == DIRECT else word(table, BATCH)
    return runs * phase_tiles(table, phase, mr) * blocks


@kernel("conv_unit_f32", words=6)
def conv_unit_f32(table, phase, mr, blocks, unit, found):
    """Which chunk, block and tile of the chunk a unit is, and how many tiles the chunk has: four words at `found`.

    Tiles are innermost; outside of them is the panel (block) or the chunk, as the table says.
    """
    size, pixels = word(table, CHUNK), phase_pixels(table, phase)
    run_tiles, chunk_tiles, run_chunks = phase_tiles(table, phase, mr), (size + mr - 1) // mr, (pixels + size - 1) // size
    all_tiles = phase_units(table, phase, mr, 1)
    position = unit % all_tiles if word(table, PANEL_OUTER) else unit // blocks  # of the tile, or of one in the same chunk
    run, inside = position // run_tiles, position % run_tiles // chunk_tiles
    tiles = min(chunk_tiles, run_tiles - inside * chunk_tiles)
    before = run * run_tiles + inside * chunk_tiles
    dst = i64_at(found, 4)
    dst[0], dst[3] = run * run_chunks + inside, tiles
    if word(table, PANEL_OUTER):
        dst[1], dst[2] = unit // all_tiles, position - before
    else:
        dst[1], dst[2] = (unit - before * blocks) // tiles, (unit - before * blocks) % tiles


@jit
def ramp(address, n, start, step):
    """n words from `start` on, `step` apart."""
    dst = i64_at(address, n)
    for i in range(n):
        dst[i] = start + i * step


@jit
def fill_pixels(table, phase, first, rows, padded, pixels):
    """pixels[i] = index in the output of the chunk's pixel i; the last is repeated up to `padded`."""
    gh, gw = word(phase, GRID_HEIGHT), word(phase, GRID_WIDTH)
    oh, ow = word(table, OUT_HEIGHT), word(table, OUT_WIDTH)
    out_y, out_x, step_y, step_x = word(phase, OUT_Y), word(phase, OUT_X), word(phase, OUT_STEP_Y), word(phase, OUT_STEP_X)
    i, gx, line = 0, first % gw, first // gw
    while i < padded:
        at, step, n = word(pixels, max(i - 1, 0)), 0, padded - i
        if i < rows:
            at = ((line // gh) * oh + out_y + (line % gh) * step_y) * ow + out_x + gx * step_x
            step, n = step_x, min(rows - i, gw - gx)
        if i < rows and gw == ow and gh == oh:  # all of it, in order
            step, n = 1, rows
        ramp(pixels + 8 * i, n, at, step)
        i, gx, line = i + n, 0, line + 1


@jit
def line_start(table, phase, x, line):
    """Address of the input that the first pixel of a grid line reads with a tap at (0, 0)."""
    gh = word(phase, GRID_HEIGHT)
    return x + (line // gh * word(table, HEIGHT) + line % gh * word(phase, STEP_Y)) * word(table, WIDTH) * word(table, X_PIXEL)


@jit
def line_inside(table, phase, line):
    """Whether all taps of a grid line lie between the top and the bottom of the image."""
    y = line % word(phase, GRID_HEIGHT) * word(phase, STEP_Y)
    return y + word(phase, MIN_Y) >= 0 and y + word(phase, MAX_Y) < word(table, HEIGHT)


@jit
def fill_taps(table, phase, x, zeros, first, rows, mr, offsets, entries, pointers):
    """Where the chunk's pixels read: two words a tile, the address of its pointers and the bytes from those of one tap to those of the next.

    A tile inside of the image has one pointer a pixel, to which the `offsets` of the taps are added, and no step. A tile at the border has
    pointers[tap][pixel], to `zeros` where the tap is outside. The last pixel is repeated.
    """
    gw, nt, step_x = word(phase, GRID_WIDTH), word(phase, TAPS), word(phase, STEP_X)
    step_bytes, tiles = step_x * word(table, X_PIXEL), (rows + mr - 1) // mr
    offset, entry = i64_at(offsets, nt), i64_at(entries, 2 * tiles)
    for t in range(nt):
        offset[t] = word(table, word(phase, FIRST_TAP) + 3 * t + 2)
    for tile in range(tiles):
        entry[2 * tile + 1] = 0
    before = min(max((step_x - 1 - word(phase, MIN_X)) // step_x, 0), gw)  # so many pixels of a line have taps left of the image
    behind = min(max((word(table, WIDTH) - word(phase, MAX_X) + step_x - 1) // step_x, before), gw)  # and from here on right of it
    i, gx, line = 0, first % gw, first // gw
    while i < tiles * mr:
        at, step, n = word(pointers, max(i - 1, 0)), 0, tiles * mr - i
        if i < rows:
            at, step, n = line_start(table, phase, x, line) + gx * step_bytes, step_bytes, min(rows - i, gw - gx)
            inside = line_inside(table, phase, line)
            mark_border(entry, i, min(before - gx, n) if inside else n, mr)
            mark_border(entry, i + max(behind - gx, 0), n - max(behind - gx, 0), mr)
        ramp(pointers + 8 * i, n, at, step)
        i, gx, line = i + n, 0, line + 1
    border = pointers + 8 * tiles * mr
    for tile in range(tiles):
        at = first + tile * mr
        if entry[2 * tile + 1] == 0:
            entry[2 * tile] = pointers + 8 * tile * mr
        else:
            fill_border(table, phase, x, zeros, at % gw, at // gw, min(mr, rows - tile * mr), mr, border)
            entry[2 * tile] = border
            border += 8 * nt * mr


@jit
def mark_border(entry, first, n, mr):
    """Set the steps of the tiles that hold the n pixels from `first` on."""
    if n > 0:
        for tile in range(first // mr, (first + n - 1) // mr + 1):
            entry[2 * tile + 1] = 8 * mr


@jit
def fill_border(table, phase, x, zeros, gx, line, n, mr, pointers):
    """pointers[tap][i] of n pixels from (gx, line) on; the last is repeated."""
    gh, gw, nt = word(phase, GRID_HEIGHT), word(phase, GRID_WIDTH), word(phase, TAPS)
    height, width, pixel = word(table, HEIGHT), word(table, WIDTH), word(table, X_PIXEL)
    dst, taps = i64_at(pointers, nt * mr), i64_at(table + 8 * word(phase, FIRST_TAP), 3 * nt)  # tap_y, tap_x, byte offset
    for i in range(n):
        y0, x0 = line % gh * word(phase, STEP_Y), gx * word(phase, STEP_X)
        base = line_start(table, phase, x, line) + x0 * pixel
        for t in range(nt):
            y_in, x_in = y0 + taps[3 * t], x0 + taps[3 * t + 1]
            dst[t * mr + i] = base + taps[3 * t + 2] if y_in >= 0 and y_in < height and x_in >= 0 and x_in < width else zeros
        gx += 1
        if gx == gw:
            gx = 0
            line += 1
    for i in range(n, mr):
        for t in range(nt):
            dst[t * mr + i] = dst[t * mr + n - 1]


@jit
def clear(address, n):
    """n zeros."""
    dst = f32_at(address, n)
    for i in range(n):
        dst[i] = 0


@jit
def pad(address, n, bits):
    """n elements with the bits of padding."""
    dst = i32_at(address, n)
    for i in range(n):
        dst[i] = bits


@jit
def copy(address, source, n):
    """n floats; the two runs do not overlap."""
    dst, src = f32_at(address, n), f32_at(source, n)
    for i in range(n):
        dst[i] = src[i]


@jit
def _interleave(address, source, channels, plane, n):
    """Channels last from `channels` planes of `plane` floats: n pixels."""
    dst = f32_at(address, channels * n)
    if channels == 3:  # an interleaved store the compiler can vectorise
        a, b, c = f32_at(source, n), f32_at(source + 4 * plane, n), f32_at(source + 8 * plane, n)
        for i in range(n):
            dst[3 * i], dst[3 * i + 1], dst[3 * i + 2] = a[i], b[i], c[i]
        return
    for k in range(channels):
        src = f32_at(source + 4 * k * plane, n)
        for i in range(n):
            dst[i * channels + k] = src[i]


@jit
def stage_rows(table, phase, x, first, rows, buffer):
    """Copy what a chunk of whole grid lines reads to `buffer` (lines, padded width, channels), padding outside; gives the bytes of a line."""
    gh, gw, channels = word(phase, GRID_HEIGHT), word(phase, GRID_WIDTH), word(table, CHANNELS)
    height, width, outside = word(table, HEIGHT), word(table, WIDTH), word(table, PAD)
    left, top = word(phase, MIN_X), word(phase, MIN_Y)
    right = (gw - 1) * word(phase, STEP_X) + word(phase, MAX_X) + 1
    line = first // gw
    source, y0 = x + line // gh * height * width * channels * 4, line % gh * word(phase, STEP_Y) + top
    y1 = (first + rows - 1) // gw % gh * word(phase, STEP_Y) + word(phase, MAX_Y) + 1
    x0, x1 = min(max(left, 0), width), max(min(right, width), 0)
    inside = max(x1 - x0, 0)
    before = x0 - left if inside > 0 else right - left
    for y in range(y0, y1):
        out = buffer + (y - y0) * (right - left) * channels * 4
        if y < 0 or y >= height:
            pad(out, (right - left) * channels, outside)
            continue
        pad(out, before * channels, outside)
        pad(out + 4 * (before + inside) * channels, (right - left - before - inside) * channels, outside)
        if word(table, STAGED) == STAGE_NHWC:
            copy(out + 4 * before * channels, source + 4 * (y * width + x0) * channels, inside * channels)
        else:
            _interleave(out + 4 * before * channels, source + 4 * (y * width + x0), channels, height * width, inside)
    return (right - left) * channels * 4


@jit
def fill_staged(table, phase, line_bytes, buffer, rows, mr, offsets, entries, pointers):
    """As `fill_taps`, into staged rows, with one tap per kernel row: every tile is inside."""
    gw, nt = word(phase, GRID_WIDTH), word(phase, TAPS)
    step_y, step_x = word(phase, STEP_Y) * line_bytes, word(phase, STEP_X) * word(table, CHANNELS) * 4
    tiles = (rows + mr - 1) // mr
    offset, entry = i64_at(offsets, nt), i64_at(entries, 2 * tiles)
    for t in range(nt):
        offset[t] = (word(table, word(phase, FIRST_TAP) + 3 * t) - word(phase, MIN_Y)) * line_bytes
    i = 0
    while i < tiles * mr:
        at, step, n = word(pointers, max(i - 1, 0)), 0, tiles * mr - i
        if i < rows:
            at, step, n = buffer + i // gw * step_y, step_x, min(gw, rows - i)
        ramp(pointers + 8 * i, n, at, step)
        i += n
    for tile in range(tiles):
        entry[2 * tile], entry[2 * tile + 1] = pointers + 8 * tile * mr, 0


@jit
def align_64(n):
    """n rounded up to a multiple of 64."""
    return (n + 63) // 64 * 64


@kernel("conv_scratch_f32")
def conv_scratch_f32(table, scratch, mr):
    """What lies at the beginning of scratch: a pixel of padding, and the indices 0 to mr - 1."""
    pad(scratch, word(table, ZEROS), word(table, PAD))
    identity = i64_at(scratch + align_64(4 * word(table, ZEROS)), mr)
    for i in range(mr):
        identity[i] = i


@jit
def tile_entries(phase, offsets):
    """Where the two words of each tile (see `fill_taps`) begin, behind the offsets of the taps."""
    return offsets + 8 * word(phase, TAPS)


@kernel("conv_chunk_f32", words=8)
def conv_chunk_f32(table, phase, x, zeros, chunk, mr, pixels, offsets):
    """Pixel indices, tap offsets, the tiles' words and pointers of a chunk; staged rows come after the pointers."""
    first, rows = chunk_range(table, phase, chunk)
    tiles = (rows + mr - 1) // mr
    entries = tile_entries(phase, offsets)
    pointers = align_64(entries + 16 * (word(table, CHUNK) // mr + 1))
    fill_pixels(table, phase, first, rows, tiles * mr, pixels)
    if word(table, STAGED) == DIRECT:
        fill_taps(table, phase, x, zeros, first, rows, mr, offsets, entries, pointers)
    else:
        buffer = align_64(pointers + 8 * tiles * mr)
        line_bytes = stage_rows(table, phase, x, first, rows, buffer)
        fill_staged(table, phase, line_bytes, buffer, rows, mr, offsets, entries, pointers)


@kernel("conv_gather_f32", words=7)
def conv_gather_f32(tmp, nr, src, stride, pixels, rows, columns):
    """tmp[i, :columns] = src[pixels[i], :columns]; the rest becomes 0."""
    index = i64_at(pixels, rows)
    for i in range(rows):
        copy(tmp + 4 * i * nr, src + index[i] * stride, columns)
        clear(tmp + 4 * (i * nr + columns), nr - columns)


@kernel("conv_scatter_f32", words=7)
def conv_scatter_f32(tmp, nr, dst, stride, pixels, rows, columns):
    """dst[pixels[i], :columns] = tmp[i, :columns]."""
    index = i64_at(pixels, rows)
    for i in range(rows):
        copy(dst + index[i] * stride, tmp + 4 * i * nr, columns)


@kernel("conv_spread_f32", words=8)
def conv_spread_f32(tmp, nr, far, stride, pixels, rows, columns, step):
    """far[pixels[i], j * step] = tmp[i, j]; with a negative step the other way round, -step apart."""
    index = i64_at(pixels, rows)
    apart = abs(step)
    for i in range(rows):
        near, line = f32_at(tmp + 4 * i * nr, nr), f32_at(far + index[i] * stride, columns * apart)
        for j in range(columns):
            if step > 0:
                line[j * apart] = near[j]
            else:
                near[j] = line[j * apart]


def _external(function, words):  # type: ignore[no-untyped-def]
    return types.ExternalFunction(f"cnml_{function.kernel_name}", types.void(*[types.int64] * words))


find_unit = _external(conv_unit_f32, 6)
prepare_scratch, prepare_chunk = _external(conv_scratch_f32, 3), _external(conv_chunk_f32, 8)
gather_columns, scatter_columns, spread_columns = _external(conv_gather_f32, 7), _external(conv_scatter_f32, 7), _external(conv_spread_f32, 8)


def link() -> None:
    """Compile or load the shared parts and give them to the linker. Must be called before a kernel that uses them is compiled or loaded."""
    for function in (conv_unit_f32, conv_scratch_f32, conv_chunk_f32, conv_gather_f32, conv_scatter_f32, conv_spread_f32):
        define(f"cnml_{function.kernel_name}", kernel_table.address(function.kernel_name))
