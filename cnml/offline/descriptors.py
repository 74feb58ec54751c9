"""How the runtime describes a tensor of a graph: four extents, float32, Caffe's order."""
from __future__ import annotations

from dataclasses import replace
from math import prod

from cnml.tensor import Shape
from cnrt.data_desc import TensorSpec
from cnrt.enums import DimOrder


def describe(name: str, shape: Shape, order: DimOrder = DimOrder.NCHW) -> TensorSpec:
    """Missing axes are ones at the end; axes beyond the fourth are folded into it.

    Parameters
    ----------
    name : str
    shape : tuple of int
    order : DimOrder
        NCHW or NHWC, for tensors of four axes; others have Caffe's order always.

    Returns
    -------
    TensorSpec

    Raises
    ------
    CnrtError
        INVALID_DATADESC for an empty tensor.
    """
    n, c, h, *rest = (*shape, 1, 1, 1)[:max(len(shape), 3)]
    spec = TensorSpec(name, (n, c, h, prod(rest)))
    return replace(spec, order=order) if len(shape) == 4 else spec
