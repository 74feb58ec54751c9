"""Element-wise functions of one array; arguments x, y, n and the function's parameters. y may be x."""
from __future__ import annotations

import numpy as np

from cnml.kernels import kernel
from cnml.kernels.argblock import f32_at, real, word
from cnml.kernels.elementary_f32 import exp_f32, log_f32, sigmoid_f32, tanh_f32

ZERO, ONE, INFINITY = np.float32(0), np.float32(1), np.float32(np.inf)


@kernel("unary_relu_f32")
def unary_relu_f32(args, task_id, task_dim):
    """y = max(x, 0) + slope * min(x, 0) over n elements."""
    n, slope = word(args, 2), np.float32(real(args, 3))
    x, y = f32_at(word(args, 0), n), f32_at(word(args, 1), n)
    for i in range(n * task_id // task_dim, n * (task_id + 1) // task_dim):
        v = x[i]
        y[i] = (ZERO if v < ZERO else v) + slope * (ZERO if v > ZERO else v)


@kernel("unary_relu_limit_f32")
def unary_relu_limit_f32(args, task_id, task_dim):
    """y = min(max(x, 0) + slope * min(x, 0), limit) over n elements."""
    n, slope, limit = word(args, 2), np.float32(real(args, 3)), np.float32(real(args, 4))
    x, y = f32_at(word(args, 0), n), f32_at(word(args, 1), n)
    for i in range(n * task_id // task_dim, n * (task_id + 1) // task_dim):
        v = x[i]
        r = (ZERO if v < ZERO else v) + slope * (ZERO if v > ZERO else v)
        y[i] = limit if limit < r else r


@kernel("unary_clip_f32")
def unary_clip_f32(args, task_id, task_dim):
    """y = max(low, min(x, high)) over n elements; NaN becomes low."""
    n, low, high = word(args, 2), np.float32(real(args, 3)), np.float32(real(args, 4))
    x, y = f32_at(word(args, 0), n), f32_at(word(args, 1), n)
    for i in range(n * task_id // task_dim, n * (task_id + 1) // task_dim):
        v = high if high < x[i] else x[i]
        y[i] = v if v > low else low


@kernel("unary_elu_f32")
def unary_elu_f32(args, task_id, task_dim):
    """y = x where positive, else alpha * (exp(x) - 1), over n elements."""
    n, alpha = word(args, 2), np.float32(real(args, 3))
    x, y = f32_at(word(args, 0), n), f32_at(word(args, 1), n)
    for i in range(n * task_id // task_dim, n * (task_id + 1) // task_dim):
        v = x[i]
        e = alpha * (exp_f32(v) - ONE)
        y[i] = v if v > ZERO else e


@kernel("unary_sigmoid_f32")
def unary_sigmoid_f32(args, task_id, task_dim):
    """y = 1 / (1 + exp(-x)) over n elements."""
    n = word(args, 2)
    x, y = f32_at(word(args, 0), n), f32_at(word(args, 1), n)
    for i in range(n * task_id // task_dim, n * (task_id + 1) // task_dim):
        y[i] = sigmoid_f32(x[i])


@kernel("unary_tanh_f32")
def unary_tanh_f32(args, task_id, task_dim):
    """y = tanh(x) over n elements."""
    n = word(args, 2)
    x, y = f32_at(word(args, 0), n), f32_at(word(args, 1), n)
    for i in range(n * task_id // task_dim, n * (task_id + 1) // task_dim):
        y[i] = tanh_f32(x[i])


@kernel("unary_abs_f32")
def unary_abs_f32(args, task_id, task_dim):
    """y = |x| over n elements."""
    n = word(args, 2)
    x, y = f32_at(word(args, 0), n), f32_at(word(args, 1), n)
    for i in range(n * task_id // task_dim, n * (task_id + 1) // task_dim):
        y[i] = abs(x[i])


@kernel("unary_swish_f32")
def unary_swish_f32(args, task_id, task_dim):
    """y = x * sigmoid(beta * x) over n elements."""
    n, beta = word(args, 2), np.float32(real(args, 3))
    x, y = f32_at(word(args, 0), n), f32_at(word(args, 1), n)
    for i in range(n * task_id // task_dim, n * (task_id + 1) // task_dim):
        y[i] = x[i] * sigmoid_f32(beta * x[i])


@kernel("unary_bnll_f32")
def unary_bnll_f32(args, task_id, task_dim):
    """y = max(x, 0) + log(1 + exp(-|x|)) over n elements."""
    n = word(args, 2)
    x, y = f32_at(word(args, 0), n), f32_at(word(args, 1), n)
    for i in range(n * task_id // task_dim, n * (task_id + 1) // task_dim):
        v = x[i]
        y[i] = (v if v > ZERO else ZERO) + log_f32(ONE + exp_f32(-abs(v)))


@kernel("unary_exp_f32")
def unary_exp_f32(args, task_id, task_dim):
    """y = exp(inner * x) * outer over n elements."""
    n, inner, outer = word(args, 2), np.float32(real(args, 3)), np.float32(real(args, 4))
    x, y = f32_at(word(args, 0), n), f32_at(word(args, 1), n)
    for i in range(n * task_id // task_dim, n * (task_id + 1) // task_dim):
        y[i] = exp_f32(inner * x[i]) * outer


@kernel("unary_log_f32")
def unary_log_f32(args, task_id, task_dim):
    """y = log(scale * x + shift) * outer over n elements."""
    n, scale, shift, outer = word(args, 2), np.float32(real(args, 3)), np.float32(real(args, 4)), np.float32(real(args, 5))
    x, y = f32_at(word(args, 0), n), f32_at(word(args, 1), n)
    for i in range(n * task_id // task_dim, n * (task_id + 1) // task_dim):
        y[i] = log_f32(scale * x[i] + shift) * outer


@kernel("unary_power_f32", exact=True)
def unary_power_f32(args, task_id, task_dim):
    """y = (scale * x + shift) ** exponent over n elements; a constant when scale * exponent is 0."""
    n, exponent, scale, shift = word(args, 2), real(args, 3), np.float32(real(args, 4)), np.float32(real(args, 5))
    x, y = f32_at(word(args, 0), n), f32_at(word(args, 1), n)
    first, last = n * task_id // task_dim, n * (task_id + 1) // task_dim
    if exponent == 0 or scale == 0:
        constant = ONE if exponent == 0 else np.float32(np.float64(shift) ** exponent)
        for i in range(first, last):
            y[i] = constant
        return
    if shift == 0:  # -0 must stay -0
        for i in range(first, last):
            y[i] = scale * x[i]
    else:
        for i in range(first, last):
            y[i] = scale * x[i] + shift
    if exponent == 1:
        return
    if exponent == 2:
        for i in range(first, last):
            y[i] = y[i] * y[i]
    elif exponent == 0.5:
        for i in range(first, last):
            y[i] = INFINITY if y[i] == -INFINITY else np.sqrt(y[i])  # as C's pow
    elif exponent == -1:
        for i in range(first, last):
            y[i] = ONE / y[i]
    else:
        p = np.float32(exponent)
        for i in range(first, last):
            y[i] = y[i] ** p


@kernel("unary_threshold_f32")
def unary_threshold_f32(args, task_id, task_dim):
    """y = 1 where x > limit, else 0, over n elements."""
    n, limit = word(args, 2), np.float32(real(args, 3))
    x, y = f32_at(word(args, 0), n), f32_at(word(args, 1), n)
    for i in range(n * task_id // task_dim, n * (task_id + 1) // task_dim):
        y[i] = ONE if x[i] > limit else ZERO
