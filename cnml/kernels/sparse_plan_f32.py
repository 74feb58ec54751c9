"""How a sparse float32 convolution is cut: tile, part of the outputs, block of channels, and the table that says so."""
from __future__ import annotations

from math import ceil
from typing import NamedTuple

import numpy as np

from cnml.cpu import isa
from cnml.kernels import sparse_table as st
from cnml.kernels.conv_plan_f32 import DENSE, Pixels
from cnml.kernels.conv_shape import Conv2dShape
from cnml.kernels.sparse_tiles import SPARSE_VECTORS, sparse_name
from cnml.parameter import aligned_empty

PANEL_NEAR = 24 * 1024  # bytes of a panel that stay in the first-level cache while the outputs walk their weights
PART = 256              # outputs that pass over such a share of a panel at most,
UNITS = 8               # and fewer where tiles alone would not keep so many tasks busy,
LEAST_PART = 64         # but not less


class SparseCut(NamedTuple):
    """One way to cut a sparse convolution.

    Attributes
    ----------
    nv : int
        Vectors of pixels of a tile.
    wide : int
        Pixels of a run, 0 for kernels of 1 x 1 (see `cnml.kernels.sparse_table`).
    lines : int
        Input lines in a panel.
    tiles_y, tiles_x : int
        Of an image; for kernels of 1 x 1, 1 and those of the batch.
    """

    nv: int
    wide: int
    lines: int
    tiles_y: int
    tiles_x: int

    def tiles(self, batch: int) -> int:
        """Of a batch."""
        return self.tiles_y * self.tiles_x * (batch if self.wide else 1)


class SparsePlan(NamedTuple):
    """A chosen way to run a sparse convolution.

    Attributes
    ----------
    kernel : str
        Name in the kernel table.
    cut : SparseCut
    vectors : int
        Of a channel in a panel.
    part : int
        Outputs of a group that pass over a block of channels together.
    depth_block : int
        Channels of a block.
    table : ndarray of int64
        See `cnml.kernels.sparse_table`.
    scratch_bytes : int
        Per task.
    reason : str
        For people.
    """

    kernel: str
    cut: SparseCut
    vectors: int
    part: int
    depth_block: int
    table: np.ndarray
    scratch_bytes: int
    reason: str


def cuts(shape: Conv2dShape) -> list[SparseCut]:
    """All ways to cut a convolution into tiles."""
    lanes, (height, width) = isa().lanes, shape.out
    if shape.kernel == (1, 1):
        return [SparseCut(nv, 0, nv, 1, ceil(shape.batch * height * width / (nv * lanes))) for nv in SPARSE_VECTORS]
    found = []
    for nv in SPARSE_VECTORS:
        lines = (nv - 1) * shape.stride[0] + (shape.kernel[0] - 1) * shape.dilation[0] + 1
        found += [SparseCut(nv, wide, lines, ceil(height / (nv * lanes // wide)), ceil(width / wide))
                  for wide in (lanes, lanes // 2, lanes // 4) if wide >= 4]
    return found


def cut_vectors(shape: Conv2dShape, cut: SparseCut) -> int:
    """Vectors of a channel in the panel of a tile."""
    return cut.nv if cut.wide == 0 else cut.lines * shape.kernel[1]


def plan_sparse(shape: Conv2dShape, cut: SparseCut, *, pixels: Pixels = DENSE) -> SparsePlan:
    """The plan for a way to cut.

    Parameters
    ----------
    shape : Conv2dShape
    cut : SparseCut
        One of `cuts(shape)`.
    pixels : Pixels
        Of tensors that are part of wider ones.

    Returns
    -------
    SparsePlan
    """
    lanes, pixels, (height, width) = isa().lanes, pixels.filled(shape), shape.out
    depth, outputs, vectors = shape.channels // shape.group, shape.outputs // shape.group, cut_vectors(shape, cut)
    channel_bytes, part, depth_block = 4 * lanes * vectors, part_of(shape, cut), depth_block_of(shape, cut)
    table = aligned_empty((st.WORDS,), np.int64)
    table[[st.HEIGHT, st.WIDTH, st.CHANNELS]] = shape.height, shape.width, shape.channels
    table[[st.DEPTH, st.GROUPS, st.OUTPUTS]] = depth, shape.group, outputs
    table[[st.OUT_HEIGHT, st.OUT_WIDTH, st.OUT_PIXELS]] = height, width, shape.batch * height * width
    table[[st.X_PIXEL, st.Y_PIXEL, st.ADD_PIXEL]] = [4 * int(p or 0) for p in pixels]
    table[[st.KERNEL_X, st.DILATION_X]] = shape.kernel[1], shape.dilation[1]
    table[[st.STRIDE_Y, st.STRIDE_X, st.PAD_Y, st.PAD_X]] = *shape.stride, *shape.pad
    table[[st.WIDE, st.LINES, st.CHANNEL_BYTES]] = cut.wide, cut.lines, channel_bytes
    table[st.STEP] = 4 * lanes * (shape.stride[0] * shape.kernel[1] if cut.wide else 1)
    table[[st.TILES, st.TILES_Y, st.TILES_X, st.PART, st.DEPTH_BLOCK]] = cut.tiles(shape.batch), cut.tiles_y, cut.tiles_x, part, depth_block
    sums = ceil(min(part, outputs) / lanes) * lanes * cut.nv * 4 * lanes
    scratch = 4 * shape.channels + 8 * lanes * (vectors + cut.nv) + depth * channel_bytes + sums + 4 * 64
    place = f"{cut.nv} vectors of pixels" if cut.wide == 0 else f"{cut.nv} lines x {lanes // cut.wide} x {cut.wide} pixels"
    reason = f"sparse, {isa().name}: {place}, {depth_block} channels a block"
    return SparsePlan(sparse_name(cut.nv), cut, vectors, part, depth_block, table, ceil(scratch / 64) * 64, reason)


def depth_block_of(shape: Conv2dShape, cut: SparseCut) -> int:
    """Channels of a block: as many as stay in the first-level cache, and blocks of about the same size."""
    depth = shape.channels // shape.group
    return ceil(depth / ceil(depth / max(PANEL_NEAR // (4 * isa().lanes * cut_vectors(shape, cut)), 1)))


def part_of(shape: Conv2dShape, cut: SparseCut) -> int:
    """Outputs of a group that pass together: a multiple of the lanes, or all."""
    lanes, outputs = isa().lanes, shape.outputs // shape.group
    tasks = ceil(UNITS / (cut.tiles(shape.batch) * shape.group))
    parts = max(ceil(outputs / PART), min(tasks, outputs // LEAST_PART), 1)
    return ceil(ceil(outputs / parts) / lanes) * lanes
