"""How a factor that spans some axes of a tensor lies over its memory."""
from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cnml.tensor import Layout, Shape, count


class Bands(NamedTuple):
    """The tensor's memory as (groups, rows, dim, inner), the factor's as (groups, dim).

    Element (g, r, d, i) of the tensor meets element (g, d) of the factor.
    """

    groups: int
    rows: int
    dim: int
    inner: int


def follows_channels(shape: Shape, axis: int, span: int) -> bool:
    """Whether a factor over axes axis .. axis + span - 1 can stay as it is when the tensor lies in NHWC."""
    varying = [a for a in range(axis, axis + span) if shape[a] != 1]
    return len(shape) == 4 and all(a <= 1 for a in varying)


def bands(shape: Shape, layout: Layout, axis: int, span: int) -> Bands:
    """Lay a factor of shape `shape[axis:axis + span]` over a tensor.

    Parameters
    ----------
    shape : tuple of int
        The tensor's logical shape.
    layout : Layout
        NHWC only if `follows_channels`.
    axis, span : int
        The axes the factor has.

    Returns
    -------
    Bands
    """
    if layout is Layout.NHWC:
        n, c, h, w = shape
        groups = n if axis == 0 and span > 0 else 1
        if axis + span < 2:  # does not reach the channels
            return Bands(1, 1, groups, count(shape) // max(groups, 1))
        return Bands(groups, count(shape) // max(groups * c, 1), c, 1)
    return Bands(1, count(shape[:axis]), count(shape[axis:axis + span]), count(shape[axis + span:]))


#: shortest run of consecutive factors that keeps vector loops busy
RUN = 128


def repeats(plan: Bands) -> int:
    """How often to repeat a short factor so that one row of the tensor's memory is several of its rows; 1 where that cannot be.

    Only a factor with one group and no inner axis repeats over memory with a period of its own length.
    """
    return -(-RUN // plan.dim) if plan.groups == 1 and plan.inner == 1 and 0 < plan.dim < RUN and plan.rows > 1 else 1


def repeated(plan: Bands, times: int) -> Bands:
    """The plan for a factor that stands `times` times in a row; the last row may end beyond the tensor."""
    return Bands(plan.groups, -(-plan.rows // times), plan.dim * times, plan.inner) if times > 1 else plan


def repeat(factor: np.ndarray, times: int) -> np.ndarray:
    """The factor `times` times in a row, flat."""
    return np.tile(factor.reshape(-1), times)
