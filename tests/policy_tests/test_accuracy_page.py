"""docs/accuracy.md is what the script makes of the results beside it."""
from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def script(monkeypatch):
    """scripts/measure_int8.py as a module."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    return importlib.import_module("measure_int8")


@pytest.fixture
def results():
    """What was measured last."""
    return json.loads((ROOT / "docs/accuracy.json").read_text(encoding="utf-8"))


def test_the_page_is_current(script, results):
    """`scripts/measure_int8.py --page-only` writes it again."""
    assert (ROOT / "docs/accuracy.md").read_text(encoding="utf-8") == script.page(results)


def test_every_model_was_measured(script, results):
    """In all four ways, over the same images."""
    assert set(results) == set(script.CASES)
    for name, row in results.items():
        assert row["count"] >= 650 and row["images"] == script.CASES[name].images
        assert all(0 < row[key]["top1"] <= row[key]["top5"] <= 100 for key in ("fp32", "fp16", "vendor", "best"))
        assert all(row[key]["hardware_fps"] >= row[key]["end_to_end_fps"] > 0 for key in script.COLUMNS) and row["machine"]
        assert abs(row["fp32"]["top1"] - row["fp16"]["top1"]) < 0.5


def test_the_bound_holds_on_every_model(results):
    """And says so by its own figures."""
    for row in results.values():
        bound = row["bound"]
        assert bound["met"] and bound["fp32_top1"] - bound["top1"] <= bound["max_drop"] + 1e-9 and bound["fp32_top1"] == row["fp32"]["top1"]
