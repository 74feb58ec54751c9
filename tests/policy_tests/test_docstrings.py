"""Everything public says what it is."""
from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(p for package in ("cnrt", "cnml", "pycaffe_acc") for p in (ROOT / package).rglob("*.py"))
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def name(path: Path) -> str:
    """Path relative to the repository, for test ids."""
    return path.relative_to(ROOT).as_posix()


def missing(body: list[ast.stmt], prefix: str) -> list[str]:
    """Public definitions without a docstring."""
    found = []
    for node in body:
        if not isinstance(node, Definition) or node.name.startswith("_"):
            continue
        setter = any(ast.unparse(d).endswith((".setter", ".deleter")) or ast.unparse(d) in ("overload", "typing.overload")
                     for d in node.decorator_list)
        if not setter and ast.get_docstring(node) is None:
            found.append(prefix + node.name)
        if isinstance(node, ast.ClassDef):
            found += missing(node.body, f"{node.name}.")
    return found


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_public_definitions_have_docstrings(path):
    """Modules, classes, methods and functions without an underscore."""
    text = path.read_text(encoding="utf-8")
    if not text.strip():
        return
    tree = ast.parse(text)
    assert ast.get_docstring(tree), f"{name(path)} has no module docstring"
    assert not missing(tree.body, ""), f"{name(path)}: no docstring: {', '.join(missing(tree.body, ''))}"


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_documented_parameters_exist(path):
    """A parameter that a docstring names is one of the signature."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        documented = parameters_section(ast.get_docstring(node) or "")
        a = node.args
        known = {x.arg for x in (*a.posonlyargs, *a.args, *a.kwonlyargs)} | {x.arg for x in (a.vararg, a.kwarg) if x is not None}
        assert documented <= known, f"{name(path)}:{node.lineno} {node.name}: documents {sorted(documented - known)}, which are not parameters"


SECTIONS = ("Returns", "Raises", "Attributes", "Yields", "Notes", "Examples", "References")


def parameters_section(docstring: str) -> set[str]:
    """Names under "Parameters" of a NumPy-style docstring."""
    lines = docstring.splitlines()
    starts = [i for i, line in enumerate(lines[:-1]) if line.strip() == "Parameters" and set(lines[i + 1].strip()) == {"-"}]
    if not starts:
        return set()
    names: set[str] = set()
    for line in lines[starts[0] + 2:]:
        if line.strip() in SECTIONS:
            break
        if line.strip() and not line.startswith(" "):
            names |= {n.strip().lstrip("*") for n in line.split(" : ")[0].split(",")}
    return {n for n in names if n.isidentifier()}
