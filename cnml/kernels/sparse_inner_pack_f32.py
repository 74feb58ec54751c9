"""The weights of a sparse inner product, output by output."""
from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cnml.cpu import isa
from cnml.kernels.sparse_tiles import sparse_inner_name, sparse_rows_for
from cnml.parameter import aligned_empty

LONGEST = 1 << 16  # row that 16-bit places can index


class SparseInnerPlan(NamedTuple):
    """How a sparse inner product runs.

    Attributes
    ----------
    kernel : str
        Name in the kernel table, for weights in float32.
    table : ndarray of int64
        Argument `table` of `cnml.kernels.sparse_inner_f32`.
    scratch_bytes : int
        Per task.
    reason : str
        For people.
    """

    kernel: str
    table: np.ndarray
    scratch_bytes: int
    reason: str


def plan_sparse_inner(m: int, k: int, n: int) -> SparseInnerPlan:
    """The plan for m rows of k values and n outputs (k at most `LONGEST`)."""
    mr = sparse_rows_for(m, isa().lanes)
    table = aligned_empty((4,), np.int64)
    table[:] = m, k, n, 4 * n
    return SparseInnerPlan(sparse_inner_name(mr), table, max(64, 4 * mr * k if mr > 1 else 0), f"sparse inner, {isa().name}: {mr} rows")


def pack_sparse_inner_f32(weights: np.ndarray, bias: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The weights that are not zero.

    Parameters
    ----------
    weights : (N, K) float
        K at most `LONGEST`.
    bias : (N,) float, optional

    Returns
    -------
    values : float32
        Output by output.
    bias : (N,) float32
    places : uint16
        Column of each value.
    starts : (N + 1,) int32
        Where each output's values begin.
    """
    w = np.asarray(weights, np.float32)
    outputs, columns = np.nonzero(w)
    values, places, starts = aligned_empty(outputs.shape), aligned_empty(outputs.shape, np.uint16), aligned_empty((len(w) + 1,), np.int32)
    values[:], places[:] = w[outputs, columns], columns
    starts[:] = np.searchsorted(outputs, np.arange(len(w) + 1))
    whole = aligned_empty((len(w),))
    whole[:] = 0 if bias is None else np.reshape(bias, -1)
    return values, whole, places, starts
