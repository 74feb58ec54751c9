"""The tables of docs/pruning.md are what the script makes of the results beside it."""
from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def script(monkeypatch):
    """scripts/measure_pruning.py as a module."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    return importlib.import_module("measure_pruning")


@pytest.fixture
def results():
    """What was measured last."""
    return json.loads((ROOT / "docs/pruning.json").read_text(encoding="utf-8"))


def test_the_tables_are_current(script, results):
    """`scripts/measure_pruning.py --page-only` writes them again."""
    assert (ROOT / "docs/pruning.md").read_text(encoding="utf-8").endswith("\n" + script.measured(results))


def test_results_are_complete_where_they_are(script, results):
    """Known models, ways and sparsities, over whole sets of images, with as many zeros as were asked for."""
    assert set(results) <= set(script.CASES)
    for name, row in results.items():
        assert row["dense"]["images"] >= 650 and row["dense"]["of"] == script.CASES[name].images
        for way, found in row.items():
            if way == "dense":
                continue
            for sparsity, r in found.items():
                assert float(sparsity) in script.SPARSITIES and r["images"] == row["dense"]["images"]
                assert 0 <= r["top1"] <= r["top5"] <= 100
                if way != "vendor":
                    assert abs(r["achieved"] - float(sparsity)) < 0.02
