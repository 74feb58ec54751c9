"""A depthwise convolution and the pointwise one behind it, band of lines by band of lines: what lies between them never leaves a task's cache.

Arguments: depthwise x, weights, bias, table and words of the table, mode, low, high, scratch bytes, kernel; pointwise weights, bias, add or 0, y,
table and words of the table, mode, low, high, scratch bytes, kernel; output lines of a band; scratch base, scratch step. The tables are those of
the two convolutions (`cnml.kernels.separable_plan_f32`): each task calls both kernels with tables of its own, in which they are as high as its band.
"""
from __future__ import annotations

from cnml.jit import jit
from cnml.kernels import conv_table as ct
from cnml.kernels import kernel
from cnml.kernels.argblock import i64_at, word
from cnml.kernels.conv_addressing import align_64
from cnml.kernels.separable_plan_f32 import CALL_BYTES
from cnml.ukernels.sync import call_kernel

# words of the argument block
(X, DW_WEIGHTS, DW_BIAS, DW_TABLE, DW_WORDS, DW_MODE, DW_LOW, DW_HIGH, DW_SCRATCH, DW_KERNEL, PW_WEIGHTS, PW_BIAS, ADD, Y, PW_TABLE, PW_WORDS,
 PW_MODE, PW_LOW, PW_HIGH, PW_SCRATCH, PW_KERNEL, LINES, SCRATCH, SCRATCH_STEP) = range(24)
CALL = 11                # words of a convolution's argument block
_IN, _ADD, _OUT = 0, 3, 4  # words of it


@jit
def write_call(call, args, weights, ending, table, scratch):
    """The argument block of one convolution: weights and bias from word `weights` of `args` on, mode and limits from word `ending` on."""
    dst = i64_at(call, CALL)
    dst[1], dst[2], dst[3], dst[5], dst[6], dst[7] = word(args, weights), word(args, weights + 1), 0, table, scratch, 0
    for i in range(3):
        dst[8 + i] = word(args, ending + i)


@jit
def copy_words(address, source, n):
    """n words."""
    dst, src = i64_at(address, n), i64_at(source, n)
    for i in range(n):
        dst[i] = src[i]


@jit
def set_depthwise_band(table, whole, first, lines):
    """Make `table` that of `lines` output lines from `first` on; gives the input line from which on it counts."""
    dst, phase = i64_at(table, ct.HEADER + ct.PHASE), whole + 8 * ct.HEADER
    top = first * word(phase, ct.STEP_Y) + word(phase, ct.MIN_Y)
    skipped = max(top, 0)
    dst[ct.HEIGHT], dst[ct.CHUNK] = word(whole, ct.HEIGHT) - skipped, lines * word(phase, ct.GRID_WIDTH)
    dst[ct.HEADER + ct.GRID_HEIGHT], dst[ct.HEADER + ct.MIN_Y] = lines, top - skipped
    dst[ct.HEADER + ct.MAX_Y] = top - skipped + word(phase, ct.MAX_Y) - word(phase, ct.MIN_Y)
    return skipped


@jit
def set_pointwise_band(table, lines):
    """Make `table` that of an image of `lines` lines."""
    dst = i64_at(table, ct.HEADER + ct.PHASE)
    dst[ct.HEIGHT], dst[ct.OUT_HEIGHT], dst[ct.HEADER + ct.GRID_HEIGHT] = lines, lines, lines


@kernel("separable_f32")
def separable_f32(args, task_id, task_dim):
    """y = pointwise(depthwise(x)); tasks take bands of output lines of all images."""
    first_call = word(args, SCRATCH) + task_id * word(args, SCRATCH_STEP)
    second_call = first_call + CALL_BYTES
    whole, first_table = word(args, DW_TABLE), second_call + CALL_BYTES
    second_table = first_table + 8 * word(args, DW_WORDS)
    first_scratch = align_64(second_table + 8 * word(args, PW_WORDS))
    second_scratch = first_scratch + align_64(word(args, DW_SCRATCH))
    band = second_scratch + align_64(word(args, PW_SCRATCH))
    copy_words(first_table, whole, word(args, DW_WORDS))
    copy_words(second_table, word(args, PW_TABLE), word(args, PW_WORDS))
    write_call(first_call, args, DW_WEIGHTS, DW_MODE, first_table, first_scratch)
    write_call(second_call, args, PW_WEIGHTS, PW_MODE, second_table, second_scratch)
    i64_at(first_table, ct.HEADER)[ct.BATCH] = 1
    first, second = i64_at(first_call, CALL), i64_at(second_call, CALL)
    first[_OUT], second[_IN] = band, band
    height, width = word(whole, ct.HEADER + ct.GRID_HEIGHT), word(whole, ct.HEADER + ct.GRID_WIDTH)
    line_bytes = word(whole, ct.WIDTH) * word(whole, ct.X_PIXEL)
    all_lines = word(whole, ct.BATCH) * height
    line, end = all_lines * task_id // task_dim, all_lines * (task_id + 1) // task_dim
    while line < end:
        image, at = line // height, line % height
        lines = min(word(args, LINES), end - line, height - at)
        skipped = set_depthwise_band(first_table, whole, at, lines)
        first[_IN] = word(args, X) + (image * word(whole, ct.HEIGHT) + skipped) * line_bytes
        call_kernel(word(args, DW_KERNEL), first_call, 0, 1)
        set_pointwise_band(second_table, lines)
        second[_OUT] = word(args, Y) + line * width * word(second_table, ct.Y_PIXEL)
        if word(args, ADD) != 0:
            second[_ADD] = word(args, ADD) + line * width * word(second_table, ct.ADD_PIXEL)
        call_kernel(word(args, PW_KERNEL), second_call, 0, 1)
        line += lines
