"""The generated pages say what the code says."""
from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def script():
    """scripts/write_support_tables.py as a module."""
    spec = importlib.util.spec_from_file_location("write_support_tables", ROOT / "scripts/write_support_tables.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", ["docs/cnml_support.md", "docs/layers.md", "docs/onnx.md", "docs/operators.md"])
def test_a_generated_page_is_current(page):
    """`make docs` was run after the last change of a layer or operator."""
    assert (ROOT / page).read_text(encoding="utf-8") == script().PAGES[page](), f"{page} is not current; run make docs"
