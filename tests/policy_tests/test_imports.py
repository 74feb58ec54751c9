"""The import contracts of pyproject.toml hold."""
from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_contracts_hold():
    """import-linter over the three packages."""
    program = shutil.which("lint-imports", path=str(Path(sys.executable).parent)) or shutil.which("lint-imports")
    if program is None:
        pytest.skip("import-linter is not installed (pip install 'pycaffe-acc[test]')")
    result = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_protobuf_is_read_only_in_pycaffe_acc():
    """A cheap form of one contract that also sees imports inside functions."""
    for package in ("cnrt", "cnml"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module
                                                                                           or ""] if isinstance(node, ast.ImportFrom) else []
                assert not any(n.split(".")[0] in ("google", "pycaffe_acc") for n in names), f"{path.relative_to(ROOT)}:{node.lineno} imports upwards"


def test_importing_compiles_nothing():
    """Importing the package must not import numba, which would cost every script its time."""
    program = "import sys, pycaffe_acc; print([m for m in ('numba', 'llvmlite', 'h5py', 'lmdb', 'matplotlib') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "[]"
    assert result.stderr == ""
