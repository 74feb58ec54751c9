"""Where values that live for a while lie in one block of memory."""
from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

_ALIGNMENT = 64


class Span(NamedTuple):
    """Bytes that are needed from one step to another, both included."""

    nbytes: int
    first: int
    last: int


def arrange(spans: Sequence[Span]) -> tuple[list[int], int]:
    """Offsets at which spans that live at the same time do not overlap: the largest first, each at the lowest place that is free.

    Parameters
    ----------
    spans : sequence of Span

    Returns
    -------
    offsets : list of int
        One for each span, multiples of 64.
    total : int
        Bytes of the block.
    """
    offsets = [0] * len(spans)
    placed: list[tuple[int, int, Span]] = []  # offset, end, span; ordered by offset
    total = 0
    for i in sorted(range(len(spans)), key=lambda i: (-spans[i].nbytes, spans[i].first)):
        span = spans[i]
        size = -(-span.nbytes // _ALIGNMENT) * _ALIGNMENT
        at = 0
        for offset, end, other in placed:
            if other.last < span.first or span.last < other.first:
                continue
            if at + size <= offset:
                break
            at = max(at, end)
        offsets[i] = at
        placed.append((at, at + size, span))
        placed.sort(key=lambda p: p[0])
        total = max(total, at + size)
    return offsets, total
