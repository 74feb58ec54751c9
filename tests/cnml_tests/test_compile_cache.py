from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cnml import compile_cache

ROOT = Path(__file__).resolve().parents[2]
KERNEL = "softmax_f32"
USE = f"""
import logging, sys
sys.path.insert(0, {str(ROOT)!r})
logging.basicConfig(level=logging.INFO, format="%(name)s %(message)s")
import numpy as np
import cnml.kernels
from cnrt import Constant, Function, Instruction, Queue
x, y = np.zeros((2, 4), np.float32), np.empty((2, 4), np.float32)
Queue().run(Function("f", [Instruction("{KERNEL}", (Constant(x), Constant(y), 2, 4, 1))]))
assert (y == 0.25).all()
"""


def start(cache: Path | str, **more: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYCAFFE_ACC_CACHE": str(cache), **more}
    return subprocess.Popen([sys.executable, "-c", USE], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def use(cache: Path | str, **more: str) -> str:
    process = start(cache, **more)
    out, err = process.communicate(timeout=240)
    assert process.returncode == 0, err
    return err


def kept(cache: Path) -> dict[Path, int]:
    return {p: p.stat().st_mtime_ns for p in (*cache.rglob("*.nbi"), *cache.rglob("*.nbc"))}


@pytest.fixture
def fresh(monkeypatch):
    compile_cache.cache_folder.cache_clear()
    yield monkeypatch
    compile_cache.cache_folder.cache_clear()


def test_a_damaged_cache_is_emptied_and_filled_again(tmp_path):
    assert use(tmp_path) == ""
    first = kept(tmp_path)
    assert any(KERNEL in p.name for p in first)
    assert (next(tmp_path.iterdir()).stat().st_mode & 0o777) == 0o700
    use(tmp_path)
    assert kept(tmp_path) == first  # nothing was compiled again
    for p in first:
        p.write_bytes(p.read_bytes()[:-7] if p.suffix == ".nbc" else b"")
    assert "damaged" in use(tmp_path)
    assert use(tmp_path) == ""
    for p in kept(tmp_path):
        if p.suffix == ".nbc":
            p.write_bytes(b"not a pickle")
    assert "damaged" in use(tmp_path)
    assert use(tmp_path) == ""


def test_a_folder_that_cannot_be_used_costs_one_line(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    said = use(blocked)
    assert said.count("compiled kernels are not kept") == 1 and said.count("\n") == 1
    assert blocked.read_text() == "in the way"


@pytest.mark.slow
def test_eight_processes_start_cold_together(tmp_path):
    processes = [start(tmp_path) for _ in range(8)]
    for p in processes:
        _, err = p.communicate(timeout=400)
        assert p.returncode == 0 and err == "", err
    first = kept(tmp_path)
    use(tmp_path)
    assert kept(tmp_path) == first
    assert list(tmp_path.rglob("*.tmp.*")) == []


@pytest.mark.parametrize("environment, folder", [
    ({"PYCAFFE_ACC_CACHE": "/a/b", "XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/a/b"),
    ({"XDG_CACHE_HOME": "/x", "HOME": "/h"}, "/x/pycaffe-acc"),
    ({"HOME": "/h"}, "/h/.cache/pycaffe-acc"),
])
def test_where_the_folder_is(fresh, environment, folder):
    for name in ("PYCAFFE_ACC_CACHE", "XDG_CACHE_HOME", "HOME"):
        fresh.delenv(name, raising=False)
    for name, value in environment.items():
        fresh.setenv(name, value)
    assert compile_cache.root_folder() == Path(folder)


def test_without_a_home_it_is_in_the_temporary_folder(fresh, tmp_path):
    for name in ("PYCAFFE_ACC_CACHE", "XDG_CACHE_HOME", "HOME"):
        fresh.delenv(name, raising=False)
    fresh.setattr(compile_cache.tempfile, "gettempdir", lambda: str(tmp_path))
    folder = compile_cache.cache_folder()
    assert folder is not None and folder.parent.parent == tmp_path and str(os.getuid()) in folder.parent.name


def test_the_empty_name_switches_it_off(fresh, caplog):
    fresh.setenv("PYCAFFE_ACC_CACHE", "")
    with caplog.at_level(logging.INFO):
        assert compile_cache.cache_folder() is None
    assert len(caplog.records) == 1
    compile_cache.wipe()


def test_a_folder_others_can_write_is_not_trusted(fresh, tmp_path, caplog):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    fresh.setenv("PYCAFFE_ACC_CACHE", str(shared))
    with caplog.at_level(logging.INFO):
        assert compile_cache.cache_folder() is None
    assert "writing" in caplog.text


def test_the_toolchain_names_the_folder(monkeypatch):
    name = compile_cache.toolchain()
    assert f"py{sys.version_info[0]}{sys.version_info[1]}-numba" in name
    monkeypatch.setenv("PYCAFFE_ACC_ISA", "avx2")
    assert compile_cache.toolchain() != name


def test_a_change_anywhere_below_changes_the_stamp(tmp_path, monkeypatch):
    files = {"__init__.py": "", "jit.py": "FLAGS = 1\n", "deep.py": "x = 1\n", "other.py": "y = 1\n",
             "middle.py": "from cnml import (deep,\n    jit)  # comment\n", "top.py": "import cnml.middle\n"}

    def stamp(**changes):
        for name, text in {**files, **{f"{k}.py": v for k, v in changes.items()}}.items():
            (tmp_path / "cnml" / name).write_text(text)
        for cached in (compile_cache.source_stamp, compile_cache._read, compile_cache._module_file):
            cached.cache_clear()
        return compile_cache.source_stamp(tmp_path / "cnml" / "top.py")

    (tmp_path / "cnml").mkdir()
    monkeypatch.setattr(compile_cache, "PACKAGE", tmp_path / "cnml")
    before = stamp()
    assert stamp() == before
    assert stamp(deep="x = 2\n") != before
    assert stamp(jit="FLAGS = 2\n") != before
    assert stamp(other="y = 2\n") == before
    for cached in (compile_cache.source_stamp, compile_cache._read, compile_cache._module_file):
        cached.cache_clear()


def test_other_peoples_functions_are_left_alone():
    def function(x):
        return x

    assert compile_cache.PackageCacheLocator.from_function(function, __file__) is None
