"""Text tables."""
from __future__ import annotations

from pycaffe_acc.evaluation.table import table


def test_columns_are_aligned():
    lines = ["name       ms", "------  -----", "a        1.23", "longer      -", "b       123.5"]
    assert table(["name", "ms"], [["a", 1.23456], ["longer", None], ["b", 123.456]]).split("\n") == lines
