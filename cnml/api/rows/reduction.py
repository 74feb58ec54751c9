"""Axes reduced to one element, and where the largest elements stand."""
from __future__ import annotations

from cnml.api.assembly import Assembly
from cnml.api.constructor import row
from cnml.api.enums import ReduceMaxMode
from cnml.ops.axis_reduction import AxisPosition, AxisReduction
from cnml.ops.selection_by_value import Largest
from cnml.tensor import Tensor

AXES = {ReduceMaxMode.BATCH: 0, ReduceMaxMode.FEAT: 1, ReduceMaxMode.HIGHT: 2, ReduceMaxMode.WIDTH: 3}


def _extreme(function: str):  # type: ignore[no-untyped-def]
    def build(b: Assembly) -> list[Tensor]:
        return [b.add(AxisReduction(function, 1), b.x()), b.add(AxisPosition(function, 1), b.x())]
    return build


def _reduce(function: str):  # type: ignore[no-untyped-def]
    return lambda b: b.add(AxisReduction(function, int(b["mode"])), b.x())


def _by_output(function: str):  # type: ignore[no-untyped-def]
    """Reduce the axes that the output has with the extent 1 and the input has not."""
    def build(b: Assembly) -> Tensor:
        x, have, want = b.x(), b.shape("input"), b.shape("output")
        b.expect(all(w in (1, h) for h, w in zip(have, want, strict=True)), f"an output {want} for the input {have}",
                 "each extent must be 1 or that of the input")
        axes = [a for a in range(4) if have[a] != want[a]]
        b.expect(bool(axes), f"an output {want} for the input {have}", "one extent must become 1")
        for axis in axes:
            x = b.add(AxisReduction(function, axis), x)
        return x
    return build


ROWS = [
    row("MaxOp", "<input >output >index", _extreme("max"), "largest over the channels, and its channel"),
    row("ReduceMaxOp", "mode:ReduceMaxMode <input >output", lambda b: b.add(AxisReduction("max", AXES[b["mode"]]), b.x()), "largest along an axis"),
    row("MinOp", "<input >output >index", _extreme("min"), "smallest over the channels, and its channel"),
    row("AvgOp", "<input >output", _by_output("mean"), "mean over the axes that the output has as 1"),
    row("Vector2NormOp", "<input >output", _by_output("norm"), "Euclidean norm over the axes that the output has as 1"),
    row("ArgmaxOp", "argmax_mode:ArgmaxAxis <input >output", lambda b: b.add(AxisPosition("max", int(b["argmax_mode"])), b.x()),
        "position of the largest along an axis, the first of equal ones"),
    row("TopkOp", "k:int <input >output >index ch:Dimension", lambda b: b.add_all(Largest(b["k"], int(b["ch"])), [b.x()]),
        "the k largest along an axis from high to low, and their positions"),
    row("ReduceSumOp", "mode:Dimension <input >output", _reduce("sum"), "sum along an axis"),
    row("ReduceMeanOp", "mode:Dimension <input >output", _reduce("mean"), "mean along an axis"),
]
