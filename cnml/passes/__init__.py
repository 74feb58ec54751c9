"""Rewritings of a graph that change its speed and nothing else, one a file, in the order they run.

A pass is a function (graph, retained) → graph: it leaves the graph it gets as it is, keeps every retained tensor, and keeps the tensors' values. Each
can be switched off by name with `PYCAFFE_ACC_PASSES_OFF=name,name` (`all` switches off every one).
"""
from __future__ import annotations

import os
from collections.abc import Callable

from cnml.errors import CnmlError
from cnml.graph import Graph
from cnml.passes.by_image import by_image
from cnml.passes.drop_dead import drop_dead
from cnml.passes.drop_views import drop_views
from cnml.passes.fold_affine import fold_affine
from cnml.passes.fold_ahead import fold_ahead
from cnml.passes.fuse_activation import fuse_activation
from cnml.passes.fuse_separable import fuse_separable
from cnml.passes.fuse_sum import fuse_sum
from cnml.tensor import Tensor

Pass = Callable[[Graph, set[Tensor]], Graph]

#: graph passes by name, in the order they run
PASSES: dict[str, Pass] = {
    "drop_views": drop_views,
    "drop_dead": drop_dead,
    "fold_affine": fold_affine,
    "fold_ahead": fold_ahead,
    "fuse_activation": fuse_activation,
    "fuse_sum": fuse_sum,
    "fuse_separable": fuse_separable,
    "by_image": by_image,
}
#: steps of the planning of memory that can be switched off with the same variable
PLACEMENTS = ("place_concat", "place_slice", "reuse_memory")
VARIABLE = "PYCAFFE_ACC_PASSES_OFF"


def switched_off() -> frozenset[str]:
    """The names in `PYCAFFE_ACC_PASSES_OFF`.

    Raises
    ------
    CnmlError
        For a name that no pass has.
    """
    known = (*PASSES, *PLACEMENTS)
    names = [n.strip() for n in os.environ.get(VARIABLE, "").split(",") if n.strip()]
    if "all" in names:
        return frozenset(known)
    for name in names:
        if name not in known:
            raise CnmlError(f"{VARIABLE} names '{name}'; the passes are {', '.join(known)}, or all")
    return frozenset(names)


def run_passes(graph: Graph, retained: set[Tensor], off: frozenset[str] = frozenset()) -> Graph:
    """The graph after every pass that is not switched off.

    Parameters
    ----------
    graph : Graph
        Left as it is.
    retained : set of Tensor
        Values that must be readable after a run.
    off : frozenset of str
        Names of passes to leave out.

    Returns
    -------
    Graph
        With tensors of the given graph.
    """
    for name, step in PASSES.items():
        if name not in off:
            graph = step(graph, retained)
    return graph
