"""INT8 convolutions with random codes, planned direct or as exact Winograd convolutions, for the benchmarks."""
from __future__ import annotations

from functools import partial

import numpy as np
from conv_layers import KERNEL
from winograd_f32 import Candidate, call

from cnml.kernels.conv_pack_qs8 import pack_ends_qs8, pack_weights_qs8
from cnml.kernels.conv_plan_qs8 import WORD, Bytes, plan_conv2d_qs8
from cnml.kernels.conv_shape import Conv2dShape
from cnml.kernels.winograd_pack_qs8 import pack_winograd_ends_qs8, pack_winograd_qs8
from cnml.kernels.winograd_plan_qs8 import FORM, chooses_winograd_qs8, plan_winograd_qs8
from cnml.kernels.winograd_qs8 import winograd_name_qs8
from cnml.parameter import aligned_empty
from cnrt import kernel_table

#: ReLU, its bounds; nothing is added; codes of values that are never negative
ACTIVATION, NOTHING_ADDED, RESULT = (1, 0.0, 0.0), (0, 1.0, 0), (0.0, 255.0, 0)


def _bits(value: float | int) -> int:
    """An argument of a kernel as a word."""
    return value if isinstance(value, int) else int(np.float64(value).view(np.int64))


class CodesCase:
    """Random codes for a shape.

    Parameters
    ----------
    shape : Conv2dShape
    """

    def __init__(self, shape: Conv2dShape):
        rng, width = np.random.default_rng(0), -(-shape.channels // WORD) * WORD
        self.shape, self.pixels = shape, Bytes(width, -(-shape.outputs // WORD) * WORD)
        self.x = aligned_empty((shape.batch * shape.height * shape.width * width,), np.uint8)
        self.x[...] = rng.integers(0, 256, self.x.size)
        self.y = aligned_empty((shape.batch * shape.out[0] * shape.out[1] * self.pixels.y,), np.uint8)
        self.weights = rng.integers(-127, 128, (shape.outputs, shape.channels // shape.group, *shape.kernel)).astype(np.int8)
        self.factors, self.biases = np.full(shape.outputs, 1e-4, np.float32), np.zeros(shape.outputs, np.float32)

    def candidate(self, name: str, packed: np.ndarray, ends: np.ndarray, table: np.ndarray, scratch_bytes: int, cores: int,
                  middles: list[tuple[int, ...]], last: tuple[int, ...] = ()) -> Candidate:
        """Runs of a kernel, one for each of the arguments that stand behind the activation."""
        scratch = aligned_empty((scratch_bytes * cores,), np.uint8)
        addresses = (self.x, packed, ends, 0, self.y, table, scratch)
        first = [a if isinstance(a, int) else a.ctypes.data for a in addresses]
        blocks = [np.array([*first, scratch_bytes, *map(_bits, (*ACTIVATION, *middle, *NOTHING_ADDED, *RESULT, *last))], np.int64)
                  for middle in middles]
        f = KERNEL(kernel_table.address(name))
        return Candidate(None, [partial(call, f, b.ctypes.data) for b in blocks], self.x, (self, packed, ends, table, scratch, blocks))


def direct_qs8(case: CodesCase, cores: int = 1) -> Candidate:
    """The planned direct kernel."""
    plan = plan_conv2d_qs8(case.shape, case.pixels, 0)
    starts = np.zeros(case.shape.outputs, np.int32)
    ends = pack_ends_qs8(plan, starts, case.factors, case.biases, case.shape.group)
    return case.candidate(f"conv2d_nhwc_qs8_x8_{plan.tile.mr}x{plan.nr}", pack_weights_qs8(plan, case.weights, case.shape.group), ends, plan.table,
                          plan.scratch_bytes, cores, [(len(ends) // 3,)])


def winograd_qs8(case: CodesCase, cores: int = 1) -> Candidate:
    """The exact Winograd kernel."""
    plan = plan_winograd_qs8(case.shape, case.pixels, 0)
    ends = pack_winograd_ends_qs8(plan, case.factors, case.biases)
    made = case.candidate(winograd_name_qs8(1), pack_winograd_qs8(plan, case.weights), ends, plan.table, plan.scratch_bytes, cores,
                          [(step,) for step in plan.steps], (len(ends) // 2,))
    return made._replace(form=FORM)


def both_qs8(shape: Conv2dShape, cores: int = 1) -> tuple[Candidate, Candidate]:
    """The direct kernel, and what the choice takes."""
    case = CodesCase(shape)
    plain = direct_qs8(case, cores)
    chosen = chooses_winograd_qs8(shape, plan_conv2d_qs8(shape, case.pixels, 0).cost)
    return plain, winograd_qs8(case, cores) if chosen else plain
