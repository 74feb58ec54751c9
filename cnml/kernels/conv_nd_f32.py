"""Float32 convolution and its transpose over any number of spatial axes, in Caffe's order: plain loops, the innermost along the last axis.

Arguments of both: x, weights (Caffe's), bias or 0, y, table (`cnml.kernels.conv_nd_table`), activation mode, low, high (see
`cnml.ukernels.epilogue_f32`).
"""
from __future__ import annotations

import numpy as np

from cnml.jit import jit
from cnml.kernels import kernel
from cnml.kernels.argblock import f32_at, real, word
from cnml.kernels.conv_nd_table import AXES, BATCH, BIG, CHANNELS, DILATION, GROUP, HEADER, KERNEL, OUTPUTS, PAD, SMALL, STRIDE
from cnml.ukernels.epilogue_f32 import CLIP, LEAKY, RELU


@jit
def _extent(table, row, axis):
    return word(table, HEADER + row * word(table, AXES) + axis)


@jit
def _rows(table, row):
    """Product of all extents but the last."""
    n = 1
    for a in range(word(table, AXES) - 1):
        n *= _extent(table, row, a)
    return n


@jit
def _big_row(table, line, tap):
    """The row of the big side that a row of the small side meets under a kernel row; -1 outside."""
    source, weight = 0, 1
    for a in range(word(table, AXES) - 2, -1, -1):
        small, taps = _extent(table, SMALL, a), _extent(table, KERNEL, a)
        p = line % small * _extent(table, STRIDE, a) - _extent(table, PAD, a) + tap % taps * _extent(table, DILATION, a)
        line, tap = line // small, tap // taps
        if p < 0 or p >= _extent(table, BIG, a):
            return -1
        source += p * weight
        weight *= _extent(table, BIG, a)
    return source


@jit
def _meet(table, t):
    """First and one past the last position on the small side's last axis that meet the big side under kernel position t; where the first does."""
    last = word(table, AXES) - 1
    offset, step = t * _extent(table, DILATION, last) - _extent(table, PAD, last), _extent(table, STRIDE, last)
    first = (-offset + step - 1) // step if offset < 0 else 0
    room = _extent(table, BIG, last) - offset
    stop = min((room - 1) // step + 1 if room > 0 else 0, _extent(table, SMALL, last))
    return first, stop, first * step + offset


@jit
def _activate(y, mode, low, high):
    for i in range(y.size):
        v = y[i]
        if mode == RELU:
            y[i] = np.float32(0) if v < 0 else v
        elif mode == LEAKY:
            y[i] = low * v if v < 0 else v
        elif mode == CLIP:
            v = high if high < v else v
            y[i] = v if low < v else low


@jit
def _gather_plane(table, x, w, y):
    """One output channel of a convolution: y += sum over the channels of its group. x and w are addresses of the group's first channel."""
    last = word(table, AXES) - 1
    wide, big, taps, step = _extent(table, SMALL, last), _extent(table, BIG, last), _extent(table, KERNEL, last), _extent(table, STRIDE, last)
    lines, big_lines, tap_lines = _rows(table, SMALL), _rows(table, BIG), _rows(table, KERNEL)
    for c in range(word(table, CHANNELS) // word(table, GROUP)):
        weights = f32_at(w + 4 * c * tap_lines * taps, tap_lines * taps)
        for line in range(lines):
            for tap in range(tap_lines):
                source = _big_row(table, line, tap)
                if source < 0:
                    continue
                row = x + 4 * (c * big_lines + source) * big
                for t in range(taps):
                    first, stop, at = _meet(table, t)
                    if first >= stop:
                        continue
                    dst, src = f32_at(y + 4 * (line * wide + first), stop - first), f32_at(row + 4 * at, (stop - first - 1) * step + 1)
                    value = weights[tap * taps + t]
                    if step == 1:
                        for i in range(stop - first):
                            dst[i] += value * src[i]
                    else:
                        for i in range(stop - first):
                            dst[i] += value * src[i * step]


@jit
def _scatter_plane(table, x, w, w_step, y):
    """One output channel of a transposed convolution; `w_step` bytes lie between the weights of two input channels."""
    last = word(table, AXES) - 1
    wide, big, taps, step = _extent(table, SMALL, last), _extent(table, BIG, last), _extent(table, KERNEL, last), _extent(table, STRIDE, last)
    lines, tap_lines = _rows(table, SMALL), _rows(table, KERNEL)
    for c in range(word(table, CHANNELS) // word(table, GROUP)):
        weights = f32_at(w + c * w_step, tap_lines * taps)
        for line in range(lines):
            for tap in range(tap_lines):
                target = _big_row(table, line, tap)
                if target < 0:
                    continue
                for t in range(taps):
                    first, stop, at = _meet(table, t)
                    if first >= stop:
                        continue
                    src = f32_at(x + 4 * ((c * lines + line) * wide + first), stop - first)
                    dst, value = f32_at(y + 4 * (target * big + at), (stop - first - 1) * step + 1), weights[tap * taps + t]
                    for i in range(stop - first):
                        dst[i * step] += value * src[i]


@jit
def _planes(args, task_id, task_dim, transposed):
    """All output planes of a task, with bias and activation."""
    table, outputs, group = word(args, 4), word(word(args, 4), OUTPUTS), word(word(args, 4), GROUP)
    last = word(table, AXES) - 1
    big, small = 4 * _rows(table, BIG) * _extent(table, BIG, last), 4 * _rows(table, SMALL) * _extent(table, SMALL, last)
    taps = 4 * _rows(table, KERNEL) * _extent(table, KERNEL, last)
    x_plane, y_plane = (small, big) if transposed else (big, small)
    channels = word(table, CHANNELS) // group
    n = word(table, BATCH) * outputs
    for plane in range(n * task_id // task_dim, n * (task_id + 1) // task_dim):
        image, o = plane // outputs, plane % outputs
        g = o // (outputs // group)
        x, y = word(args, 0) + (image * group + g) * channels * x_plane, word(args, 3) + plane * y_plane
        out = f32_at(y, y_plane // 4)
        start = f32_at(word(args, 2), outputs)[o] if word(args, 2) != 0 else np.float32(0)
        for i in range(out.size):
            out[i] = start
        if transposed:
            weights = word(args, 1) + (g * channels * (outputs // group) + o % (outputs // group)) * taps
            _scatter_plane(table, x, weights, outputs // group * taps, y)
        else:
            _gather_plane(table, x, word(args, 1) + o * channels * taps, y)
        _activate(out, word(args, 5), np.float32(real(args, 6)), np.float32(real(args, 7)))


@kernel("conv_nd_f32")
def conv_nd_f32(args, task_id, task_dim):
    """y = activation(conv(x, weights) + bias); tasks take bands of output planes."""
    _planes(args, task_id, task_dim, False)


@kernel("deconv_nd_f32")
def deconv_nd_f32(args, task_id, task_dim):
    """y = activation(transposed conv(x, weights) + bias); tasks take bands of output planes."""
    _planes(args, task_id, task_dim, True)
