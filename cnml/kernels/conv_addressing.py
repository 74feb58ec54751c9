"""From the table of a layer to the pointers of a chunk of output pixels (see `cnml.kernels.conv_table` for the words)."""
from __future__ import annotations

from cnml.jit import jit
from cnml.kernels.argblock import f32_at, i64_at, word
from cnml.kernels.conv_table import (BATCH, CHANNELS, CHUNK, DIRECT, FIRST_TAP, GRID_HEIGHT, GRID_WIDTH, HEIGHT, MAX_X, MAX_Y, MIN_X, MIN_Y, OUT_HEIGHT, OUT_STEP_X,
                                     OUT_STEP_Y, OUT_WIDTH, OUT_X, OUT_Y, STAGE_NHWC, STAGED, STEP_X, STEP_Y, TAPS, WIDTH, X_PIXEL)


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
    gx, line = first % gw, first // gw
    for i in range(rows):
        dst[i] = ((line // gh) * oh + out_y + (line % gh) * step_y) * ow + out_x + gx * step_x
        gx += 1
        if gx == gw:
            gx = 0
            line += 1
    for i in range(rows, padded):
        dst[i] = dst[rows - 1]


@jit
def fill_taps(table, phase, x, zeros, first, rows, mr, pointers):
    """pointers[tile][tap][i] = address of the input of pixel `tile * mr + i` of the chunk, `zeros` outside of the image; the last pixel is repeated."""
    gh, gw, nt = word(phase, GRID_HEIGHT), word(phase, GRID_WIDTH), word(phase, TAPS)
    height, width, pixel = word(table, HEIGHT), word(table, WIDTH), word(table, X_PIXEL)
    step_y, step_x = word(phase, STEP_Y), word(phase, STEP_X)
    taps = i64_at(table + 8 * word(phase, FIRST_TAP), 3 * nt)  # tap_y, tap_x, byte offset
    dst = i64_at(pointers, (rows + mr - 1) // mr * mr * nt)
    low_y, high_y, low_x, high_x = -word(phase, MIN_Y), height - word(phase, MAX_Y), -word(phase, MIN_X), width - word(phase, MAX_X)
    gx, line = first % gw, first // gw
    for r in range((rows + mr - 1) // mr * mr):
        slot = (r // mr) * nt * mr + r % mr
        if r >= rows:
            for t in range(nt):
                dst[slot + t * mr] = dst[((rows - 1) // mr) * nt * mr + (rows - 1) % mr + t * mr]
            continue
        iy, ix = (line % gh) * step_y, gx * step_x
        base = x + (((line // gh) * height + iy) * width + ix) * pixel
        if iy >= low_y and iy < high_y and ix >= low_x and ix < high_x:
            for t in range(nt):
                dst[slot + t * mr] = base + taps[3 * t + 2]
        else:
            for t in range(nt):
                y_in, x_in = iy + taps[3 * t], ix + taps[3 * t + 1]
                inside = y_in >= 0 and y_in < height and x_in >= 0 and x_in < width
                dst[slot + t * mr] = base + taps[3 * t + 2] if inside else zeros
        gx += 1
        if gx == gw:
            gx = 0
            line += 1


@jit
def _interleave(dst, src, channels, plane, n):
    """dst[i * channels + c] = src[c * plane + i]."""
    if channels == 3:
        a, b, c = src[:n], src[plane:plane + n], src[2 * plane:2 * plane + n]
        for i in range(n):
            dst[3 * i], dst[3 * i + 1], dst[3 * i + 2] = a[i], b[i], c[i]
    else:
        for k in range(channels):
            for i in range(n):
                dst[i * channels + k] = src[k * plane + i]


@jit
def stage_rows(table, phase, x, first, rows, buffer):
    """Copy what a chunk of whole grid lines reads to `buffer` (lines, padded width, channels), zeros where the image ends; gives the bytes of a line."""
    gh, gw, channels = word(phase, GRID_HEIGHT), word(phase, GRID_WIDTH), word(table, CHANNELS)
    height, width = word(table, HEIGHT), word(table, WIDTH)
    left, top = word(phase, MIN_X), word(phase, MIN_Y)
    right = (gw - 1) * word(phase, STEP_X) + word(phase, MAX_X) + 1
    line = first // gw
    image, y0 = line // gh, (line % gh) * word(phase, STEP_Y) + top
    y1 = ((first + rows - 1) // gw % gh) * word(phase, STEP_Y) + word(phase, MAX_Y) + 1
    wide = (right - left) * channels
    src = f32_at(x + image * height * width * channels * 4, height * width * channels)
    dst = f32_at(buffer, (y1 - y0) * wide)
    x0, x1 = min(max(left, 0), width), max(min(right, width), 0)
    for y in range(y0, y1):
        out = dst[(y - y0) * wide:(y - y0 + 1) * wide]
        if y < 0 or y >= height or x1 <= x0:
            out[:] = 0
            continue
        a, b = (x0 - left) * channels, (x1 - left) * channels
        out[:a] = 0
        out[b:] = 0
        if word(table, STAGED) == STAGE_NHWC:
            out[a:b] = src[(y * width + x0) * channels:(y * width + x1) * channels]
        else:
            _interleave(out[a:b], src[y * width + x0:], channels, height * width, x1 - x0)
    return wide * 4


@jit
def fill_staged(table, phase, line_bytes, buffer, first, rows, mr, pointers):
    """As `fill_taps`, into staged rows, with one tap per kernel row."""
    gw, nt = word(phase, GRID_WIDTH), word(phase, TAPS)
    pixel = word(table, CHANNELS) * 4
    step_y, step_x = word(phase, STEP_Y) * line_bytes, word(phase, STEP_X) * pixel
    taps = i64_at(table + 8 * word(phase, FIRST_TAP), 3 * nt)
    dst = i64_at(pointers, (rows + mr - 1) // mr * mr * nt)
    for r in range((rows + mr - 1) // mr * mr):
        p = min(r, rows - 1)
        slot = (r // mr) * nt * mr + r % mr
        base = buffer + (p // gw) * step_y + (p % gw) * step_x
        for t in range(nt):
            dst[slot + t * mr] = base + (taps[3 * t] - word(phase, MIN_Y)) * line_bytes
