"""How many weights of a net are zero, and how many of them the kernels skip that it runs by."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cnml.sparsity import Sparsity
from pycaffe_acc.net import Net
from pycaffe_acc.sliced_net import SlicedNet


def sparsity_by_operator(net: Net, fusion: bool = True) -> list[tuple[str, Sparsity]]:
    """The operators that have weights, as a forward with the present shapes, weights and precision runs them. Nothing is run.

    Parameters
    ----------
    net : Net
    fusion : bool
        False shows every layer alone; names are those of layers then.

    Returns
    -------
    list of (str, Sparsity)
    """
    rows: list[tuple[str, Sparsity]] = []
    with net._exclusive("sparsity_by_operator() was called"):
        for section in net._stages.cut(0, len(net._wiring.layers) - 1):
            executable = net._stages.stage(section, fusion).executable
            executable.kernel_names()  # chooses them
            rows += executable.sparsity()
    return rows


def in_total(rows: list[tuple[str, Sparsity]]) -> Sparsity:
    """The sum of `sparsity_by_operator`."""
    return sum((s for _, s in rows), Sparsity())


def of_slices(one: Sparsity, slices: int) -> Sparsity:
    """All slices of a batch, from one's: they share the weights, and each has its own products."""
    return one._replace(macs=slices * one.macs, skipped_macs=slices * one.skipped_macs)


def sparsity_of(net: object) -> Sparsity | None:
    """The total of what can be evaluated: a Net on the host, or slices of one; None for anything else."""
    if isinstance(net, SlicedNet):
        return of_slices(in_total(sparsity_by_operator(net.parts[0])), len(net.parts))
    return in_total(sparsity_by_operator(net)) if isinstance(net, Net) and net._card is None else None


def as_fields(s: Sparsity) -> dict[str, Any]:
    """For JSON: counts, and the shares `achieved` (weights that are zero) and `exploited` (weights that kernels skip)."""
    return {**s._asdict(), "achieved": s.achieved, "exploited": s.exploited}


def with_rates(s: Sparsity, forwards_per_second: float) -> dict[str, Any]:
    """`as_fields`, and 10^9 operations a second: of the dense operators, and without the skipped products."""
    dense, done = (2e-9 * macs * forwards_per_second for macs in (s.macs, s.macs - s.skipped_macs))
    return as_fields(s) | {"dense_equivalent_gflops": dense, "computed_gflops": done}


def in_words(fields: Mapping[str, Any]) -> str:
    """A line for people of what `with_rates` gives."""
    achieved, exploited, dense, done = (fields[k] for k in ("achieved", "exploited", "dense_equivalent_gflops", "computed_gflops"))
    return (f"weights: {100 * achieved:.1f} % zeros, {100 * exploited:.1f} % skipped by sparse kernels; {dense:.1f} dense-equivalent GFLOP/s, "
            f"{done:.1f} without the skipped products")
