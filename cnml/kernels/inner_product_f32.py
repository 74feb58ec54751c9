"""Float32 inner products: y = activation(x wᵀ + bias).

With few rows the time is that of reading the weights once, which `cnml.kernels.inner_rows_f32` does; more rows are a 1 x 1 convolution over a line of
M pixels.
"""
from __future__ import annotations

import numpy as np

from cnml.cpu import isa
from cnml.kernels.conv_pack_f32 import pack_conv2d_f32
from cnml.kernels.conv_plan_f32 import Conv2dShape, ConvPlan, Pixels, plan_conv2d
from cnml.kernels.conv_tiles import Tile
from cnml.kernels.inner_tiles import FEW, inner_name, inner_tile_for
from cnml.parameter import aligned_empty


def plan_inner_product(m: int, k: int, n: int, *, y_pixel: int | None = None) -> ConvPlan:
    """Choose how an inner product runs.

    Parameters
    ----------
    m, k, n : int
        Rows, their length, outputs.
    y_pixel : int, optional
        Elements from one row of the output to the next; default n.

    Returns
    -------
    ConvPlan
        Its kernel takes the arguments of `cnml.kernels.conv_f32`.
    """
    shape, pixels, lanes = Conv2dShape(1, k, 1, m, n, (1, 1)), Pixels(y=y_pixel), isa().lanes
    if m > FEW:
        return plan_conv2d(shape, pixels=pixels, variant="direct")
    mr, nr = inner_tile_for(m)
    plan = plan_conv2d(shape, pixels=pixels, variant="direct", tile=Tile(mr, nr // lanes, 1.0))  # for the order of the weights
    table = aligned_empty((4,), np.int64)
    table[:] = m, k, n, 4 * (y_pixel or n)
    return plan._replace(kernel=inner_name(mr, nr), table=table, scratch_bytes=64,
                         reason=f"inner, {isa().name}: {mr} rows x {nr} outputs, weights read once")


def pack_inner_product_f32(plan: ConvPlan, weights: np.ndarray, bias: np.ndarray | None = None, transpose: bool = False,
                           scale: np.ndarray | None = None, shift: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Pack the weights of an inner product.

    Parameters
    ----------
    plan : ConvPlan
    weights : (N, K) float, or (K, N) with `transpose`
    bias, scale, shift : (N,) float, optional
        y = scale * (x wᵀ + bias) + shift.
    transpose : bool

    Returns
    -------
    packed, bias : float32
        See `pack_conv2d_f32`.
    """
    w = np.asarray(weights).T if transpose else np.asarray(weights)
    return pack_conv2d_f32(plan, w[:, :, None, None], bias, 1, scale, shift)
