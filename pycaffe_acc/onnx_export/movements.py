"""Operators that move elements and compute nothing."""
from __future__ import annotations

import numpy as np

from pycaffe_acc.onnx_export.onnx_graph import OnnxGraph, Step

INT64_MIN = int(np.iinfo(np.int64).min)


def view(g: OnnxGraph, s: Step) -> list[str]:
    """Reshape; nothing where the shape stays."""
    return [g.reshape(s.inputs[0], s.shapes[0], top) for top in s.tops]


def concat(g: OnnxGraph, s: Step) -> list[str]:
    """Concat."""
    return [g.add("Concat", *s.inputs, axis=s.op.axis)]  # type: ignore[attr-defined]


def slice_(g: OnnxGraph, s: Step) -> list[str]:
    """Split into pieces of given sizes."""
    return g.add_all("Split", [s.inputs[0], g.ints(*s.op.sizes)], len(s.tops), axis=s.op.axis)  # type: ignore[attr-defined]


def permute(g: OnnxGraph, s: Step) -> list[str]:
    """Transpose."""
    return [g.add("Transpose", s.inputs[0], perm=list(s.op.order))]  # type: ignore[attr-defined]


def pad(g: OnnxGraph, s: Step) -> list[str]:
    """Slice where elements are cut off, Pad where some are added."""
    before, after = s.op.before, s.op.after  # type: ignore[attr-defined]
    starts = [max(0, -b) for b in before]
    sizes = [n + min(b, 0) + min(a, 0) for n, b, a in zip(s.shapes[0], before, after, strict=True)]
    x = g.cut(s.inputs[0], s.shapes[0], starts, sizes)
    return [g.pad(x, [max(b, 0) for b in before], [max(a, 0) for a in after], s.op.value)]  # type: ignore[attr-defined]


def crop(g: OnnxGraph, s: Step) -> list[str]:
    """Slice."""
    return [g.cut(s.inputs[0], s.shapes[0], s.op.offsets, s.op.sizes)]  # type: ignore[attr-defined]


def tile(g: OnnxGraph, s: Step) -> list[str]:
    """Tile."""
    repeats = [1] * len(s.shapes[0])
    repeats[s.op.axis] = s.op.tiles  # type: ignore[attr-defined]
    return [g.add("Tile", s.inputs[0], g.ints(*repeats))]


def backwards(g: OnnxGraph, x: str, axis: int) -> str:
    """x with one axis read from its end."""
    return g.add("Slice", x, g.ints(-1), g.ints(INT64_MIN), g.ints(axis), g.ints(-1))


def reverse(g: OnnxGraph, s: Step) -> list[str]:
    """Slice with a step of -1."""
    return [backwards(g, s.inputs[0], s.op.axis)]  # type: ignore[attr-defined]


def shuffle_channel(g: OnnxGraph, s: Step) -> list[str]:
    """Reshape, Transpose, Reshape."""
    (n, c, *rest), groups = s.shapes[0], s.op.group  # type: ignore[attr-defined]
    split = (n, groups, c // groups, *rest)
    x = g.reshape(s.inputs[0], s.shapes[0], split)
    x = g.add("Transpose", x, perm=[0, 2, 1, *range(3, len(split))])
    return [g.reshape(x, (n, c // groups, groups, *rest), s.shapes[0])]
