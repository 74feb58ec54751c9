"""The bound on what a net may allocate."""
from __future__ import annotations

import os

from cnml.tensor import Shape, count
from pycaffe_acc.errors import CheckError

DEFAULT_BYTES = 8 << 30


def budget() -> int:
    """Bytes of `PYCAFFE_ACC_MAX_BYTES` (default 8 GiB).

    Raises
    ------
    CheckError
        When the variable is not a positive whole number.
    """
    value = os.environ.get("PYCAFFE_ACC_MAX_BYTES")
    if value is None:
        return DEFAULT_BYTES
    if not value.isdecimal() or int(value) < 1:
        raise CheckError(f"PYCAFFE_ACC_MAX_BYTES is '{value}'; it must be a whole number of bytes")
    return int(value)


def check_activations(shapes: dict[str, Shape]) -> None:
    """Refuse blobs that together need more than the budget, before anything is allocated.

    Parameters
    ----------
    shapes : dict of str to tuple of int

    Raises
    ------
    CheckError
        Naming the largest blob.
    """
    limit = budget()
    total = sum(4 * count(s) for s in shapes.values())
    if total > limit:
        name = max(shapes, key=lambda n: count(shapes[n]))
        raise CheckError(f"the net's blobs need {total} bytes, the largest is '{name}' with shape {shapes[name]}; the budget is {limit} bytes (set "
                         f"PYCAFFE_ACC_MAX_BYTES to change it)")
