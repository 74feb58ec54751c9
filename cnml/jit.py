"""The one place that knows Numba's options.

`jit` compiles helper functions that kernels call, `kernel_cfunc` compiles a kernel to an address. Both keep what they compiled (see
`cnml.compile_cache`). Fast math is on except for the flags that would change what NaN and infinity mean; `exact=True` switches all of it
off, for kernels whose result must not depend on how a loop was vectorised.
"""
from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from numba.core import config, types
from numba.core.ccallback import CFunc
from numba.core.errors import NumbaError

from cnml import compile_cache
from cnml.errors import CnmlError, Status

log = logging.getLogger(__name__)

#: no `nnan` and no `ninf`: Caffe's results with NaN and infinity in the data are part of its behaviour
FASTMATH = frozenset({"nsz", "arcp", "contract", "afn", "reassoc"})

compile_cache.install()

_alive: list[CFunc] = []  # compiled code is freed with its CFunc


def _options(exact: bool) -> dict[str, Any]:
    return {"error_model": "numpy", "fastmath": False if exact else set(FASTMATH)}


def _cacheable(pyfunc: Callable[..., Any]) -> bool:
    # outside the package Numba looks for a place itself, and raises where there is none (a function typed at a prompt)
    return compile_cache.PACKAGE in Path(pyfunc.__code__.co_filename).parents and compile_cache.cache_folder() is not None


def jit(pyfunc: Callable[..., Any] | None = None, *, exact: bool = False, **options: Any) -> Any:
    """`numba.njit` with the house's options: no GIL, cached, NumPy's error model.

    Parameters
    ----------
    pyfunc : callable, optional
        So that both `@jit` and `@jit(...)` work.
    exact : bool
        No fast math.
    **options
        For Numba (`inline="always"`, `boundscheck=True`, …); they win over the house's.

    Returns
    -------
    Dispatcher, or a decorator
    """
    def decorate(function: Callable[..., Any]) -> Any:
        settings = {"nogil": True, "cache": _cacheable(function), **_options(exact), **options}
        return numba.njit(**settings)(function)

    return decorate if pyfunc is None else decorate(pyfunc)


def kernel_cfunc(pyfunc: Callable[..., None], *, exact: bool = False, words: int = 3) -> int:
    """Compile a kernel to native code that C can call, or load it from the cache.

    Parameters
    ----------
    pyfunc : callable
        Takes `words` int64 and returns nothing.
    exact : bool
        No fast math.
    words : int
        3 for kernels: args, task_id, task_dim.

    Returns
    -------
    int
        Address; valid as long as the process lives.

    Raises
    ------
    CnmlError
        UNSUPPORT when `NUMBA_DISABLE_JIT` forbids compiling.
    numba.core.errors.NumbaError
        The function does not compile.
    """
    if config.DISABLE_JIT:
        raise CnmlError(f"failed to compile kernel '{pyfunc.__name__}': NUMBA_DISABLE_JIT is set, so only the references can run", Status.UNSUPPORT)
    try:
        compiled = _compile(pyfunc, exact, words)
    except NumbaError:
        raise
    except Exception as e:
        # a truncated or foreign file in the cache surfaces as EOFError, UnpicklingError, ValueError, AttributeError, ModuleNotFoundError, ...
        if not _cacheable(pyfunc):
            raise
        log.info("the cache of compiled kernels is damaged (%s: %s): emptied it, compiling '%s' again", type(e).__name__, e, pyfunc.__name__)
        compile_cache.wipe()
        compiled = _compile(pyfunc, exact, words)
    _alive.append(compiled)
    return int(compiled.address)


def _compile(pyfunc: Callable[..., None], exact: bool, words: int) -> CFunc:
    signature = types.void(*[types.int64] * words)
    return numba.cfunc(signature, cache=_cacheable(pyfunc), nopython=True, **_options(exact))(pyfunc)
