"""From the table of a layer to the pointers of a chunk of output pixels (see `cnml.kernels.conv_table` for the words).

What all tiles share is compiled once, as kernels of its own, and reached by the tiles' kernels as external symbols (`link`): inlined, it would make every tile
compile twice as long.
"""
from __future__ import annotations

from numba import types

from cnml.jit import jit
from cnml.kernels import kernel
from cnml.kernels.argblock import f32_at, i64_at, word
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
def fill_pixels(table, phase, first, rows, padded, pixels):
    """pixels[i] = index in the output of the chunk's pixel i; the last is repeated up to `padded`."""
    gh, gw = word(phase, GRID_HEIGHT), word(phase, GRID_WIDTH)
    oh, ow = word(table, OUT_HEIGHT), word(table, OUT_WIDTH)
    out_y, out_x, step_y, step_x = word(phase, OUT_Y), word(phase, OUT_X), word(phase, OUT_STEP_Y), word(phase, OUT_STEP_X)
    dst = i64_at(pixels, padded)
    i, gx, line = 0, first % gw, first // gw
    while i < rows:
        at = ((line // gh) * oh + out_y + (line % gh) * step_y) * ow + out_x + gx * step_x
        n = min(rows - i, gw - gx)
        for k in range(n):
            dst[i + k] = at + k * step_x
        i, gx, line = i + n, 0, line + 1
    for i in range(rows, padded):
        dst[i] = dst[rows - 1]


@jit
def repeat_last(pointers, rows, mr, nt):
    """Pixels behind the chunk's last, up to a whole tile, read what the last one reads."""
    dst = i64_at(pointers, (rows + mr - 1) // mr * mr * nt)
    start = (rows - 1) // mr * nt * mr
    for t in range(nt):
        for i in range((rows - 1) % mr + 1, mr):
            dst[start + t * mr + i] = dst[start + t * mr + (rows - 1) % mr]


@jit
def fill_taps(table, phase, x, zeros, first, rows, mr, pointers):
    """pointers[tile][tap][i] = address of the input of the chunk's pixel tile * mr + i, `zeros` outside of the image; the last pixel is repeated."""
    gh, gw, nt = word(phase, GRID_HEIGHT), word(phase, GRID_WIDTH), word(phase, TAPS)
    height, width, pixel = word(table, HEIGHT), word(table, WIDTH), word(table, X_PIXEL)
    step_y, step_x = word(phase, STEP_Y), word(phase, STEP_X)
    taps = i64_at(table + 8 * word(phase, FIRST_TAP), 3 * nt)  # tap_y, tap_x, byte offset
    dst = i64_at(pointers, (rows + mr - 1) // mr * mr * nt)
    low_x, high_x = -word(phase, MIN_X), width - word(phase, MAX_X)
    r, slot, gx, line = 0, 0, first % gw, first // gw
    while r < rows:
        iy = line % gh * step_y
        base = x + ((line // gh * height + iy) * width + gx * step_x) * pixel
        inside_y = iy + word(phase, MIN_Y) >= 0 and iy + word(phase, MAX_Y) < height
        n = min(rows - r, gw - gx)
        for ix in range(gx * step_x, (gx + n) * step_x, step_x):
            if inside_y and ix >= low_x and ix < high_x:
                for t in range(nt):
                    dst[slot + t * mr] = base + taps[3 * t + 2]
            else:
                for t in range(nt):
                    y_in, x_in = iy + taps[3 * t], ix + taps[3 * t + 1]
                    dst[slot + t * mr] = base + taps[3 * t + 2] if y_in >= 0 and y_in < height and x_in >= 0 and x_in < width else zeros
            base += step_x * pixel
            slot = next_slot(slot, mr, nt)
        r, gx, line = r + n, 0, line + 1
    repeat_last(pointers, rows, mr, nt)


@jit
def next_slot(slot, mr, nt):
    """Where the pointers of the next pixel begin: in the same tile, or in the next."""
    slot += 1
    return slot if slot % mr else slot + (nt - 1) * mr


@jit
def clear(address, n):
    """n zeros."""
    dst = f32_at(address, n)
    for i in range(n):
        dst[i] = 0


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
    """Copy what a chunk of whole grid lines reads to `buffer` (lines, padded width, channels), zeros where the image ends; gives the bytes of a line."""
    gh, gw, channels = word(phase, GRID_HEIGHT), word(phase, GRID_WIDTH), word(table, CHANNELS)
    height, width = word(table, HEIGHT), word(table, WIDTH)
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
            clear(out, (right - left) * channels)
            continue
        clear(out, before * channels)
        clear(out + 4 * (before + inside) * channels, (right - left - before - inside) * channels)
        if word(table, STAGED) == STAGE_NHWC:
            copy(out + 4 * before * channels, source + 4 * (y * width + x0) * channels, inside * channels)
        else:
            _interleave(out + 4 * before * channels, source + 4 * (y * width + x0), channels, height * width, inside)
    return (right - left) * channels * 4


@jit
def fill_staged(table, phase, line_bytes, buffer, rows, mr, pointers):
    """As `fill_taps`, into staged rows, with one tap per kernel row."""
    gw, nt = word(phase, GRID_WIDTH), word(phase, TAPS)
    step_y, step_x = word(phase, STEP_Y) * line_bytes, word(phase, STEP_X) * word(table, CHANNELS) * 4
    taps = i64_at(table + 8 * word(phase, FIRST_TAP), 3 * nt)
    dst = i64_at(pointers, (rows + mr - 1) // mr * mr * nt)
    slot = 0
    for line in range(buffer, buffer + rows // gw * step_y, step_y):
        for base in range(line, line + gw * step_x, step_x):
            for t in range(nt):
                dst[slot + t * mr] = base + (taps[3 * t] - word(phase, MIN_Y)) * line_bytes
            slot = next_slot(slot, mr, nt)
    repeat_last(pointers, rows, mr, nt)


@jit
def align_64(n):
    """n rounded up to a multiple of 64."""
    return (n + 63) // 64 * 64


@kernel("conv_scratch_f32")
def conv_scratch_f32(table, scratch, mr):
    """What lies at the beginning of scratch: a pixel of zeros, and the indices 0 to mr - 1."""
    clear(scratch, word(table, ZEROS))
    identity = i64_at(scratch + align_64(4 * word(table, ZEROS)), mr)
    for i in range(mr):
        identity[i] = i


@kernel("conv_chunk_f32", words=8)
def conv_chunk_f32(table, phase, x, zeros, chunk, mr, pixels, pointers):
    """Pixel indices and tap pointers of a chunk; staged rows come after the pointers."""
    first, rows = chunk_range(table, phase, chunk)
    tiles = (rows + mr - 1) // mr
    fill_pixels(table, phase, first, rows, tiles * mr, pixels)
    if word(table, STAGED) == DIRECT:
        fill_taps(table, phase, x, zeros, first, rows, mr, pointers)
    else:
        buffer = align_64(pointers + 8 * tiles * mr * word(phase, TAPS))
        line_bytes = stage_rows(table, phase, x, first, rows, buffer)
        fill_staged(table, phase, line_bytes, buffer, rows, mr, pointers)


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


prepare_scratch, prepare_chunk = _external(conv_scratch_f32, 3), _external(conv_chunk_f32, 8)
gather_columns, scatter_columns, spread_columns = _external(conv_gather_f32, 7), _external(conv_scatter_f32, 7), _external(conv_spread_f32, 8)


def link() -> None:
    """Compile or load the shared parts and give them to the linker. Must be called before a kernel that uses them is compiled or loaded."""
    for function in (conv_scratch_f32, conv_chunk_f32, conv_gather_f32, conv_scatter_f32, conv_spread_f32):
        define(f"cnml_{function.kernel_name}", kernel_table.address(function.kernel_name))
