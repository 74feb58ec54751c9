"""Whether an INT8 layer runs by the kernel that skips words of weights: by estimated cycles, unless the environment says."""
from __future__ import annotations

from math import prod
from typing import NamedTuple

from cnml.cpu import isa
from cnml.kernels.conv_shape import Conv2dShape
from cnml.kernels.sparse_choice import ASKED, asked, demanded
from cnml.kernels.sparse_cost_qs8 import sparse_cost_qs8
from cnml.kernels.sparse_plan_qs8 import SparseTile, sparse_tiles
from cnml.kernels.sparse_rows_pack_qs8 import rows_share, takes_rows

#: so much of the dense kernel's time the sparse one may take: estimates err by about as much as is left
WORTHWHILE = 0.85


class SparseChoiceInt8(NamedTuple):
    """What was chosen.

    Attributes
    ----------
    tile : SparseTile or None
        None is dense.
    reason : str
        For people; empty where there was nothing to choose.
    """

    tile: SparseTile | None
    reason: str = ""


def fills_lanes(shape: Conv2dShape) -> bool:
    """Whether there are pixels enough: an inner product of a few rows leaves lanes idle, and reads its lists from memory once for all of them."""
    return shape.batch * prod(shape.out) >= 2 * isa().lanes


def choose_sparse_qs8(shape: Conv2dShape, words: tuple[int, int], cost: float, *, dense_input: bool = True, net: bool = False,
                      worthwhile: float = WORTHWHILE) -> SparseChoiceInt8:
    """Sparse or dense, and the tile.

    Parameters
    ----------
    shape : Conv2dShape
        In channels, of a kind that `cnml.kernels.conv_plan_qs8.takes_int8`.
    words : (int, int)
        Words of four input channels with weights other than zero, and all words.
    cost : float
        Estimated cycles of the dense kernel.
    dense_input : bool
        See `sparse_tiles`.
    net : bool
        The net asks for sparse kernels (`sparse_mode`).
    worthwhile : float
        Share of the dense kernel's time that the sparse one may take where it does not.

    Returns
    -------
    SparseChoiceInt8

    Raises
    ------
    CnmlError
        `PYCAFFE_ACC_SPARSE` is set to something unknown.
    """
    live, every = words
    if asked() == "off" or live == every:
        return SparseChoiceInt8(None)
    costs = {tile: sparse_cost_qs8(shape, tile, live) for tile in sparse_tiles(shape, dense_input)}
    best = min(costs, key=costs.__getitem__)
    filled, empty, share = fills_lanes(shape), f"{(every - live) / every:.0%} empty words", costs[best] / cost
    why = demanded(every - live)
    if why:
        return SparseChoiceInt8(best, f"{empty}, {why}")
    if share < (max(worthwhile, ASKED) if net else worthwhile) and filled:
        return SparseChoiceInt8(best, f"{empty}, est. {share:.2f} of dense")
    against = f"sparse est. {share:.2f} of it" if filled else "too few pixels for sparse lanes"
    return SparseChoiceInt8(None, f"{empty}, {against}, against sparse_mode" if net else "")


def rows_run_sparse(shape: Conv2dShape, words: tuple[int, int], cost: float) -> str:
    """Why an inner product of a few rows runs by the kernel for them; empty where it does not, or is none.

    Parameters
    ----------
    shape, words, cost
        As of `choose_sparse_qs8`.

    Raises
    ------
    CnmlError
        `PYCAFFE_ACC_SPARSE` is set to something unknown.
    """
    live, every = words
    if asked() == "off" or live == every or not takes_rows(shape):
        return ""
    empty, share = f"{(every - live) / every:.0%} empty words", rows_share(shape, live, cost)
    why = demanded(every - live) or (f"est. {share:.2f} of dense" if share < WORTHWHILE else "")
    return why and f"{empty}, {why}"
