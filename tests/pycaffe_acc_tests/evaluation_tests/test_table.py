"""Text tables."""
from __future__ import annotations

from pycaffe_acc.evaluation.table import table


def test_columns_are_aligned():
    assert table(["name", "ms"], [["a", 1.23456], ["longer", None], ["b", 123.456]]) == "name       ms\n------  -----\na        1.23\nlonger      -\nb       123.5"
