"""Calls and words that must not occur in the packages."""
from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(p for package in ("cnrt", "cnml", "pycaffe_acc") for p in (ROOT / package).rglob("*.py"))
#: folders whose functions are jitted; there an assert costs nothing and user values were checked before
KERNEL_FOLDERS = ("cnml/kernels", "cnml/ukernels")
#: files besides the command line that print, and why
RUNS_CODE = {"pycaffe_acc/script_runner.py": "python -m pycaffe_acc -c code runs what the user typed"}
PRINTERS = {"pycaffe_acc/transformer.py": "Transformer.explain is called to print"}


def name(path: Path) -> str:
    """Path relative to the repository, for test ids."""
    return path.relative_to(ROOT).as_posix()


def calls(tree: ast.AST) -> list[ast.Call]:
    """Every call in a file."""
    return [n for n in ast.walk(tree) if isinstance(n, ast.Call)]


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_no_code_from_data(path):
    """No pickle, eval, exec, and arrays are read without object support."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            modules = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            bad = {"pickle", "cPickle", "dill", "marshal", "shelve"} & {m.split(".")[0] for m in modules}
            assert not bad, f"{name(path)}:{node.lineno} imports {bad}"
    for call in calls(tree):
        text = ast.unparse(call.func)
        assert name(path) in RUNS_CODE or text not in ("eval", "exec", "pickle.load", "pickle.loads",
                                                       "yaml.load"), f"{name(path)}:{call.lineno} calls {text}"
        if text in ("np.load", "numpy.load"):
            assert any(k.arg == "allow_pickle" and ast.unparse(k.value) == "False"
                       for k in call.keywords), f"{name(path)}:{call.lineno}: np.load without allow_pickle=False"


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_only_the_command_line_prints(path):
    """A library is silent; it has a logger."""
    if name(path).startswith("pycaffe_acc/tools/") or name(path) in PRINTERS:
        return
    found = [c.lineno for c in calls(ast.parse(path.read_text(encoding="utf-8"))) if ast.unparse(c.func) == "print"]
    assert not found, f"{name(path)} prints in lines {found}"


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_no_assert_guards_a_value_that_a_user_gave(path):
    """`python -O` removes asserts. One that narrows a type (`is not None`, isinstance) may stay: it can never fire."""
    if name(path).startswith(KERNEL_FOLDERS):
        return
    bad = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Assert) and not re.search(r"is not None|isinstance\(", ast.unparse(node.test)):
            bad.append(node.lineno)
    assert not bad, f"{name(path)}: asserts in lines {bad}; raise an exception with a sentence"


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_numba_options_come_from_one_file(path):
    """Bare decorators miss the cache, the error model, the fast-math set without nnan and ninf."""
    if name(path) == "cnml/jit.py":
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "numba":
            bad = {a.name for a in node.names} & {"njit", "jit", "cfunc", "vectorize", "guvectorize"}
            assert not bad, f"{name(path)}:{node.lineno} takes {bad} from numba; use cnml.jit"
        if isinstance(node, ast.Attribute) and node.attr in ("njit", "jit", "cfunc", "vectorize", "guvectorize"):
            assert ast.unparse(node.value) != "numba", f"{name(path)}:{node.lineno} uses numba.{node.attr}; use cnml.jit"
        if isinstance(node, ast.keyword) and node.arg in ("fastmath", "parallel"):
            raise AssertionError(f"{name(path)}:{node.value.lineno} sets {node.arg}; cnml.jit decides that")


TEXTS = [p for p in ROOT.rglob("*") if p.suffix in (".py", ".md", ".toml", ".prototxt", ".proto", ".txt", ".svg")
         and not {".venv", "build", ".git"} & set(p.parts)]


@pytest.mark.parametrize("path", TEXTS, ids=name)
def test_no_machine_path(path):
    """Nothing depends on, or tells of, the folder it was written in."""
    pattern = re.compile("/" + "(work|root)/")
    found = [i for i, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1) if pattern.search(line)]
    assert not found, f"{name(path)}: machine paths in lines {found}"


def test_documents_give_no_speed_without_accuracy():
    """A row of a table with images per second also has top-1, or says that the weights were not trained."""
    for path in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md")):
        head = ""
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("|") and not head:
                head = line.lower()
                assert "fps" not in head or "top-1" in head or "accuracy" in head, f"{name(path)}: a table with FPS and without accuracy: {line}"
            elif not line.startswith("|"):
                head = ""
