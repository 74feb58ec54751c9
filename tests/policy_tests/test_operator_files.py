"""Every operator has a definition to be judged by, and a row in the documentation."""
from __future__ import annotations

import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest

import cnml.ops
import cnml.reference
from cnml.operator import Operator

ROOT = Path(__file__).resolve().parents[2]


def operators() -> list[type[Operator]]:
    """The concrete operator classes of cnml/ops, sorted by name."""
    found = set()
    for module in pkgutil.iter_modules(cnml.ops.__path__):
        for _, cls in inspect.getmembers(importlib.import_module(f"cnml.ops.{module.name}"), inspect.isclass):
            if issubclass(cls, Operator) and cls is not Operator and cls.__module__.startswith("cnml.ops."):
                found.add(cls)
    return sorted((c for c in found if c.kind), key=lambda c: (c.__module__, c.__name__))


OPERATORS = operators()


def label(cls: type[Operator]) -> str:
    """Test id."""
    return f"{cls.__module__.removeprefix('cnml.ops.')}.{cls.__name__}"


def test_operators_were_found():
    """The rules below would pass on an empty list."""
    assert len(OPERATORS) > 30


@pytest.mark.parametrize("cls", OPERATORS, ids=label)
def test_an_operator_has_a_reference(cls):
    """`reference` is what a kernel is judged by; without a kernel it is what runs."""
    assert cls.reference is not Operator.reference, f"{cls.__name__} has no reference"
    assert cls.reshape is not Operator.reshape, f"{cls.__name__} has no shape rule"


@pytest.mark.parametrize("cls", OPERATORS, ids=label)
def test_an_operator_has_a_kernel_or_says_why_not(cls):
    """No silent fallback: running on the host needs a reason."""
    if cls.view or cls.__name__ == "HostCall":
        return
    assert cls.lower is not Operator.lower or cls.host_reason, f"{cls.__name__} has neither a kernel nor a host_reason"


@pytest.mark.parametrize("cls", OPERATORS, ids=label)
def test_an_operator_is_documented(cls):
    """docs/operators.md is written by scripts/write_support_tables.py."""
    assert f"`{cls.kind}`" in (ROOT / "docs/operators.md").read_text(encoding="utf-8"), f"{cls.kind} is not in docs/operators.md; run make docs"


@pytest.mark.parametrize("module", [m.name for m in pkgutil.iter_modules(cnml.reference.__path__)])
def test_the_oracle_is_plain_numpy(module):
    """A wrong kernel cannot hide behind a wrong test when both share nothing."""
    text = (ROOT / "cnml/reference" / f"{module}.py").read_text(encoding="utf-8")
    assert "numba" not in text and "cnml.ops" not in text and "cnml.kernels" not in text
