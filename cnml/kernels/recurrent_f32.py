"""LSTM and RNN over time."""
from __future__ import annotations

import numpy as np

from cnml.jit import jit
from cnml.kernels import kernel
from cnml.kernels.argblock import f32_at, word
from cnml.kernels.elementary_f32 import sigmoid_f32, tanh_f32


@jit()
def _add_product(y, x, w, n):
    """y += x w for w (x.size, n) in C order, four rows of w at a time."""
    k = 0
    while k + 4 <= x.size:
        a, b, c, d = x[k], x[k + 1], x[k + 2], x[k + 3]
        wa, wb, wc, wd = w[k * n:(k + 1) * n], w[(k + 1) * n:(k + 2) * n], w[(k + 2) * n:(k + 3) * n], w[(k + 3) * n:(k + 4) * n]
        for j in range(n):
            y[j] += a * wa[j] + b * wb[j] + c * wc[j] + d * wd[j]
        k += 4
    while k < x.size:
        row = w[k * n:(k + 1) * n]
        for j in range(n):
            y[j] += x[k] * row[j]
        k += 1


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


@kernel("lstm_f32")
def lstm_f32(args, task_id, task_dim):
    """T steps of N streams.

    Gates (T, N, 4H), static (N, 4H) or 0, cont (T, N), weights (H, 4H), h_0 and c_0 or 0, working state h and c (N, H), y (T, N, H).
    """
    t_end, n, h = word(args, 9), word(args, 10), word(args, 11)
    gates, cont, w = f32_at(word(args, 0), t_end * n * 4 * h), f32_at(word(args, 2), t_end * n), f32_at(word(args, 3), 4 * h * h)
    static = f32_at(word(args, 1), 4 * n * h if word(args, 1) != 0 else 0)
    width = 4 * h if word(args, 1) != 0 else 0
    state, cells, y = f32_at(word(args, 6), n * h), f32_at(word(args, 7), n * h), f32_at(word(args, 8), t_end * n * h)
    scratch = f32_at(word(args, 12) + word(args, 13) * task_id, 5 * h)
    total, hidden = scratch[:4 * h], scratch[4 * h:]
    for s in range(n * task_id // task_dim, n * (task_id + 1) // task_dim):
        at = slice(s * h, (s + 1) * h)
        if word(args, 4) != 0:
            _copy(f32_at(word(args, 4), n * h)[at], state[at])
            _copy(f32_at(word(args, 5), n * h)[at], cells[at])
        for t in range(t_end):
            row = t * n + s
            _start(total, gates[4 * h * row:4 * h * (row + 1)], static[s * width:(s + 1) * width], hidden, state[at], cont[row])
            _add_product(total, hidden, w, 4 * h)
            _cells(total, cont[row], cells[at], cells[at], state[at], h)
            _copy(state[at], y[row * h:(row + 1) * h])


@jit()
def _tanh(x, y):
    for j in range(x.size):
        y[j] = tanh_f32(x[j])


@kernel("rnn_f32")
def rnn_f32(args, task_id, task_dim):
    """T steps of N streams.

    Inputs (T, N, H), static (N, H) or 0, cont (T, N), W_hh and W_ho (in, out), b_o (H), h_0 or 0, working state h (N, H), y (T, N, H).
    """
    t_end, n, h = word(args, 9), word(args, 10), word(args, 11)
    inputs, cont = f32_at(word(args, 0), t_end * n * h), f32_at(word(args, 2), t_end * n)
    w, w_out = f32_at(word(args, 3), h * h), f32_at(word(args, 4), h * h)
    width = h if word(args, 1) != 0 else 0
    static, bias = f32_at(word(args, 1), n * width), f32_at(word(args, 5), h)
    state, y = f32_at(word(args, 7), n * h), f32_at(word(args, 8), t_end * n * h)
    scratch = f32_at(word(args, 12) + word(args, 13) * task_id, 2 * h)
    total, hidden = scratch[:h], scratch[h:]
    for s in range(n * task_id // task_dim, n * (task_id + 1) // task_dim):
        at = slice(s * h, (s + 1) * h)
        if word(args, 6) != 0:
            _copy(f32_at(word(args, 6), n * h)[at], state[at])
        for t in range(t_end):
            row = t * n + s
            out = y[row * h:(row + 1) * h]
            _start(total, inputs[row * h:(row + 1) * h], static[s * width:(s + 1) * width], hidden, state[at], cont[row])
            _add_product(total, hidden, w, h)
            _tanh(total, state[at])
            for j in range(h):
                total[j] = bias[j]
            _add_product(total, state[at], w_out, h)
            _tanh(total, out)
