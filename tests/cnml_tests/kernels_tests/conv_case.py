"""Runs a planned convolution on guarded memory and compares it with the float64 reference."""
from __future__ import annotations

from typing import NamedTuple

import numpy as np
from cnml_tests.kernel_run import Guarded, call, words

from cnml.kernels.conv_pack_f32 import pack_conv2d_f32, pack_deconv2d_f32
from cnml.kernels.conv_plan_f32 import Conv2dShape, ConvPlan, Pixels, plan_conv2d, plan_deconv2d
from cnml.parameter import aligned_empty
from cnml.reference.convolution import convolution, deconvolution


class Ending(NamedTuple):
    """Activation of a run: mode, low, high."""

    mode: int = 0
    low: float = 0.0
    high: float = 0.0

    def apply(self, y: np.ndarray) -> np.ndarray:
        """The activation in NumPy."""
        return (y, np.maximum(y, 0), np.where(y < 0, self.low * y, y), np.clip(y, self.low, self.high))[self.mode]


PLAIN = Ending()


def deconv_out(s: Conv2dShape) -> tuple[int, int]:
    """Output size of a deconvolution."""
    h, w = (st * (i - 1) + d * (k - 1) + 1 - 2 * p for i, k, st, p, d in zip((s.height, s.width), s.kernel, s.stride, s.pad, s.dilation, strict=True))
    return h, w


def run_plan(plan: ConvPlan, x: np.ndarray, packed: tuple[np.ndarray, np.ndarray], y: Guarded, add: Guarded | None = None, ending: Ending = PLAIN,
             tasks: int = 1) -> None:
    """Call the plan's kernel with every task; also checks that scratch was big enough."""
    step = plan.scratch_bytes
    scratch = aligned_empty((tasks * step + 256,), np.uint8)
    scratch[tasks * step:] = 0xA5
    call(plan.kernel, words(x, *packed, add, y, plan.table, scratch, step, *ending), tasks)
    assert (scratch[tasks * step:] == 0xA5).all(), "scratch overrun"
    y.check()


def close(got: np.ndarray, want: np.ndarray) -> None:
    """Within 1e-4 of the largest output."""
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4 * max(1.0, float(np.abs(want).max(initial=0))))


def check_conv(rng: np.random.Generator, s: Conv2dShape, *, tasks: int = 1, plain: bool = False, add: str = "", ending: Ending = PLAIN,
               extra: int = 0, affine: bool = False, deconv: bool = False, **choice: object) -> ConvPlan:
    """One convolution or deconvolution of random data.

    `add` is "" for none, "other" for a tensor of its own, "output" for one that lies where the output goes; `extra` channels lie between two pixels
    of the output.
    """
    x = rng.standard_normal((s.batch, s.channels, s.height, s.width)).astype(np.float32)
    shape = (s.channels, s.outputs // s.group) if deconv else (s.outputs, s.channels // s.group)
    w = rng.standard_normal((*shape, *s.kernel)).astype(np.float32)
    b, factor, shift = (rng.standard_normal(s.outputs).astype(np.float32) for _ in range(3))
    out = deconv_out(s) if deconv else s.out
    y = Guarded((s.batch, *out, s.outputs + extra), np.full((), -7, np.float32))
    pixels = Pixels(y=s.outputs + extra)
    want = (deconvolution if deconv else convolution)(x, w, b, out, s.stride, s.pad, s.dilation, s.group).transpose(0, 2, 3, 1)
    plan = plan_deconv2d(s, out, pixels=pixels) if deconv else plan_conv2d(s, plain_input=plain, pixels=pixels, **choice)
    fold = (factor, shift) if affine else (None, None)
    packed = (pack_deconv2d_f32 if deconv else pack_conv2d_f32)(plan, w, b, s.group, *fold)
    if affine:
        want = want * factor + shift
    other = None
    if add:
        values = rng.standard_normal(want.shape).astype(np.float32)
        want = want + values
        other = y if add == "output" else Guarded(values.shape, values)
        other.array[..., :s.outputs] = values
    run_plan(plan, np.ascontiguousarray(x if plain else x.transpose(0, 2, 3, 1)), packed, y, other, ending, tasks)
    close(y.array[..., :s.outputs], ending.apply(want))
    assert (y.array[..., s.outputs:] == -7).all(), "wrote between the output's pixels"
    return plan
