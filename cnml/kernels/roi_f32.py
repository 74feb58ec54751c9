"""Pooling over regions of interest. The float32 steps are those of the references: they decide which cells a bin reaches."""
from __future__ import annotations

import numpy as np

from cnml.jit import jit
from cnml.kernels import kernel
from cnml.kernels.argblock import f32_at, real, word


@jit(exact=True)
def _rounded(v):
    half = np.float32(0.5)
    return np.float32(np.trunc(v + half)) if v >= np.float32(0) else np.float32(np.trunc(v - half))


@jit(exact=True)
def _bin_start(i, step, low, extent):
    return min(max(np.int64(np.floor(np.float32(i) * step)) + low, 0), extent)


@jit(exact=True)
def _bin_end(i, step, low, extent):
    return min(max(np.int64(np.ceil((np.float32(i) + np.float32(1)) * step)) + low, 0), extent)


@jit()
def _total(x, n):
    total = 0.0
    for i in range(n):
        total += np.float64(x[i])
    return total


@jit()
def _larger(x, y, c):
    for k in range(c):
        y[k] = x[k] if x[k] > y[k] else y[k]


@jit()
def _copied(x, y, c):
    for k in range(c):
        y[k] = x[k]


@jit()
def _filled(y, c, value):
    for k in range(c):
        y[k] = value


@kernel("roi_pooling_f32", exact=True)
def roi_pooling_f32(args, task_id, task_dim):
    """y (r, ph, pw, c): maximum of each bin of x (n, h, w, c); tasks take bands of r * ph."""
    n, c, h, w, r, ph, pw = word(args, 3), word(args, 4), word(args, 5), word(args, 6), word(args, 7), word(args, 8), word(args, 9)
    scale = np.float32(real(args, 10))
    x, rois, y = f32_at(word(args, 0), n * c * h * w), f32_at(word(args, 1), r * 5), f32_at(word(args, 2), r * ph * pw * c)
    for line in range(r * ph * task_id // task_dim, r * ph * (task_id + 1) // task_dim):
        roi, i = line // ph * 5, line % ph
        image = x[min(max(np.int64(rois[roi]), 0), n - 1) * h * w * c:]
        x0, y0 = np.int64(_rounded(rois[roi + 1] * scale)), np.int64(_rounded(rois[roi + 2] * scale))
        x1, y1 = np.int64(_rounded(rois[roi + 3] * scale)), np.int64(_rounded(rois[roi + 4] * scale))
        row_step = np.float32(max(y1 - y0 + 1, 1)) / np.float32(ph)
        step = np.float32(max(x1 - x0 + 1, 1)) / np.float32(pw)
        top, bottom = _bin_start(i, row_step, y0, h), _bin_end(i, row_step, y0, h)
        for j in range(pw):
            out = y[(line * pw + j) * c:]
            left, right = _bin_start(j, step, x0, w), _bin_end(j, step, x0, w)
            if bottom <= top or right <= left:
                _filled(out, c, np.float32(0))
                continue
            _copied(image[(top * w + left) * c:], out, c)
            for row in range(top, bottom):
                for column in range(left, right):
                    _larger(image[(row * w + column) * c:], out, c)


@kernel("psroi_pooling_f32", exact=True)
def psroi_pooling_f32(args, task_id, task_dim):
    """y (r, outputs, g, g): means of bins, each over its own plane of x (n, c, h, w); tasks take bands of regions."""
    n, c, h, w, r, outputs, g = word(args, 3), word(args, 4), word(args, 5), word(args, 6), word(args, 7), word(args, 8), word(args, 9)
    scale, one = np.float32(real(args, 10)), np.float32(1)
    x, rois, y = f32_at(word(args, 0), n * c * h * w), f32_at(word(args, 1), r * 5), f32_at(word(args, 2), r * outputs * g * g)
    for q in range(r * task_id // task_dim, r * (task_id + 1) // task_dim):
        roi = q * 5
        image = min(max(np.int64(rois[roi]), 0), n - 1) * c
        x0, y0 = _rounded(rois[roi + 1]) * scale, _rounded(rois[roi + 2]) * scale
        x1, y1 = (_rounded(rois[roi + 3]) + one) * scale, (_rounded(rois[roi + 4]) + one) * scale
        step_h, step_w = max(y1 - y0, np.float32(0.1)) / np.float32(g), max(x1 - x0, np.float32(0.1)) / np.float32(g)
        for bin_index in range(g * g):
            i, j = bin_index // g, bin_index % g
            top = min(max(np.int64(np.floor(np.float32(i) * step_h + y0)), 0), h)
            bottom = min(max(np.int64(np.ceil((np.float32(i) + one) * step_h + y0)), 0), h)
            left = min(max(np.int64(np.floor(np.float32(j) * step_w + x0)), 0), w)
            right = min(max(np.int64(np.ceil((np.float32(j) + one) * step_w + x0)), 0), w)
            cells = max(bottom - top, 0) * max(right - left, 0)
            for k in range(outputs):
                o = k * g * g + bin_index
                total = 0.0
                for row in range(top, bottom):
                    at = ((image + o) * h + row) * w
                    total += _total(x[at + left:], right - left)
                y[q * outputs * g * g + o] = np.float32(total / cells) if cells > 0 else np.float32(0)


@jit()
def _four_added(a, b, c, d, wa, wb, wc, wd, y, n):
    for k in range(n):
        y[k] += wa * a[k] + wb * b[k] + wc * c[k] + wd * d[k]


@jit(exact=True)
def _sample(low, step, i, k, samples):
    return low + np.float32(i) * step + (np.float32(k) + np.float32(0.5)) * step / np.float32(samples)


@kernel("roi_align_f32", exact=True)
def roi_align_f32(args, task_id, task_dim):
    """y (r, ph, pw, c): means of bilinear samples of x (n, h, w, c); tasks take bands of r * ph."""
    n, c, h, w = word(args, 3), word(args, 4), word(args, 5), word(args, 6)
    r, ph, pw, ratio = word(args, 7), word(args, 8), word(args, 9), word(args, 10)
    scale, one, zero = np.float32(real(args, 11)), np.float32(1), np.float32(0)
    x, rois, y = f32_at(word(args, 0), n * c * h * w), f32_at(word(args, 1), r * 5), f32_at(word(args, 2), r * ph * pw * c)
    for line in range(r * ph * task_id // task_dim, r * ph * (task_id + 1) // task_dim):
        roi, i = line // ph * 5, line % ph
        image = x[min(max(np.int64(rois[roi]), 0), n - 1) * h * w * c:]
        x0, y0 = rois[roi + 1] * scale, rois[roi + 2] * scale
        step_h = max(rois[roi + 4] * scale - y0, one) / np.float32(ph)
        step_w = max(rois[roi + 3] * scale - x0, one) / np.float32(pw)
        down = ratio if ratio > 0 else np.int64(np.ceil(step_h))
        across = ratio if ratio > 0 else np.int64(np.ceil(step_w))
        for j in range(pw):
            out = y[(line * pw + j) * c:]
            _filled(out, c, zero)
            share = one / np.float32(down * across)
            for a in range(down):
                v = _sample(y0, step_h, i, a, down)
                if v < -one or v > np.float32(h):
                    continue
                v = max(v, zero)
                top = min(np.int64(v), h - 1)
                bottom = min(top + 1, h - 1)
                dv = v - np.float32(top) if top < h - 1 else zero
                for b in range(across):
                    u = _sample(x0, step_w, j, b, across)
                    if u < -one or u > np.float32(w):
                        continue
                    u = max(u, zero)
                    left = min(np.int64(u), w - 1)
                    right = min(left + 1, w - 1)
                    du = u - np.float32(left) if left < w - 1 else zero
                    _four_added(image[(top * w + left) * c:], image[(top * w + right) * c:], image[(bottom * w + left) * c:],
                                image[(bottom * w + right) * c:],
                                share * (one - dv) * (one - du), share * (one - dv) * du, share * dv * (one - du), share * dv * du, out, c)
