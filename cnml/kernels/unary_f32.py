"""Element-wise functions of one array; arguments x, y, n and the function's parameters.

y may be x: then the loop gets the same array twice (see `aliasing`).
"""
from __future__ import annotations

import numpy as np

from cnml.jit import jit
from cnml.kernels import kernel
from cnml.kernels.aliasing import in_place
from cnml.kernels.argblock import f32_at, real, word
from cnml.kernels.elementary_f32 import exp_f32, log_f32, sigmoid_f32, tanh_f32

ZERO, ONE, INFINITY = np.float32(0), np.float32(1), np.float32(np.inf)


@jit(forceinline=True)
def band(args, task_id, task_dim):
    """A task's part of x and of y."""
    n = word(args, 2)
    first, last = n * task_id // task_dim, n * (task_id + 1) // task_dim
    return f32_at(word(args, 0) + 4 * first, last - first), f32_at(word(args, 1) + 4 * first, last - first)


@jit(forceinline=True)
def parameter(args, i):
    """Parameter i of the function."""
    return np.float32(real(args, 3 + i))


@jit(inline="always")
def _relu(x, y, slope):
    for i in range(y.size):
        v = x[i]
        y[i] = (ZERO if v < ZERO else v) + slope * (ZERO if v > ZERO else v)


@kernel("unary_relu_f32")
def unary_relu_f32(args, task_id, task_dim):
    """y = max(x, 0) + slope * min(x, 0), over n elements."""
    x, y = band(args, task_id, task_dim)
    slope = parameter(args, 0)
    if in_place(args, 0, 1):
        _relu(y, y, slope)
    else:
        _relu(x, y, slope)


@jit(inline="always")
def _relu_limit(x, y, slope, limit):
    for i in range(y.size):
        v = x[i]
        r = (ZERO if v < ZERO else v) + slope * (ZERO if v > ZERO else v)
        y[i] = limit if limit < r else r


@kernel("unary_relu_limit_f32")
def unary_relu_limit_f32(args, task_id, task_dim):
    """y = min(max(x, 0) + slope * min(x, 0), limit), over n elements."""
    x, y = band(args, task_id, task_dim)
    slope, limit = parameter(args, 0), parameter(args, 1)
    if in_place(args, 0, 1):
        _relu_limit(y, y, slope, limit)
    else:
        _relu_limit(x, y, slope, limit)


@jit(inline="always")
def _clip(x, y, low, high):
    for i in range(y.size):
        v = high if high < x[i] else x[i]
        y[i] = v if v > low else low


@kernel("unary_clip_f32")
def unary_clip_f32(args, task_id, task_dim):
    """y = max(low, min(x, high)); NaN becomes low, over n elements."""
    x, y = band(args, task_id, task_dim)
    low, high = parameter(args, 0), parameter(args, 1)
    if in_place(args, 0, 1):
        _clip(y, y, low, high)
    else:
        _clip(x, y, low, high)


@jit(inline="always")
def _elu(x, y, alpha):
    for i in range(y.size):
        v = x[i]
        e = alpha * (exp_f32(v) - ONE)
        y[i] = v if v > ZERO else e


@kernel("unary_elu_f32")
def unary_elu_f32(args, task_id, task_dim):
    """y = x where positive, else alpha * (exp(x) - 1), over n elements."""
    x, y = band(args, task_id, task_dim)
    alpha = parameter(args, 0)
    if in_place(args, 0, 1):
        _elu(y, y, alpha)
    else:
        _elu(x, y, alpha)


@jit(inline="always")
def _sigmoid(x, y):
    for i in range(y.size):
        y[i] = sigmoid_f32(x[i])


@kernel("unary_sigmoid_f32")
def unary_sigmoid_f32(args, task_id, task_dim):
    """y = 1 / (1 + exp(-x)), over n elements."""
    x, y = band(args, task_id, task_dim)
    if in_place(args, 0, 1):
        _sigmoid(y, y)
    else:
        _sigmoid(x, y)


@jit(inline="always")
def _tanh(x, y):
    for i in range(y.size):
        y[i] = tanh_f32(x[i])


@kernel("unary_tanh_f32")
def unary_tanh_f32(args, task_id, task_dim):
    """y = tanh(x), over n elements."""
    x, y = band(args, task_id, task_dim)
    if in_place(args, 0, 1):
        _tanh(y, y)
    else:
        _tanh(x, y)


@jit(inline="always")
def _abs(x, y):
    for i in range(y.size):
        v = x[i]
        y[i] = v if v > -v else -v


@kernel("unary_abs_f32")
def unary_abs_f32(args, task_id, task_dim):
    """y = |x|, over n elements."""
    x, y = band(args, task_id, task_dim)
    if in_place(args, 0, 1):
        _abs(y, y)
    else:
        _abs(x, y)


@jit(inline="always")
def _swish(x, y, beta):
    for i in range(y.size):
        y[i] = x[i] * sigmoid_f32(beta * x[i])


@kernel("unary_swish_f32")
def unary_swish_f32(args, task_id, task_dim):
    """y = x * sigmoid(beta * x), over n elements."""
    x, y = band(args, task_id, task_dim)
    beta = parameter(args, 0)
    if in_place(args, 0, 1):
        _swish(y, y, beta)
    else:
        _swish(x, y, beta)


@jit(inline="always")
def _bnll(x, y):
    for i in range(y.size):
        v = x[i]
        y[i] = (v if v > ZERO else ZERO) + log_f32(ONE + exp_f32(-abs(v)))


@kernel("unary_bnll_f32")
def unary_bnll_f32(args, task_id, task_dim):
    """y = max(x, 0) + log(1 + exp(-|x|)), over n elements."""
    x, y = band(args, task_id, task_dim)
    if in_place(args, 0, 1):
        _bnll(y, y)
    else:
        _bnll(x, y)


@jit(inline="always")
def _exp(x, y, inner, outer):
    for i in range(y.size):
        y[i] = exp_f32(inner * x[i]) * outer


@kernel("unary_exp_f32")
def unary_exp_f32(args, task_id, task_dim):
    """y = exp(inner * x) * outer, over n elements."""
    x, y = band(args, task_id, task_dim)
    inner, outer = parameter(args, 0), parameter(args, 1)
    if in_place(args, 0, 1):
        _exp(y, y, inner, outer)
    else:
        _exp(x, y, inner, outer)


@jit(inline="always")
def _log(x, y, scale, shift, outer):
    for i in range(y.size):
        y[i] = log_f32(scale * x[i] + shift) * outer


@kernel("unary_log_f32")
def unary_log_f32(args, task_id, task_dim):
    """y = log(scale * x + shift) * outer, over n elements."""
    x, y = band(args, task_id, task_dim)
    scale, shift, outer = parameter(args, 0), parameter(args, 1), parameter(args, 2)
    if in_place(args, 0, 1):
        _log(y, y, scale, shift, outer)
    else:
        _log(x, y, scale, shift, outer)


@jit(inline="always")
def _threshold(x, y, limit):
    for i in range(y.size):
        y[i] = ONE if x[i] > limit else ZERO


@kernel("unary_threshold_f32")
def unary_threshold_f32(args, task_id, task_dim):
    """y = 1 where x > limit, else 0, over n elements."""
    x, y = band(args, task_id, task_dim)
    limit = parameter(args, 0)
    if in_place(args, 0, 1):
        _threshold(y, y, limit)
    else:
        _threshold(x, y, limit)


@jit(inline="always")
def _linear(x, y, scale, shift):
    if shift == 0:  # -0 must stay -0
        for i in range(y.size):
            y[i] = scale * x[i]
    else:
        for i in range(y.size):
            y[i] = scale * x[i] + shift


@jit(exact=True)
def _raise(y, exponent):
    if exponent == 2:
        for i in range(y.size):
            y[i] = y[i] * y[i]
    elif exponent == 0.5:
        for i in range(y.size):
            y[i] = INFINITY if y[i] == -INFINITY else np.sqrt(y[i])  # as C's pow
    elif exponent == -1:
        for i in range(y.size):
            y[i] = ONE / y[i]
    else:
        for i in range(y.size):
            y[i] = y[i] ** np.float32(exponent)


@kernel("unary_power_f32", exact=True)
def unary_power_f32(args, task_id, task_dim):
    """y = (scale * x + shift) ** exponent over n elements; a constant when scale * exponent is 0."""
    x, y = band(args, task_id, task_dim)
    exponent, scale, shift = real(args, 3), parameter(args, 1), parameter(args, 2)
    if exponent == 0 or scale == 0:
        constant = ONE if exponent == 0 else np.float32(np.float64(shift) ** exponent)
        for i in range(y.size):
            y[i] = constant
        return
    if in_place(args, 0, 1):
        _linear(y, y, scale, shift)
    else:
        _linear(x, y, scale, shift)
    if exponent != 1:
        _raise(y, exponent)
