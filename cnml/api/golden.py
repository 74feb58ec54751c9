"""The golden functions: operators computed on host tensors by the definitions in NumPy."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cnml.api.assembly import Assembly, Operand, assemble
from cnml.api.base_ops import argument_value
from cnml.api.constructor import Constructor, same_length
from cnml.api.forms import read_host, write_host
from cnml.api.tensors import CpuTensor, cpu_tensor
from cnml.errors import CnmlError, Status
from cnml.graph import Graph
from cnml.tensor import Tensor

#: a host tensor and where its values are
Pair = tuple[CpuTensor, Any]


def compute(constructor: Constructor, given: dict[str, Any]) -> None:
    """Run an operator by its definition, in float64 between rounding to float32 at each step.

    Parameters
    ----------
    constructor : Constructor
    given : dict of str to object
        Tensors as (CpuTensor, buffer) or lists of them, everything else as for the constructor.

    Raises
    ------
    CnmlError
        As the device's operator; LENGTHERR for buffers of another size.
    """
    graph = Graph()
    values: dict[str, Any] = {}
    operands: dict[str, Any] = {}
    fed: dict[Tensor, np.ndarray] = {}
    for slot in constructor.slots:
        argument = given.get(slot.name)
        if not slot.is_tensor:
            # the vendor's golden functions lack some of the numbers
            values[slot.name] = None if argument is None else argument_value(slot.type, argument, f"{slot.name} of {constructor.name}")
        elif argument is not None:
            operands[slot.name] = ([_operand(graph, p, slot.role, fed) for p in argument] if slot.many else _operand(graph, argument, slot.role, fed))
    for slot in constructor.slots:
        if slot.role == "count":
            values[slot.name] = len(operands[slot.lists[0]])
    fault = same_length([s for s in constructor.slots if all(n in operands for n in s.lists)], {**values, **operands})
    if fault:
        raise CnmlError(f"failed to compute {constructor.name}: {fault}", Status.LENGTHERR)
    assembly = Assembly(constructor, graph, operands, values, constructor.name)
    made = assemble(assembly)
    for recipe in assembly.recipes:
        recipe.fill()
    results = run(graph, fed)
    targets = [p for slot in constructor.outputs for p in (given[slot.name] if slot.many else [given[slot.name]])]
    for node, (tensor, data) in zip(made, targets, strict=True):
        write_host(tensor, results[node][None], data)


def _operand(graph: Graph, pair: Pair, role: str, fed: dict[Tensor, np.ndarray]) -> Operand:
    tensor, data = cpu_tensor(pair[0]), pair[1]
    if role == "out":
        return Operand(tensor.shape, tensor.dtype, quant=tensor.quant)
    real = read_host(tensor, data)[0].astype(np.float32)
    if role == "const":
        return Operand(tensor.shape, tensor.dtype, None, lambda: real, tensor.quant)
    node = graph.input(tensor.shape, repr(tensor))
    fed[node] = np.ascontiguousarray(real)
    return Operand(tensor.shape, tensor.dtype, node, None, tensor.quant)


def run(graph: Graph, fed: dict[Tensor, np.ndarray]) -> dict[Tensor, np.ndarray]:
    """Every tensor of a graph by the operators' definitions.

    Parameters
    ----------
    graph : Graph
    fed : dict of Tensor to float32 ndarray
        The inputs.

    Returns
    -------
    dict of Tensor to float32 ndarray
    """
    values = dict(fed)
    for node in graph.nodes:
        with np.errstate(all="ignore"):
            results: Sequence[Any] = node.op.reference([values[t] for t in node.inputs], [p.array for p in node.parameters])
        values.update({t: np.asarray(r, np.float32).reshape(t.shape) for t, r in zip(node.outputs, results, strict=True)})
    return values


def arguments(constructor: Constructor) -> list[str]:
    """Names of the golden function's arguments: a tensor is two, the descriptor and `…_ptr`."""
    names: list[str] = []
    for name in constructor.golden_order or ():
        names += [name, f"{name}_ptr"] if constructor.slot(name).is_tensor else [name]
    return names


def pairs(constructor: Constructor, given: dict[str, Any]) -> dict[str, Any]:
    """Descriptors and buffers put together."""
    found: dict[str, Any] = {}
    for name in constructor.golden_order or ():
        slot = constructor.slot(name)
        if not slot.is_tensor:
            found[name] = given[name]
        elif slot.many:
            found[name] = list(zip(given[name], given[f"{name}_ptr"], strict=True))
        elif given[name] is not None:
            found[name] = (given[name], given[f"{name}_ptr"])
        elif not slot.optional:
            raise CnmlError(f"failed to compute {constructor.name}: '{name}' is missing", Status.INVALIDARG)
    return found


