"""docs/pitfall.md is what the script makes of the report beside it, and that report keeps its schema."""
from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from pycaffe_acc.suite.document import read_document
from pycaffe_acc.suite.findings import findings
from pycaffe_acc.suite.plan import read_suite

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def script(monkeypatch):
    """scripts/pitfall_page.py as a module."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    return importlib.import_module("pitfall_page")


@pytest.fixture
def document():
    """The report of the last whole run."""
    return read_document(ROOT / "docs" / "pitfall.json")


def test_the_page_is_current(script, document):
    """`scripts/pitfall_page.py` without a folder writes it again."""
    assert (ROOT / "docs" / "pitfall.md").read_text(encoding="utf-8") == script.page(document)
    for name in script.PICTURES:
        assert (ROOT / "docs" / "pictures" / f"pitfall_{name}.png").read_bytes().startswith(b"\x89PNG")


def test_the_run_was_whole(document):
    """Every model of the suite as it is now, over all of its images, and the findings are those that its rows give."""
    suite = read_suite("pitfall")
    assert {r["model"] for r in document["rows"]} == {m.name for m in suite.models} and not document["failures"]
    assert document["suite"]["limit"] is None and document["findings"] == findings(document["rows"])


def test_tables_keep_measured_and_simulated_apart(script, document):
    for device in ("host", "MLU100"):
        rows = [r | {"throughput": None} if r["device"] != device else r for r in document["rows"]]
        assert script.dense_table(document | {"rows": rows}, device, {"fp16": "FP16"}) == script.dense_table(document, device, {"fp16": "FP16"})
