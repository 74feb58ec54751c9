"""Inputs for programs that only ask whether a net runs."""
from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

_SEED = 1


def random_inputs(shapes: Sequence[tuple[int, ...]]) -> list[np.ndarray]:
    """Numbers from 0 to 1; always the same ones.

    Parameters
    ----------
    shapes : sequence of shape

    Returns
    -------
    list of float32 ndarray
    """
    rng = np.random.default_rng(_SEED)
    return [rng.random(shape, dtype=np.float32) for shape in shapes]


def values_text(arrays: Iterable[np.ndarray]) -> str:
    """One value a line, with all the digits that a float32 needs."""
    return "".join(f"{float(v):.9g}\n" for a in arrays for v in np.asarray(a, np.float32).ravel())
