"""Layered layout of a directed acyclic graph, after Sugiyama.

Ranks are longest paths from the sources; long links get a bend point in each rank they cross; points of a rank are ordered by the
barycentres of their neighbours; positions minimise the squared distances to the neighbours' mean (pool-adjacent-violators keeps boxes from
touching).
"""
from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Sequence
from dataclasses import dataclass

_SWEEPS = 12
_BEND_WEIGHT = 2.0  # bends pull harder than boxes, which keeps long links straight
_CENTRING = 0.12  # boxes are drawn a little towards the middle, without which wide blocks make the net wander sideways


@dataclass(frozen=True)
class Layout:
    """Where everything lies: `along` runs with the ranks, `across` within one.

    Attributes
    ----------
    centres : list of (float, float)
        (across, along) of each node.
    paths : list of list of (float, float)
        For each edge the points it passes, ends included.
    extent : (float, float)
        Size of the drawing.
    """

    centres: list[tuple[float, float]]
    paths: list[list[tuple[float, float]]]
    extent: tuple[float, float]


def layered_layout(sizes: Sequence[tuple[float, float]], edges: Sequence[tuple[int, int]], gap: tuple[float, float], margin: float) -> Layout:
    """Place nodes and edges.

    Parameters
    ----------
    sizes : sequence of (float, float)
        Extent of each node across and along the ranks.
    edges : sequence of (int, int)
        Source and target; source < target, so the graph has no cycle.
    gap : (float, float)
        Least space between nodes across and along.
    margin : float
        Around everything.

    Returns
    -------
    Layout
    """
    ranks = _ranks(len(sizes), edges)
    grid = _Grid(sizes, edges, ranks)
    grid.order()
    across = grid.positions(gap[0])
    along, total = _along(sizes, ranks, gap[1], margin)
    left = min((across[p] - grid.width[p] / 2 for p in range(len(across))), default=0.0)
    right = max((across[p] + grid.width[p] / 2 for p in range(len(across))), default=0.0)
    shift = margin - left
    middle = [along[r][0] for r in range(len(along))]
    centres = [(across[i] + shift, middle[ranks[i]]) for i in range(len(sizes))]
    paths = []
    for (source, target), bends in zip(edges, grid.bends, strict=True):
        start, end = centres[source], centres[target]
        points = [(start[0], start[1] + sizes[source][1] / 2)]
        for bend in bends:
            centre, thickness = along[grid.rank[bend]]
            # straight through the rank, so that the curve passes beside the boxes and not over them
            points += [(across[bend] + shift, centre - thickness / 2), (across[bend] + shift, centre + thickness / 2)]
        points.append((end[0], end[1] - sizes[target][1] / 2))
        paths.append(points)
    return Layout(centres, paths, (right - left + 2 * margin, total))


def _ranks(n: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """Longest path from a source; a source itself goes right above the first node that reads it."""
    ranks = [0] * n
    for source, target in sorted(edges, key=lambda e: e[1]):
        ranks[target] = max(ranks[target], ranks[source] + 1)
    has_input = {target for _, target in edges}
    for node in range(n):
        readers = [ranks[target] for source, target in edges if source == node] if node not in has_input else []
        if readers:
            ranks[node] = min(readers) - 1
    return ranks


def _along(sizes: Sequence[tuple[float, float]], ranks: Sequence[int], gap: float, margin: float) -> tuple[list[tuple[float, float]], float]:
    """(centre, thickness) of each rank, and the total extent."""
    thickness = [0.0] * (max(ranks, default=-1) + 1)
    for (_, size), rank in zip(sizes, ranks, strict=True):
        thickness[rank] = max(thickness[rank], size)
    out, at = [], margin
    for t in thickness:
        out.append((at + t / 2, t))
        at += t + gap
    return out, at - (gap if thickness else 0.0) + margin


class _Grid:
    """Points in ranks: the nodes, then the bends of long edges."""

    def __init__(self, sizes: Sequence[tuple[float, float]], edges: Sequence[tuple[int, int]], ranks: Sequence[int]):
        self.rank = list(ranks)
        self.width = [s[0] for s in sizes]
        self.n_nodes = len(sizes)
        self.bends: list[list[int]] = []
        segments: list[tuple[int, int]] = []
        for source, target in edges:
            bends = []
            for rank in range(ranks[source] + 1, ranks[target]):
                bends.append(len(self.rank))
                self.rank.append(rank)
                self.width.append(0.0)
            self.bends.append(bends)
            chain = [source, *bends, target]
            segments += list(zip(chain, chain[1:], strict=False))
        self.above: list[list[int]] = [[] for _ in self.rank]
        self.below: list[list[int]] = [[] for _ in self.rank]
        for a, b in segments:
            self.below[a].append(b)
            self.above[b].append(a)
        self.rows: list[list[int]] = [[] for _ in range(max(self.rank, default=-1) + 1)]
        for point in self._depth_first():
            self.rows[self.rank[point]].append(point)

    def _depth_first(self) -> list[int]:
        """All points, those of a branch together: a good first order."""
        seen = [False] * len(self.rank)
        out = []
        for root in range(len(self.rank)):
            stack = [root] if not self.above[root] else []
            while stack:
                point = stack.pop()
                if not seen[point]:
                    seen[point] = True
                    out.append(point)
                    stack += reversed(self.below[point])
        return out

    def crossings(self) -> int:
        """Number of pairs of segments that cross."""
        total = 0
        for row, following in zip(self.rows, self.rows[1:], strict=False):
            place = {p: i for i, p in enumerate(following)}
            ends: list[int] = []
            for point in row:
                targets = sorted(place[q] for q in self.below[point])
                total += sum(len(ends) - bisect_right(ends, t) for t in targets)
                for t in targets:
                    insort(ends, t)
        return total

    def order(self) -> None:
        """Sort each row by the barycentres of the row before (down) and after (up); keep the best of all sweeps."""
        best, kept = self.crossings(), [list(r) for r in self.rows]
        for sweep in range(_SWEEPS):
            if best == 0:
                break
            down = sweep % 2 == 0
            neighbours = self.above if down else self.below
            indices = range(1, len(self.rows)) if down else range(len(self.rows) - 2, -1, -1)
            for r in indices:
                other = {p: i for i, p in enumerate(self.rows[r - 1 if down else r + 1])}
                places = {p: i for i, p in enumerate(self.rows[r])}
                self.rows[r].sort(key=lambda p: _mean([other[q] for q in neighbours[p]], places[p]))
            crossings = self.crossings()
            if crossings < best:
                best, kept = crossings, [list(r) for r in self.rows]
        self.rows = kept

    def positions(self, gap: float) -> list[float]:
        """Centre of each point across its rank."""
        x = [0.0] * len(self.rank)
        for row in self.rows:
            spaces = self._spaces(row, gap)
            for point, at in zip(row, spaces, strict=True):
                x[point] = at - spaces[-1] / 2
        for sweep in range(2 * _SWEEPS):
            down = sweep % 2 == 0
            for row in self.rows if down else reversed(self.rows):
                # the last sweeps look both ways, which centres a box between its neighbours
                both = sweep >= _SWEEPS
                wanted = []
                for p in row:
                    neighbours = (self.above[p] + self.below[p]) if both else (self.above[p] if down else self.below[p])
                    pull = _CENTRING if p < self.n_nodes else 0.0
                    wanted.append((1.0 - pull) * _mean([x[q] for q in neighbours], x[p]))
                weights = [1.0 if p < self.n_nodes else _BEND_WEIGHT for p in row]
                for p, at in zip(row, _spread(wanted, weights, self._spaces(row, gap)), strict=True):
                    x[p] = at
        return x

    def _spaces(self, row: Sequence[int], gap: float) -> list[float]:
        """Least distance of each point of a row from the first one."""
        out = [0.0]
        for a, b in zip(row, row[1:], strict=False):
            out.append(out[-1] + (self.width[a] + self.width[b]) / 2 + gap)
        return out


def _mean(values: Sequence[float], default: float) -> float:
    return sum(values) / len(values) if values else default


def _spread(wanted: Sequence[float], weights: Sequence[float], spaces: Sequence[float]) -> list[float]:
    """Positions with at least the distances of `spaces`, closest to the wanted ones in weighted squares (pool adjacent violators)."""
    blocks: list[list[float]] = []  # sum of weight * value, weight, count
    for value, weight, space in zip(wanted, weights, spaces, strict=True):
        blocks.append([weight * (value - space), weight, 1])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] > blocks[-1][0] / blocks[-1][1]:
            last = blocks.pop()
            blocks[-1] = [a + b for a, b in zip(blocks[-1], last, strict=True)]
    flat = [total / weight for total, weight, count in blocks for _ in range(int(count))]
    return [v + s for v, s in zip(flat, spaces, strict=True)]
