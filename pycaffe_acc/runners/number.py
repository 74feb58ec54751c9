"""Numbers as C++ streams print a float: in single precision, six significant digits."""
from __future__ import annotations

import numpy as np


def number(value: float) -> str:
    """A float32, as `std::cout` writes it."""
    return f"{float(np.float32(value)):g}"


def two_places(value: float) -> str:
    """A float32 with two decimals."""
    return f"{float(np.float32(value)):.2f}"
