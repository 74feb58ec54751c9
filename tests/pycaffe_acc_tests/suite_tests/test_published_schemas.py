"""The schemas in the documentation are those that the package checks by, and JSON schemas by the standard's words."""
from __future__ import annotations

import json
from pathlib import Path

import pytest

from pycaffe_acc.suite.schema_check import schema

DOCS = Path(__file__).resolve().parents[3] / "docs"


@pytest.mark.parametrize("name", ["report", "suite"])
def test_published(name):
    assert json.loads((DOCS / f"{name}.schema.json").read_text(encoding="utf-8")) == schema(name)
    assert schema(name)["$schema"].startswith("https://json-schema.org/draft/2020-12")
