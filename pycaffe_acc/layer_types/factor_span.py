"""Which axes of a bottom the factor of a Scale or Bias layer spans."""
from __future__ import annotations

from cnml.tensor import Shape
from pycaffe_acc.layer import Layer


def factor_span(layer: Layer, bottoms: list[Shape], axis: int, num_axes: int) -> tuple[int, Shape]:
    """First axis and shape of the factor.

    Parameters
    ----------
    layer : Layer
        For messages.
    bottoms : list of tuple of int
        A second one is the factor itself; then `num_axes` is ignored.
    axis, num_axes : int
        As given in the prototxt: negative axes count from the end, num_axes -1 is all that follow.

    Raises
    ------
    CheckError
    """
    x = bottoms[0]
    if len(bottoms) == 1:
        first = layer.axis(axis, len(x))
        layer.check(num_axes >= -1, f"num_axes is {num_axes}; it must not be negative, or -1 for all that follow")
        end = len(x) if num_axes == -1 else first + num_axes
        layer.check(end <= len(x), f"axis {first} and num_axes {num_axes} reach beyond its bottom of shape {x}")
        return first, x[first:end]
    factor = bottoms[1]
    first = layer.axis(axis, len(x)) if factor else 0
    layer.check(first + len(factor) <= len(x), f"its second bottom of shape {factor} reaches from axis {first} beyond the first, of shape {x}")
    for i, d in enumerate(factor):
        layer.check(x[first + i] == d,
                    f"dimension mismatch: axis {i} of its second bottom {factor} is {d}, axis {first + i} of the first {x} is {x[first + i]}; they "
                    f"must be equal")
    return first, factor
