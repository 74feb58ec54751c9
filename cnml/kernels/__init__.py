"""Kernels by name.

A kernel is a function under `@kernel("name")` in a file of this folder. Nothing is compiled, and Numba is not even imported, before a kernel's
address is asked for: then the file that holds it is imported and the one kernel compiled, or loaded from the cache.
"""
from __future__ import annotations

import importlib
import json
import logging
import os
import pkgutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from cnml.errors import CnmlError, Status
from cnrt import kernel_table
from cnrt.cpu import effective_cpus

log = logging.getLogger(__name__)

Function = TypeVar("Function", bound=Callable[..., None])

#: the files of this folder
MODULES: tuple[str, ...] = tuple(sorted(m.name for m in pkgutil.iter_modules(__path__)))

_importing = threading.RLock()
_origins: dict[str, tuple[str, str, int]] = {}


def kernel(name: str, *, exact: bool = False, words: int = 3) -> Callable[[Function], Function]:
    """Register a function as a kernel, to be compiled on first use.

    The function stays a plain Python function (also as its attribute `py_func`), which works on real memory through the Python forms of
    `cnml.kernels.argblock`.

    Parameters
    ----------
    name : str
        `<family>_<dtype>[_<layout>]`.
    exact : bool
        No fast math: the result must not depend on how the compiler arranged a loop.
    words : int
        Number of int64 parameters; 3 for all but the executor.

    Raises
    ------
    CnrtError
        EXIST if the name is taken.
    """
    def decorate(function: Function) -> Function:
        def provide() -> int:
            # Numba takes half a second to import: not before something is compiled
            jit = importlib.import_module("cnml.jit")
            return jit.kernel_cfunc(function, exact=exact, words=words)

        origin = (function.__module__, function.__qualname__, function.__code__.co_firstlineno)
        if _origins.get(name) == origin and kernel_table.registered(name) is not None:
            kernel_table.unregister(name)  # the file is imported again: reloaded, or its first import failed further down
        kernel_table.register(name, provide)
        _origins[name] = origin
        function.py_func = function  # type: ignore[attr-defined]
        function.kernel_name = name  # type: ignore[attr-defined]
        return function

    return decorate


def _likely_first(name: str) -> list[str]:
    """The files in the order in which they are worth looking into for a kernel: longest common beginning first."""
    return sorted(MODULES, key=lambda m: (-len(os.path.commonprefix([m, name])), m))


def find(name: str) -> Callable[[], int] | None:
    """Import files of this folder until one has registered `name`.

    Returns
    -------
    callable or None
        The provider; None when no file has it.
    """
    with _importing:
        for module in _likely_first(name):
            full = f"{__name__}.{module}"
            if full not in sys.modules:
                importlib.import_module(full)
            provider = kernel_table.registered(name)
            if provider is not None:
                return provider
    return None


def load_all() -> None:
    """Import every file of this folder, so that `cnrt.kernel_table.names()` is complete."""
    with _importing:
        for module in MODULES:
            importlib.import_module(f"{__name__}.{module}")


def compile_all(names: Iterable[str] | None = None, processes: int = 1) -> dict[str, int]:
    """Compile kernels now rather than at their first use.

    Parameters
    ----------
    names : iterable of str, optional
        All kernels if not given.
    processes : int
        With more than one, that many other processes fill the cache first (Numba compiles one function at a time in a process).

    Returns
    -------
    dict of str to int
        Addresses.
    """
    if names is None:
        load_all()
        names = kernel_table.names()
    wanted = list(dict.fromkeys(names))
    if processes > 1 and len(wanted) > 1:
        _fill_cache([wanted[i::processes] for i in range(processes)])
    return {name: kernel_table.address(name) for name in wanted}


def compile_cold(names: list[str]) -> None:
    """Compile the kernels of the first net after installation or upgrade in several processes, since Numba compiles one at a time in a process.

    Does nothing where there is no cache, one processor, or no Python program to start (`PYCAFFE_ACC_COMPILERS` sets how many; 1: never). Whatever
    goes wrong shows again, with its message, when this process compiles the kernel.
    """
    missing = [n for n in names if not kernel_table.loaded(n)]
    if len(missing) < 4 or (count := min(compilers(), len(missing))) < 2:
        return
    cache = importlib.import_module("cnml.compile_cache")
    mark = cache.warm_mark()
    if mark is None or mark.exists():
        return
    try:
        _fill_cache([["executor", *missing][i::count] for i in range(count)])
        mark.touch()
    except OSError as e:
        log.info("kernels are compiled one by one: %s", e)


def compilers() -> int:
    """Processes that compile kernels: `PYCAFFE_ACC_COMPILERS`, else the processors this process may use, 8 at most; 1 where no Python can be started.

    Raises
    ------
    CnmlError
        The variable is not a positive whole number.
    """
    asked = os.environ.get("PYCAFFE_ACC_COMPILERS")
    if asked:
        if not asked.isdecimal() or int(asked) < 1:
            raise CnmlError(f"PYCAFFE_ACC_COMPILERS is '{asked}'; it must be a whole number of at least 1", Status.INVALIDARG)
        return int(asked)
    # in an embedded or frozen interpreter, sys.executable may be any program
    python = not getattr(sys, "frozen", False) and Path(sys.executable or "").name.lower().startswith(("python", "pypy"))
    return min(effective_cpus(), 8) if python else 1


def _fill_cache(shares: list[list[str]]) -> None:
    program = ("import json, sys; path, names = json.load(sys.stdin); sys.path[:] = path; "
               "from cnml.kernels import compile_all; compile_all(names)")
    children: list[tuple[Any, str]] = []
    for share in filter(None, shares):
        child = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL, text=True)
        children.append((child, json.dumps([sys.path, share])))
    for child, task in children:
        assert child.stdin is not None
        child.stdin.write(task)
        child.stdin.close()
    for child, _ in children:
        child.wait()  # a failure shows again, with its message, when this process compiles the same kernel


kernel_table.add_source("cnml", find)
