"""Random INT8 convolutions with the results that their definition gives, for the tests of kernels that must give the same bits."""
from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from cnml_tests.kernels_tests.guarded_bytes import Pixels, pitches

from cnml.kernels.conv_plan_qs8 import Bytes
from cnml.parameter import aligned_empty
from cnml.reference.codes import decode, encode
from cnml.reference.convolution_int8 import convolution_sums, end_convolution
from cnml.reference.quantized import activated

SIGNED, UNSIGNED = (-127.0, 127.0, 128), (0.0, 255.0, 0)
NOTHING, RELU, LEAKY, CLIP = (0, 0.0, 0.0), (1, 0.0, 0.0), (2, 0.25, 0.0), (3, -20.5, 60.25)
ADD_FACTOR, ADD_ZERO = 0.3, 128
#: what is added → its number for kernels
KINDS = {"": 0, "codes": 1, "floats": 2}


class Int8Case(NamedTuple):
    """One convolution. `x` and `more` (what is added, or None) lie in guarded memory; `want` has codes, or floats for results of four bytes."""

    x: Pixels
    more: Pixels | None
    starts: np.ndarray
    factors: np.ndarray
    biases: np.ndarray
    want: np.ndarray
    y_pitch: int

    @property
    def pixels(self) -> Bytes:
        """Bytes of pixels, for plans."""
        return Bytes(self.x.pitch, self.y_pitch, self.more.pitch if self.more else 0)

    @property
    def added(self) -> int | None:
        """Address of what is added."""
        return self.more.address if self.more else None

    def check(self, scratch_bytes: int, tasks: int, invoke: Callable[[Pixels, np.ndarray], None]) -> None:
        """Let `invoke(results, scratch)` run kernels; nothing beside the results and the scratch may change, and every bit must be right."""
        y, scratch = Pixels(np.zeros_like(self.want), self.y_pitch), aligned_empty((tasks * scratch_bytes + 64,), np.uint8)
        scratch[...] = 0xA5
        invoke(y, scratch)
        assert (scratch[tasks * scratch_bytes:] == 0xA5).all(), "scratch overrun"
        y.check()
        np.testing.assert_array_equal(y.values, self.want)


def random_codes(rng, s, zero):
    """Codes of an input, (N, H, W, C) uint8."""
    return rng.integers(1 if zero else 0, 256, (s.batch, s.height, s.width, s.channels)).astype(np.uint8)


def random_weights(rng, s):
    """Codes of weights, (Cout, Cin / group, …) int8."""
    return rng.integers(-127, 128, (s.outputs, s.channels // s.group, *s.kernel)).astype(np.int8)


def int8_case(rng, s, codes, weights, *, item, zero, limits, activation, add, extra, large, density=1.0):
    """The case of codes and weights with random factors, biases and what is added.

    `large` replaces some biases, with factors that no bound holds for; `density` is the share of weights that are not zero; `extra` bytes lie between
    pixels.
    """
    factors = (rng.random(s.outputs) / (60 * np.sqrt(weights[0].size * max(density, 0.01)))).astype(np.float32)
    biases = (rng.standard_normal(s.outputs) * 20).astype(np.float32)
    if large is not None:
        biases[::3], factors[1::3] = large, 10.0
    starts = (-zero * weights.astype(np.int64).sum((1, 2, 3))).astype(np.int32)
    sums = convolution_sums(codes, weights, zero, starts, s.out, s.stride, s.pad, s.dilation, s.group)
    other, added = None, None
    if add == "codes":
        other = rng.integers(0, 256, sums.shape).astype(np.uint8)
        added = decode(other, ADD_ZERO)
    elif add == "floats":
        other = added = (rng.standard_normal(sums.shape) * 90).astype(np.float32)
    want = activated(end_convolution(sums, factors, biases, added, ADD_FACTOR), *activation)
    if item == 1:
        want = encode(want, *limits)
    more = None if other is None else Pixels(other, pitches(s.outputs, other.itemsize)[0] + extra)
    return Int8Case(Pixels(codes, pitches(s.channels)[0] + extra), more, starts, factors, biases, want, pitches(s.outputs, item)[0] + 2 * extra)
