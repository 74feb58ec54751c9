"""Offline models and the functions in them."""
from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from cnrt import model_file
from cnrt.api.session import require_init
from cnrt.enums import CoreVersion
from cnrt.errors import CnrtError, RetCode
from cnrt.launch import Dim3, InitFuncParam, InvokeFuncParam, LaunchFunction
from cnrt.memory import Memory
from cnrt.model import Model
from cnrt.queue import Queue


def _model(value: Any) -> Model:
    if not isinstance(value, Model):
        raise CnrtError(RetCode.ERR_INVALID, f"failed to use {value!r} as a model: it must come from cnrtLoadModel")
    return value


def _function(value: Any) -> LaunchFunction:
    if not isinstance(value, LaunchFunction):
        raise CnrtError(RetCode.ERR_INVALID, f"failed to use {value!r} as a function: it must come from cnrtCreateFunction")
    return value


def cnrtLoadModel(fname: str | os.PathLike[str]) -> Model:
    """Read an offline model file.

    Raises
    ------
    CnrtError
        INIT, NO_EXIST, IO, INVALID, UNSUPPORTED; see `cnrt.model_file`.
    """
    require_init()
    return model_file.load(fname)


def cnrtLoadModelFromMem(data: bytes) -> Model:
    """Read an offline model from the bytes of its file."""
    require_init()
    return model_file.from_bytes(bytes(data))


def cnrtUnloadModel(model: Model) -> None:
    """Give a model up. Functions taken from it stay as they are."""
    _model(model)


def cnrtGetModelSize(fname: str | os.PathLike[str]) -> int:
    """Bytes of a model file.

    Raises
    ------
    CnrtError
        NO_EXIST, IO.
    """
    require_init()
    try:
        return os.stat(fname).st_size
    except FileNotFoundError as e:
        raise CnrtError(RetCode.ERR_NO_EXIST, f"failed to size the model {fname}: there is no such file") from e
    except OSError as e:
        raise CnrtError(RetCode.ERR_IO, f"failed to size the model {fname}: {e}") from e


def cnrtQueryCoreVersion(model: Model) -> CoreVersion:
    """The core version it was compiled for."""
    return _model(model).core_version


def cnrtQueryModelParallelism(model: Model) -> int:
    """The model parallelism it was compiled with."""
    return _model(model).model_parallelism


def cnrtQueryModelStackSize(model: Model) -> int:
    """MB of stack per core that it needs."""
    return _model(model).stack_mb


def cnrtGetFunctionNumber(model: Model) -> int:
    """How many functions it has."""
    return len(_model(model).programs)


def cnrtGetModelMemUsed(model: Model) -> int:
    """Device bytes of all its functions, one slice each."""
    return _model(model).nbytes


def cnrtCreateFunction() -> LaunchFunction:
    """An empty function."""
    require_init()
    return LaunchFunction()


def cnrtExtractFunction(function: LaunchFunction, model: Model, symbol: str) -> LaunchFunction:
    """Fill a function from a model's symbol; returns it.

    Raises
    ------
    CnrtError
        NO_EXIST, listing the model's symbols; UNSUPPORTED or INVALID for a program that this machine's packages cannot take.
    """
    _function(function).extract(_model(model), symbol)
    return function


def cnrtCopyFunction(src: LaunchFunction) -> LaunchFunction:
    """A copy; what the source has in device memory, the copy has in memory of its own."""
    return _function(src).copy()


def cnrtDestroyFunction(function: LaunchFunction) -> None:
    """Give a function's device memory back."""
    _function(function).release()


def cnrtInitFunctionMemory_V2(function: LaunchFunction, init_param: InitFuncParam | None = None) -> None:
    """Upload a function to the thread's card and channel.

    Raises
    ------
    CnrtError
        INVALID for a parallelism the card has not, NORES for too small a stack, NOMEM.
    """
    require_init()
    _function(function).init_memory(init_param if init_param is not None else InitFuncParam())


def cnrtInvokeFunction_V2(function: LaunchFunction, dim: Dim3, params: Sequence[Memory], func_type: int, queue: Queue,
                          invoke_param: InvokeFuncParam | None = None) -> None:
    """Launch a function; returns at once. `params` are all inputs, then all outputs.

    Raises
    ------
    CnrtError
        UNSUPPORTED for a dimension other than (1, 1, 1); others as in `LaunchFunction.invoke`.
    """
    require_init()
    if tuple(dim) != (1, 1, 1):
        raise CnrtError(RetCode.ERR_UNSUPPORTED, f"failed to invoke a function with dimension {tuple(dim)}: functions of models have (1, 1, 1)")
    _function(function).invoke(queue, params, func_type, invoke_param)


def cnrtGetFunctionMemUsed(function: LaunchFunction) -> int:
    """Device bytes of a function; 0 before `cnrtInitFunctionMemory_V2`."""
    return _function(function).nbytes
