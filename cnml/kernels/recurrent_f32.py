"""LSTM and RNN over time. Tasks take streams; the streams of a task go side by side, so that they share each pass over the weights."""
from __future__ import annotations

import numpy as np

from cnml.jit import jit
from cnml.kernels import kernel
from cnml.kernels.argblock import f32_at, word
from cnml.kernels.elementary_f32 import sigmoid_f32, tanh_f32
from cnml.kernels.inner_tiles import INNER_TILES
from cnml.ukernels.epilogue_f32 import NONE
from cnml.ukernels.inner_product_f32 import LANES, inner_tile

ZERO = np.float32(0)


@jit()
def _copy(x, y):
    for j in range(x.size):
        y[j] = x[j]


@jit()
def _cells(gates, cont, c, c_out, h_out, n):
    """One LSTM step of one stream from the sums of its gates: input, forget, output, candidate."""
    i, f, o, g = gates[:n], gates[n:2 * n], gates[2 * n:3 * n], gates[3 * n:4 * n]
    for j in range(n):
        keep = np.float32(0) if cont == 0 else cont * sigmoid_f32(f[j])
        c_out[j] = keep * c[j] + sigmoid_f32(i[j]) * tanh_f32(g[j])
    for j in range(n):
        h_out[j] = sigmoid_f32(o[j]) * tanh_f32(c_out[j])


@kernel("lstm_unit_f32")
def lstm_unit_f32(args, task_id, task_dim):
    """c' and h' (N, H) from c (N, H), gates (N, 4H) and cont (N); tasks take streams."""
    n, h = word(args, 5), word(args, 6)
    c, gates, cont = f32_at(word(args, 0), n * h), f32_at(word(args, 1), 4 * n * h), f32_at(word(args, 2), n)
    c_out, h_out = f32_at(word(args, 3), n * h), f32_at(word(args, 4), n * h)
    for s in range(n * task_id // task_dim, n * (task_id + 1) // task_dim):
        at = slice(s * h, (s + 1) * h)
        _cells(gates[4 * s * h:4 * (s + 1) * h], cont[s], c[at], c_out[at], h_out[at], h)


@jit()
def _start(total, gates, static, hidden, state, cont):
    """total = gates + static, hidden = cont * state."""
    for j in range(total.size):
        total[j] = gates[j]
    for j in range(static.size):
        total[j] += static[j]
    for j in range(hidden.size):
        hidden[j] = cont * state[j]


@jit()
def pitch(n, nr):
    """Floats from one row of sums to the next: whole tiles."""
    return (n + nr - 1) // nr * nr


@jit()
def group_range(n, mr, task_id, task_dim):
    """First and last stream of a task, and how many groups of up to `mr` of them there are."""
    first, last = n * task_id // task_dim, n * (task_id + 1) // task_dim
    return first, last, (last - first + mr - 1) // mr


def _lstm(mr, nv, lanes):
    """The kernel of one tile; closes over integers only, see `cnml.kernels.conv_f32`."""
    nr = nv * lanes

    def lstm_f32(args, task_id, task_dim):
        """T steps of N streams, `mr` streams side by side.

        Gates (T, N, 4H), static (N, 4H) or 0, cont (T, N), weights in tiles, h_0 and c_0 or 0, working state h and c (N, H), y (T, N, H); scratch
        for mr rows of the padded gates and of h.
        """
        t_end, n, h = word(args, 9), word(args, 10), word(args, 11)
        gates, cont = f32_at(word(args, 0), t_end * n * 4 * h), f32_at(word(args, 2), t_end * n)
        static, width = f32_at(word(args, 1), 4 * n * h if word(args, 1) != 0 else 0), 4 * h if word(args, 1) != 0 else 0
        state, cells, y = f32_at(word(args, 6), n * h), f32_at(word(args, 7), n * h), f32_at(word(args, 8), t_end * n * h)
        row_size = pitch(4 * h, nr)
        scratch = word(args, 12) + word(args, 13) * task_id
        totals, hidden = f32_at(scratch, mr * row_size), f32_at(scratch + 4 * mr * row_size, mr * h)
        first, last, groups = group_range(n, mr, task_id, task_dim)
        if word(args, 4) != 0:
            _copy(f32_at(word(args, 4), n * h)[first * h:last * h], state[first * h:last * h])
            _copy(f32_at(word(args, 5), n * h)[first * h:last * h], cells[first * h:last * h])
        for group in range(groups):
            s0 = first + group * mr
            s1 = min(s0 + mr, last)
            for t in range(t_end):
                for s in range(s0, s1):
                    row, i = t * n + s, s - s0
                    _start(totals[i * row_size:i * row_size + 4 * h], gates[4 * h * row:4 * h * (row + 1)], static[s * width:(s + 1) * width],
                           hidden[i * h:(i + 1) * h], state[s * h:(s + 1) * h], cont[row])
                for block in range(row_size // nr):
                    sums = scratch + 4 * block * nr
                    inner_tile(mr, nv, 4, (scratch + 4 * mr * row_size, 4 * h, s1 - s0, h, word(args, 3) + 4 * block * nr * h, sums, 4 * row_size,
                                           sums, 4 * row_size, nr, NONE), ZERO, ZERO)
                for s in range(s0, s1):
                    at = slice(s * h, (s + 1) * h)
                    _cells(totals[(s - s0) * row_size:], cont[t * n + s], cells[at], cells[at], state[at], h)
                    _copy(state[at], y[(t * n + s) * h:(t * n + s + 1) * h])

    return lstm_f32


@jit()
def _tanh(x, y):
    for j in range(x.size):
        y[j] = tanh_f32(x[j])


def _rnn(mr, nv, lanes):
    """The kernel of one tile; closes over integers only, see `cnml.kernels.conv_f32`."""
    nr = nv * lanes

    def rnn_f32(args, task_id, task_dim):
        """T steps of N streams, `mr` streams side by side.

        Inputs (T, N, H), static (N, H) or 0, cont (T, N), W_hh and W_ho in tiles, b_o padded to whole tiles, h_0 or 0, working state h (N, H),
        y (T, N, H); scratch for mr padded rows and for mr rows of h.
        """
        t_end, n, h = word(args, 9), word(args, 10), word(args, 11)
        inputs, cont = f32_at(word(args, 0), t_end * n * h), f32_at(word(args, 2), t_end * n)
        width = h if word(args, 1) != 0 else 0
        static = f32_at(word(args, 1), n * width)
        state, y = f32_at(word(args, 7), n * h), f32_at(word(args, 8), t_end * n * h)
        row_size = pitch(h, nr)
        scratch = word(args, 12) + word(args, 13) * task_id
        totals, hidden = f32_at(scratch, mr * row_size), f32_at(scratch + 4 * mr * row_size, mr * h)
        first, last, groups = group_range(n, mr, task_id, task_dim)
        if word(args, 6) != 0:
            _copy(f32_at(word(args, 6), n * h)[first * h:last * h], state[first * h:last * h])
        for group in range(groups):
            s0 = first + group * mr
            s1 = min(s0 + mr, last)
            for t in range(t_end):
                for s in range(s0, s1):
                    row, i = t * n + s, s - s0
                    _start(totals[i * row_size:i * row_size + h], inputs[row * h:(row + 1) * h], static[s * width:(s + 1) * width],
                           hidden[i * h:(i + 1) * h], state[s * h:(s + 1) * h], cont[row])
                for product in range(2):
                    for block in range(row_size // nr):
                        sums = scratch + 4 * block * nr
                        start, start_step = (sums, 4 * row_size) if product == 0 else (word(args, 5) + 4 * block * nr, 0)
                        x = scratch + 4 * mr * row_size if product == 0 else word(args, 7) + 4 * s0 * h
                        inner_tile(mr, nv, 4, (x, 4 * h, s1 - s0, h, word(args, 3 + product) + 4 * block * nr * h, start, start_step, sums,
                                               4 * row_size, nr, NONE), ZERO, ZERO)
                    for s in range(s0, s1):
                        i = (s - s0) * row_size
                        target = state[s * h:(s + 1) * h] if product == 0 else y[(t * n + s) * h:(t * n + s + 1) * h]
                        _tanh(totals[i:i + h], target)

    return rnn_f32


for _mr, _nv in INNER_TILES[LANES]:
    kernel(f"lstm_f32_{_mr}x{_nv * LANES}")(_lstm(_mr, _nv, LANES))
    kernel(f"rnn_f32_{_mr}x{_nv * LANES}")(_rnn(_mr, _nv, LANES))
