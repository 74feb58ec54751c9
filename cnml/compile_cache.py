"""Where compiled kernels are kept between processes, and when a kept one is stale.

Numba's own rule (a function's file has not changed) misses a change in a function it calls from another file, so the stamp here covers every
`cnml` source the file imports, directly or not. Only functions under the `cnml` package are concerned: Numba's settings for anybody else's functions
stay as their owner left them.

The folder is `PYCAFFE_ACC_CACHE` if set (the empty string means: keep nothing), else `pycaffe-acc` in the user's cache directory, else in the
temporary directory. It must belong to the user, because loading a compiled kernel runs code.
"""
from __future__ import annotations

import functools
import hashlib
import logging
import os
import re
import stat
import sys
import tempfile
from pathlib import Path
from typing import Any

import llvmlite.binding
import numba
from numba.core import caching, config

log = logging.getLogger(__name__)

PACKAGE = Path(__file__).resolve().parent
_IMPORT = re.compile(r"^[ \t]*(?:from[ \t]+(cnml[\w.]*)[ \t]+import[ \t]+(\([^)]*\)|[^\n]*)|import[ \t]+(cnml[\w.]*))", re.MULTILINE)


def root_folder() -> Path | None:
    """The folder asked for by the environment, or the default one; None when caching was switched off.

    Returns
    -------
    pathlib.Path or None
    """
    asked = os.environ.get("PYCAFFE_ACC_CACHE")
    if asked is not None:
        return Path(asked).expanduser().absolute() if asked else None
    xdg = os.environ.get("XDG_CACHE_HOME")
    if xdg:
        return Path(xdg) / "pycaffe-acc"
    if os.name == "nt" and os.environ.get("LOCALAPPDATA"):
        return Path(os.environ["LOCALAPPDATA"]) / "pycaffe-acc"
    if os.environ.get("HOME"):
        return Path(os.environ["HOME"]) / ".cache" / "pycaffe-acc"
    owner = os.getuid() if hasattr(os, "getuid") else "user"
    return Path(tempfile.gettempdir()) / f"pycaffe-acc-{owner}"


def toolchain() -> str:
    """Name of the subfolder: Python, Numba, llvmlite, the CPU, and a digest of the CPU's features and of what else steers code generation."""
    cpu = config.CPU_NAME or llvmlite.binding.get_host_cpu_name()
    features = config.CPU_FEATURES if config.CPU_FEATURES is not None else llvmlite.binding.get_host_cpu_features().flatten()
    steering = [features, os.environ.get("PYCAFFE_ACC_ISA", ""), str(config.OPT), sys.implementation.cache_tag or ""]
    digest = hashlib.sha256("\n".join(map(str, steering)).encode()).hexdigest()[:12]
    return f"py{sys.version_info[0]}{sys.version_info[1]}-numba{numba.__version__}-llvmlite{llvmlite.__version__}-{cpu}-{digest}"


@functools.lru_cache(maxsize=1)
def cache_folder() -> Path | None:
    """The folder for this toolchain, made if need be (mode 0700); None, said once in the log, when there can be none."""
    root = root_folder()
    if root is None:
        log.info("compiled kernels are not kept: PYCAFFE_ACC_CACHE is empty")
        return None
    folder = root / toolchain()
    try:
        for path in (root, folder):
            if not path.is_dir():
                path.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_owner(root)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as e:
        log.info("compiled kernels are not kept: cannot use %s (%s)", folder, e)
        return None
    return folder


def _check_owner(folder: Path) -> None:
    if not hasattr(os, "getuid"):
        return
    found = folder.stat()
    if found.st_uid != os.getuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not found.st_mode & stat.S_ISVTX:
        raise PermissionError(f"{folder} belongs to user {found.st_uid} with mode {stat.S_IMODE(found.st_mode):o}; "
                              "it must be this user's and closed to others' writing")


def wipe() -> None:
    """Remove every kept kernel of this toolchain (other processes then compile again; those running are not harmed)."""
    folder = cache_folder()
    if folder is None:
        return
    for path in (*folder.rglob("*.nbi"), *folder.rglob("*.nbc"), *folder.glob("warm-*")):
        path.unlink(missing_ok=True)


def warm_mark() -> Path | None:
    """A file that exists once a net's kernels were compiled from the present sources; None without a cache.

    Named by the sizes and times of the kernels' sources, which is enough for a hint: kernels themselves are checked by `source_stamp`.
    """
    folder = cache_folder()
    if folder is None:
        return None
    facts = [(p.name, p.stat().st_size, p.stat().st_mtime_ns) for name in ("kernels", "ukernels") for p in sorted((PACKAGE / name).rglob("*.py"))]
    return folder / f"warm-{hashlib.sha256(repr((str(PACKAGE), facts)).encode()).hexdigest()[:16]}"


@functools.cache
def _module_file(name: str) -> Path | None:
    base = PACKAGE.parent.joinpath(*name.split("."))
    if base.with_suffix(".py").is_file():
        return base.with_suffix(".py")
    init = base / "__init__.py"
    return init if init.is_file() else None


@functools.cache
def _read(path: Path) -> tuple[bytes, frozenset[Path]]:
    """Digest of a source, and the `cnml` sources it imports."""
    text = path.read_bytes()
    found: set[Path] = set()
    for package, names, module in _IMPORT.findall(text.decode("utf-8", "replace")):
        wanted = [package or module]
        wanted += [f"{package}.{n.split()[0]}" for n in re.sub(r"#[^\n]*|[()]", "", names).split(",") if n.split()] if package else []
        found.update(f for f in map(_module_file, wanted) if f is not None)
    return hashlib.sha256(text).digest(), frozenset(found)


@functools.cache
def source_stamp(path: Path) -> str:
    """Digest over a source file and all `cnml` sources it imports, directly or not.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    str, hexadecimal
    """
    seen, todo = {path}, [path]
    while todo:
        for other in _read(todo.pop())[1] - seen:
            seen.add(other)
            todo.append(other)
    total = hashlib.sha256()
    for one in sorted(seen):
        total.update(str(one.name).encode() + b"\0" + _read(one)[0])
    return total.hexdigest()


class PackageCacheLocator(caching._CacheLocator):  # type: ignore[misc]
    """Tells Numba to keep functions of this package in our folder, and nobody else's."""

    def __init__(self, py_func: Any, path: Path, folder: Path):
        self._py_file = str(path)
        self._path = path
        self._line = py_func.__code__.co_firstlineno
        self._folder = folder

    @classmethod
    def from_function(cls, py_func: Any, py_file: str) -> PackageCacheLocator | None:
        """The locator of a function in this package; None sends Numba to its next locator."""
        path = Path(py_file)
        folder = cache_folder()
        if folder is None or not path.is_absolute() or PACKAGE not in path.parents or not path.is_file():
            return None
        self = cls(py_func, path, folder)
        Path(self.get_cache_path()).mkdir(mode=0o700, exist_ok=True)
        return self

    def get_cache_path(self) -> str:
        """Folder of the file's functions; two installations do not share one."""
        place = hashlib.sha256(str(self._path.parent).encode()).hexdigest()[:12]
        return str(self._folder / f"{self._path.parent.name}-{place}")

    def get_source_stamp(self) -> str:
        """See `source_stamp`."""
        return source_stamp(self._path)

    def get_disambiguator(self) -> str:
        """Tells apart functions of one name in one file."""
        return str(self._line)


def install() -> None:
    """Put our locator first (once)."""
    classes = caching.CacheImpl._locator_classes
    if PackageCacheLocator not in classes:
        classes.insert(0, PackageCacheLocator)
