"""The vendor's operator library (CNML) of the MLU100 generation, under its names.

Out-parameters are returned, failures raise `CnmlError` with the vendor's status. A handle is the object itself; a device pointer is a
`cnrt.memory.Memory`, a host pointer an array; queues and `InvokeFuncParam` are the runtime's (`cnrt.api`). For each row of the table in
`cnml.api.table` there are cnmlCreate…, cnmlCompute…Forward_V3 and cnmlCpuCompute…Forward, and for each parameter object cnmlCreate… and
cnmlDestroy…: see docs/cnml_support.md.
"""
from __future__ import annotations

from typing import Any

from cnml.api import (
    base_ops,
    buffers,
    constants,
    functions,
    fusion,
    int8_mode,
    models,
    parameter_objects,
    session,
    tensor_files,
    tensor_quantization,
    tensors,
)
from cnrt.launch import InvokeFuncParam

__all__ = ["InvokeFuncParam"]

_MODULES = (base_ops, buffers, constants, fusion, int8_mode, models, session, tensor_files, tensor_quantization, tensors)
_FUNCTIONS: dict[str, Any] = {name: value for module in _MODULES
                              for name, value in vars(module).items() if name.startswith("cnml")}
_FUNCTIONS.update({**parameter_objects.functions(), **int8_mode.functions(), **functions.functions()})
globals().update(_FUNCTIONS)
__all__ += sorted(_FUNCTIONS)


def __getattr__(name: str) -> Any:
    raise AttributeError(f"cnml.api has no '{name}'; docs/cnml_support.md lists its functions")
