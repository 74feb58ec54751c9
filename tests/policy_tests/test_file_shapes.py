"""Size and name rules of the source files."""
from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("cnrt", "cnml", "pycaffe_acc")
SOURCES = sorted(p for package in PACKAGES for p in (ROOT / package).rglob("*.py"))
ALL = sorted([*SOURCES, *(p for folder in ("tests", "examples", "scripts", "models", "benchmarks") for p in (ROOT / folder).rglob("*.py")),
              ROOT / "setup.py"])
MAX_LINES = 400
MAX_FUNCTION = 70
NAMELESS = {"utils.py", "util.py", "common.py", "core.py", "helpers.py", "misc.py"}


def functions(path: Path) -> list[ast.FunctionDef]:
    """Every function and method of a file."""
    return [n for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.FunctionDef)]


def name(path: Path) -> str:
    """Path relative to the repository, for test ids."""
    return path.relative_to(ROOT).as_posix()


def test_sources_were_found():
    """The rules below would pass on an empty list."""
    assert len(SOURCES) > 50


@pytest.mark.parametrize("path", ALL, ids=name)
def test_a_file_is_short(path):
    """Two screens of scrolling at most, and one noun for a name."""
    assert path.read_text(encoding="utf-8").count("\n") <= MAX_LINES, f"{name(path)} has more than {MAX_LINES} lines; split it by nouns"
    assert path.name not in NAMELESS, f"{name(path)}: name the family, not that it is shared"


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_functions_are_short(path):
    """A function fits a screen."""
    long = [f"{f.name} ({f.end_lineno - f.lineno + 1} lines)" for f in functions(path) if f.end_lineno - f.lineno + 1 > MAX_FUNCTION]
    assert not long, f"{name(path)}: longer than {MAX_FUNCTION} lines: {', '.join(long)}"


@pytest.mark.parametrize("path", ALL, ids=name)
def test_annotations_are_postponed(path):
    """Python 3.10 must read every annotation, so none is evaluated."""
    text = path.read_text(encoding="utf-8")
    line = "from __future__ import annotations"
    assert len(ast.parse(text).body) <= 1 or line in text, f"{name(path)} lacks `{line}`"


@pytest.mark.parametrize("folder", sorted({p.parent for p in SOURCES}), ids=name)
def test_every_source_folder_is_a_package(folder):
    """A folder without __init__.py would be missing from the wheel."""
    assert (folder / "__init__.py").is_file(), f"{name(folder)} has no __init__.py"
