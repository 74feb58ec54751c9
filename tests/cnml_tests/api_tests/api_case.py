"""One use of an operator of the vendor's interface, and how it is run on the device and by its golden function."""
from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cnml import api
from cnml.api.enums import CoreVersion, DataOrder, DataType, TensorType
from cnml.api.forms import NUMPY
from cnml.api.table import CONSTRUCTORS


def values(name: str, *shape: int, low: float = -2.0, high: float = 2.0) -> np.ndarray:
    """Seeded float32 numbers, exact as halves."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    return rng.uniform(low, high, shape).astype(np.float16).astype(np.float32)


def whole(name: str, *shape: int, low: int = -3, high: int = 3) -> np.ndarray:
    """Seeded whole numbers."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    return rng.integers(low, high + 1, shape).astype(np.float32)


@dataclass
class Case:
    """A constructor with its arguments and what must come out.

    Attributes
    ----------
    name : str
    tensors : dict of str to ndarray or list of ndarray
        Inputs and constants by argument, four axes each.
    expected : list of ndarray
        The outputs in the constructor's order (a list argument's in a row).
    numbers : dict of str to object
        Everything else; a parameter object as (constructor, *fields).
    rtol, atol : float
    dtypes : dict of str to DataType
        Of tensors that are not FLOAT32.
    label : str
        Tells cases of one constructor apart.
    """

    name: str
    tensors: dict[str, Any]
    expected: list[np.ndarray]
    numbers: dict[str, Any] = field(default_factory=dict)
    rtol: float = 1e-4
    atol: float = 1e-5
    dtypes: dict[str, DataType] = field(default_factory=dict)
    label: str = ""

    @property
    def id(self) -> str:
        """For pytest."""
        return f"{self.name}-{self.label}" if self.label else self.name

    def __post_init__(self) -> None:
        self.constructor = CONSTRUCTORS[self.name]


def number(value: Any) -> Any:
    """A parameter object from ("ConvOpParam", 1, 1, …), anything else as it is."""
    if isinstance(value, tuple) and value and isinstance(value[0], str):
        return getattr(api, f"cnmlCreate{value[0]}")(*value[1:])
    return value


def host(array: np.ndarray, dtype: DataType = DataType.FLOAT32) -> Any:
    """A host descriptor, NCHW."""
    return api.cnmlCreateCpuTensor(TensorType.TENSOR, dtype, DataOrder.NCHW, *array.shape)


def device(array: np.ndarray, role: str, dtype: DataType) -> Any:
    """A device descriptor; constants with their data."""
    kind = TensorType.CONST if role == "const" else TensorType.TENSOR
    tensor = api.cnmlCreateTensor(kind, dtype, *array.shape)
    if role == "const":
        api.cnmlBindConstData(tensor, host(array), np.ascontiguousarray(array, np.float32))
    return tensor


def outputs(case: Case) -> dict[str, Any]:
    """Expected arrays by output argument."""
    left, found = list(case.expected), {}
    slots = case.constructor.outputs
    for slot in slots:
        found[slot.name] = [left.pop(0) for _ in range(len(left))] if slot.many else left.pop(0)
    return found


def each(value: Any, function: Any) -> Any:
    """A function of an array or of each of a list."""
    return [function(v) for v in value] if isinstance(value, list) else function(value)


def created(case: Case, dtype: DataType = DataType.FLOAT32) -> tuple[Any, dict[str, Any]]:
    """The operator, not compiled, and its tensors by argument."""
    wanted, arguments, tensors = outputs(case), {}, {}
    for slot in case.constructor.slots:
        if slot.role == "count":
            arguments[slot.name] = len(({**case.tensors, **wanted})[slot.lists[0]])
        elif not slot.is_tensor:
            arguments[slot.name] = number(case.numbers[slot.name])
        else:
            source = wanted.get(slot.name) if slot.role == "out" else case.tensors.get(slot.name)
            kind = case.dtypes.get(slot.name, dtype)
            arguments[slot.name] = tensors[slot.name] = None if source is None else each(source, lambda a, s=slot, k=kind: device(a, s.role, k))
    return getattr(api, f"cnmlCreate{case.name}")(**arguments), tensors


def run_device(case: Case, dtype: DataType = DataType.FLOAT32, parallel: int = 1, prepare: Any = None) -> list[np.ndarray]:
    """Create, compile, copy in, compute on a queue, copy out; float32 results, (parallel, N, C, H, W) for more than one slice."""
    from cnrt.api import cnrtCreateQueue, cnrtDestroyQueue, cnrtSyncQueue
    op, tensors = created(case, dtype)
    if prepare is not None:
        prepare(op, tensors)
    api.cnmlCheckBaseOpRunnable(op, CoreVersion.MLU100)
    api.cnmlCompileBaseOp(op, CoreVersion.MLU100, 1)
    queue, wanted = cnrtCreateQueue(), outputs(case)
    pointers: dict[str, Any] = {}
    for slot in case.constructor.slots:
        if slot.role == "in":
            given, held = case.tensors[slot.name], tensors[slot.name]
            pointers[slot.name] = ([copied_in(a, t, parallel) for a, t in zip(given, held, strict=True)] if slot.many
                                   else copied_in(given, held, parallel))
        elif slot.role == "out":
            pointers[slot.name] = each(tensors[slot.name], lambda t: api.cnmlMallocBatchBuffer(t, parallel))
        elif slot.role == "count":
            pointers[slot.name] = len(({**case.tensors, **wanted})[slot.lists[0]])
    compute = getattr(api, f"cnmlCompute{case.constructor.compute_name}Forward_V3")
    compute(op, *(pointers[n] for n in case.constructor.compute_order), api.InvokeFuncParam(parallel), queue)
    cnrtSyncQueue(queue)
    cnrtDestroyQueue(queue)
    results = []
    for slot in case.constructor.outputs:
        held, memories = (tensors[slot.name], pointers[slot.name]) if slot.many else ([tensors[slot.name]], [pointers[slot.name]])
        for tensor, pointer in zip(held, memories, strict=True):
            out = np.empty((parallel, *tensor.shape), np.float32)
            api.cnmlMemcpyBatchTensorToHost(tensor, pointer, host(out[0]), out, parallel)
            results.append(out if parallel > 1 else out[0])
    api.cnmlDestroyBaseOp(op)
    return results


def copied_in(array: np.ndarray, tensor: Any, parallel: int) -> Any:
    """Device memory with `parallel` copies of an array."""
    memory = api.cnmlMallocBatchBuffer(tensor, parallel)
    api.cnmlMemcpyBatchTensorToDevice(host(array), np.ascontiguousarray(np.stack([array] * parallel), np.float32), tensor, memory, parallel)
    return memory


def run_golden(case: Case) -> list[np.ndarray]:
    """The golden function on host tensors."""
    row, wanted = case.constructor, outputs(case)
    types = {name: case.dtypes.get(name, DataType.FLOAT32) for name in (*case.tensors, *wanted)}
    made = {name: each(a, lambda v, t=types[name]: np.full(v.shape, 99, NUMPY[t])) for name, a in wanted.items()}
    given: list[Any] = []
    for name in row.golden_order:
        slot = row.slot(name)
        if slot.role == "count":
            given.append(len(({**case.tensors, **wanted})[slot.lists[0]]))
        elif not slot.is_tensor:
            given.append(number(case.numbers[name]))
        else:
            array = made[name] if slot.role == "out" else case.tensors.get(name)
            if array is None:
                given += [None, None]
            else:
                given += [each(array, lambda v, t=types[name]: host(v, t)), each(array, lambda v, t=types[name]: np.require(v, NUMPY[t], "C"))]
    getattr(api, f"cnmlCpuCompute{case.name}Forward")(*given)
    return [a for slot in row.outputs for a in (made[slot.name] if slot.many else [made[slot.name]])]
