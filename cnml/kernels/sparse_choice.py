"""Whether a layer runs by a kernel that skips weights of zero: by estimated cycles, unless the environment says."""
from __future__ import annotations

import os
from typing import NamedTuple

from cnml.cpu import isa
from cnml.errors import CnmlError, Status
from cnml.kernels.conv_cost_f32 import direct_cost
from cnml.kernels.conv_shape import Conv2dShape
from cnml.kernels.sparse_cost_f32 import inner_cost, sparse_cost, sparse_inner_cost
from cnml.kernels.sparse_inner_pack_f32 import LONGEST
from cnml.kernels.sparse_plan_f32 import SparseCut, cuts
from cnml.kernels.winograd_choice import choose_winograd, winograd_cost

VARIABLE = "PYCAFFE_ACC_SPARSE"
CHOICES: tuple[str, ...] = ("auto", "off", "on")

WORTHWHILE = 0.85  # so much of the dense kernel's time a sparse one may take: estimates err by about as much as is left
ASKED = 0.95  # and so much where the net asks for sparse kernels (`sparse_mode`): in doubt it gets them, and pays at most what the estimate errs by


class SparseChoice(NamedTuple):
    """What was chosen.

    Attributes
    ----------
    cut : SparseCut or None
        Of a convolution; None is dense.
    reason : str
        For people; empty where there was nothing to choose.
    """

    cut: SparseCut | None
    reason: str = ""


def asked() -> str:
    """The value of the override variable.

    Raises
    ------
    CnmlError
        It names no known way.
    """
    value = os.environ.get(VARIABLE, "") or "auto"
    if value not in CHOICES:
        raise CnmlError(f"{VARIABLE} is '{value}'; it must be one of {', '.join(CHOICES)}", Status.INVALIDARG)
    return value


def demanded(zeros: int) -> str:
    """Why a layer with so many zeros runs sparse whatever that costs; empty if it need not."""
    return f"{VARIABLE} asks for it" if zeros and asked() == "on" else ""


def takes_sparse(shape: Conv2dShape) -> bool:
    """Whether sparse kernels can run a convolution on channels-last images: not with so few channels that lanes would be idle."""
    least = isa().lanes // 2
    return shape.channels // shape.group >= least and shape.outputs // shape.group >= least


def choose_sparse(shape: Conv2dShape, zeros: int, weights: int, net: bool = False, worthwhile: float = WORTHWHILE) -> SparseChoice:
    """Sparse or dense, and the cut.

    Parameters
    ----------
    shape : Conv2dShape
    zeros, weights : int
        How many of the weights are zero, and how many there are.
    net : bool
        The net asks for sparse kernels (`sparse_mode`).
    worthwhile : float
        Share of the dense kernel's time that the sparse one may take where it does not.

    Returns
    -------
    SparseChoice

    Raises
    ------
    CnmlError
        `PYCAFFE_ACC_SPARSE` is set to something unknown.
    """
    if asked() == "off" or zeros == 0 or not takes_sparse(shape):
        return SparseChoice(None)
    density = 1.0 - zeros / weights
    costs = {cut: sparse_cost(shape, cut, density) for cut in cuts(shape)}
    best = min(costs, key=costs.__getitem__)
    why = demanded(zeros)
    if why:
        return SparseChoice(best, f"{zeros / weights:.0%} zeros, {why}")
    form = choose_winograd(shape).form
    share = costs[best] / (direct_cost(shape) if form is None else winograd_cost(shape, form))
    if share < (max(worthwhile, ASKED) if net else worthwhile):
        return SparseChoice(best, f"{zeros / weights:.0%} zeros, est. {share:.2f} of dense")
    return SparseChoice(None, f"{zeros / weights:.0%} zeros, sparse est. {share:.2f} of it" + (", against sparse_mode" if net else ""))


def inner_runs_sparse(m: int, k: int, n: int, zeros: int, net: bool = False, item: int = 4) -> str:
    """Why an inner product of m rows of k values and n outputs runs sparse; empty where it runs dense.

    Parameters
    ----------
    m, k, n : int
    zeros : int
        Weights that are zero.
    net : bool
        The net asks for sparse kernels.
    item : int
        Bytes of a weight.

    Raises
    ------
    CnmlError
        `PYCAFFE_ACC_SPARSE` is set to something unknown.
    """
    if asked() == "off" or zeros == 0 or k > LONGEST:
        return ""
    share = sparse_inner_cost(m, k, n, 1.0 - zeros / (k * n), item) / inner_cost(m, k, n, item)
    return demanded(zeros) or (f"est. {share:.2f} of dense" if share < (ASKED if net else WORTHWHILE) else "")
