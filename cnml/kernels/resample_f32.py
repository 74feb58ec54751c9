"""Separable resampling with tap tables: bilinear, nearest, unpooling."""
from __future__ import annotations

import numpy as np

from cnml.jit import jit
from cnml.kernels import kernel
from cnml.kernels.argblock import f32_at, i64_at, word


@jit()
def _bilinear_pixel(y, a, b, c, d, wa, wb, wc, wd, n):
    for i in range(n):
        y[i] = wa * a[i] + wb * b[i] + wc * c[i] + wd * d[i]


@jit()
def _scaled_pixel(y, x, weight, n):
    for i in range(n):
        y[i] = weight * x[i]


@jit()
def _added_pixel(y, x, weight, n):
    for i in range(n):
        y[i] += weight * x[i]


@jit()
def _pixel(y, x, w, c, kh, kw, i, j, rows, row_weights, row_count, columns, column_weights, column_count):
    started = False
    for a in range(row_count[i]):
        for b in range(column_count[j]):
            weight = row_weights[i * kh + a] * column_weights[j * kw + b]
            source = x[(rows[i * kh + a] * w + columns[j * kw + b]) * c:]
            if started:
                _added_pixel(y, source, weight, c)
            else:
                _scaled_pixel(y, source, weight, c)
            started = True
    if not started:
        for k in range(c):
            y[k] = np.float32(0)


@kernel("resample_f32_nhwc")
def resample_f32_nhwc(args, task_id, task_dim):
    """y (n, oh, ow, c) from x (n, h, w, c) by taps of rows and columns; tasks take bands of output rows."""
    n, h, w, c = word(args, 2), word(args, 3), word(args, 4), word(args, 5)
    oh, ow, kh, kw = word(args, 6), word(args, 7), word(args, 8), word(args, 9)
    x, y = f32_at(word(args, 0), n * h * w * c), f32_at(word(args, 1), n * oh * ow * c)
    rows, row_weights, row_count = i64_at(word(args, 10), oh * kh), f32_at(word(args, 11), oh * kh), i64_at(word(args, 12), oh)
    columns, column_weights, column_count = i64_at(word(args, 13), ow * kw), f32_at(word(args, 14), ow * kw), i64_at(word(args, 15), ow)
    bilinear = kh == 2 and kw == 2
    for line in range(n * oh * task_id // task_dim, n * oh * (task_id + 1) // task_dim):
        i = line % oh
        image = x[line // oh * h * w * c:]
        for j in range(ow):
            target = y[(line * ow + j) * c:]
            if bilinear and row_count[i] == 2 and column_count[j] == 2:
                u0, u1, v0, v1 = row_weights[i * 2], row_weights[i * 2 + 1], column_weights[j * 2], column_weights[j * 2 + 1]
                top, bottom, left, right = rows[i * 2] * w, rows[i * 2 + 1] * w, columns[j * 2], columns[j * 2 + 1]
                _bilinear_pixel(target, image[(top + left) * c:], image[(top + right) * c:], image[(bottom + left) * c:],
                                image[(bottom + right) * c:],
                                u0 * v0, u0 * v1, u1 * v0, u1 * v1, c)
            else:
                _pixel(target, image, w, c, kh, kw, i, j, rows, row_weights, row_count, columns, column_weights, column_count)


@jit()
def _row(y, x, w, ow, kh, kw, i, rows, row_weights, row_count, columns, column_weights, column_count):
    for j in range(ow):
        total = np.float32(0)
        for a in range(row_count[i]):
            base = rows[i * kh + a] * w
            part = np.float32(0)
            for b in range(column_count[j]):
                part += column_weights[j * kw + b] * x[base + columns[j * kw + b]]
            total += row_weights[i * kh + a] * part
        y[j] = total


@jit()
def _row_bilinear(y, top, bottom, u0, u1, ow, columns, weights):
    for j in range(ow):
        left, right, v0, v1 = np.uint64(columns[2 * j]), np.uint64(columns[2 * j + 1]), weights[2 * j], weights[2 * j + 1]
        y[j] = u0 * (v0 * top[left] + v1 * top[right]) + u1 * (v0 * bottom[left] + v1 * bottom[right])


@jit()
def _all_two(count, n):
    for i in range(n):
        if count[i] != 2:
            return False
    return True


@jit()
def _row_copied(y, x, ow, columns):
    for j in range(ow):
        y[j] = x[np.uint64(columns[j])]


@kernel("resample_f32")
def resample_f32(args, task_id, task_dim):
    """y (n, oh, ow) from x (n, h, w) by taps of rows and columns; tasks take bands of output rows."""
    n, h, w, oh, ow, kh, kw = word(args, 2), word(args, 3), word(args, 4), word(args, 6), word(args, 7), word(args, 8), word(args, 9)
    x, y = f32_at(word(args, 0), n * h * w), f32_at(word(args, 1), n * oh * ow)
    rows, row_weights, row_count = i64_at(word(args, 10), oh * kh), f32_at(word(args, 11), oh * kh), i64_at(word(args, 12), oh)
    columns, column_weights, column_count = i64_at(word(args, 13), ow * kw), f32_at(word(args, 14), ow * kw), i64_at(word(args, 15), ow)
    bilinear = kh == 2 and kw == 2 and _all_two(row_count, oh) and _all_two(column_count, ow)
    copies = kh == 1 and kw == 1
    for i in range(oh if copies else 0):
        copies = copies and row_count[i] == 1 and row_weights[i] == np.float32(1)
    for j in range(ow if copies else 0):
        copies = copies and column_count[j] == 1 and column_weights[j] == np.float32(1)
    for line in range(n * oh * task_id // task_dim, n * oh * (task_id + 1) // task_dim):
        i = line % oh
        plane = x[line // oh * h * w:]
        if bilinear:
            _row_bilinear(y[line * ow:], plane[rows[2 * i] * w:], plane[rows[2 * i + 1] * w:], row_weights[2 * i], row_weights[2 * i + 1], ow,
                          columns, column_weights)
        elif copies:
            _row_copied(y[line * ow:], plane[rows[i] * w:], ow, columns)
        else:
            _row(y[line * ow:], plane, w, ow, kh, kw, i, rows, row_weights, row_count, columns, column_weights, column_count)
