"""The MLU270 generation's parameter descriptors, and runs of contexts that are given them."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cnrt.api.contexts import cnrtInvokeRuntimeContext
from cnrt.api.session import require_init
from cnrt.data_desc import TensorSpec
from cnrt.enums import DataType
from cnrt.errors import CnrtError, RetCode
from cnrt.launch import LaunchFunction
from cnrt.memory import Memory
from cnrt.param_desc import ParamDesc, param_desc
from cnrt.queue import Queue
from cnrt.runtime_context import RuntimeContext


def cnrtCreateParamDesc() -> ParamDesc:
    """A descriptor that says nothing yet."""
    require_init()
    return ParamDesc()


def cnrtDestroyParamDesc(desc: ParamDesc) -> None:
    """End a descriptor's life; INVALID the second time."""
    param_desc(desc).destroyed = True


def cnrtCreateParamDescArray(param_num: int) -> list[ParamDesc]:
    """That many descriptors, numbered; OUT_RANGE for a negative number."""
    require_init()
    if param_num < 0:
        raise CnrtError(RetCode.ERR_OUT_RANGE, f"failed to make {param_num} parameter descriptors")
    return [ParamDesc(i) for i in range(param_num)]


def cnrtDestroyParamDescArray(param_descs: Sequence[ParamDesc], param_num: int) -> None:
    """End the lives of the first `param_num`; OUT_RANGE if there are not so many."""
    for desc in _first(param_descs, param_num):
        cnrtDestroyParamDesc(desc)


def cnrtSetShapeToParamDesc(desc: ParamDesc, dims: Sequence[int], dim_num: int) -> None:
    """Set the shape, in the order of device memory, from the first `dim_num` of `dims`; INVALID for one that is not positive, OUT_RANGE."""
    param_desc(desc).set_shape(_first(dims, dim_num))


def cnrtSetDataTypeToParamDesc(desc: ParamDesc, dtype: int) -> None:
    """Set the type; INVALID_TYPE for one that is none."""
    if dtype not in DataType._value2member_map_:
        raise CnrtError(RetCode.ERR_INVALID_TYPE, f"failed to describe a parameter with the type {dtype!r}: it must be a DataType")
    param_desc(desc).dtype = DataType(dtype)


def cnrtSetNameToParamDesc(desc: ParamDesc, name: str) -> None:
    """Set the name."""
    param_desc(desc).name = str(name)


def cnrtGetShapeFromParamDesc(desc: ParamDesc) -> tuple[list[int], int]:
    """Extents, and how many; none before they are set."""
    shape = param_desc(desc).shape or ()
    return list(shape), len(shape)


def cnrtGetNameFromParamDesc(desc: ParamDesc) -> str:
    """The name; empty before it is set."""
    return param_desc(desc).name


def cnrtGetIdFromParamDesc(desc: ParamDesc) -> int:
    """The place in the array that it was made in."""
    return param_desc(desc).number


def cnrtInferFunctionOutputShape(func: LaunchFunction, input_num: int, input_params: Sequence[ParamDesc], output_num: int,
                                 output_params: Sequence[ParamDesc]) -> None:
    """Fill the descriptors of a function's outputs, given those of its inputs.

    Raises
    ------
    CnrtError
        OUT_RANGE for other numbers than the function's, INVALID for other shapes or types than its model was compiled for.
    """
    require_init()
    inputs, outputs = _specs(func, False), _specs(func, True)
    given, wanted = _all(input_params, input_num, inputs, "input"), _all(output_params, output_num, outputs, "output")
    for i, (desc, spec) in enumerate(zip(given, inputs, strict=True)):
        param_desc(desc).check(spec, f"input {i}")
    for desc, spec in zip(wanted, outputs, strict=True):
        param_desc(desc).describe(spec)


def cnrtInvokeRuntimeContext_V2(ctx: RuntimeContext, param_descs: Sequence[ParamDesc] | None, param_buffers: Sequence[Memory], queue: Queue,
                                extra: Any = None) -> None:
    """Run the context's function as `cnrtInvokeRuntimeContext` does, after comparing the descriptors of inputs and outputs with it.

    Parameters
    ----------
    ctx : RuntimeContext
    param_descs : sequence of ParamDesc or None
        All inputs, then all outputs; None compares nothing.
    param_buffers : sequence of Memory
        In the same order.
    queue : Queue
    extra
        Has no meaning.

    Raises
    ------
    CnrtError
        As `cnrtInferFunctionOutputShape` and `cnrtInvokeRuntimeContext`.
    """
    if param_descs is not None and isinstance(ctx, RuntimeContext):
        function = ctx.function
        specs = [*_specs(function, False), *_specs(function, True)]
        for i, (desc, spec) in enumerate(zip(_all(param_descs, len(param_descs), specs, "parameter"), specs, strict=True)):
            param_desc(desc).check(spec, f"parameter {i}")
    cnrtInvokeRuntimeContext(ctx, param_buffers, queue, extra)


def _specs(function: Any, outputs: bool) -> list[TensorSpec]:
    if not isinstance(function, LaunchFunction):
        raise CnrtError(RetCode.ERR_INVALID, f"failed to use {function!r} as a function: it must come from cnrtCreateFunction")
    return [d.device for d in (function.outputs() if outputs else function.inputs())]


def _first(values: Sequence[Any], number: int) -> Sequence[Any]:
    if not 0 <= number <= len(values):
        raise CnrtError(RetCode.ERR_OUT_RANGE, f"failed to take {number} of {len(values)} values")
    return values[:number]


def _all(params: Sequence[ParamDesc], number: int, specs: Sequence[TensorSpec], what: str) -> Sequence[ParamDesc]:
    if number != len(specs):
        raise CnrtError(RetCode.ERR_OUT_RANGE, f"failed to take {number} {what} descriptors: the function has {len(specs)} {what}s")
    return _first(params, number)
