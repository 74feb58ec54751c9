"""A model as text for people: the `.cambricon_twins` beside a `.cambricon`."""
from __future__ import annotations

from typing import Any

from cnrt.data_desc import TensorSpec
from cnrt.model import Model
from cnrt.model_file import VERSION
from cnrt.program import Program


def twins_text(model: Model, title: str = "") -> str:
    """What stands in a model: decisions, functions with their inputs and outputs, operators, constants.

    Parameters
    ----------
    model : Model
    title : str
        The net's name.
    """
    lines = [f"model {title}".rstrip(), f"container version   {VERSION}", f"core version        {model.core_version.name}",
             f"model parallelism   {model.model_parallelism}", f"stack               {model.stack_mb} MB a core",
             f"functions           {len(model.programs)}"]
    for program in model.programs.values():
        lines += ["", *_program(program)]
    lines += [f"attachment {name}: {len(data)} bytes" for name, data in model.attachments.items()]
    return "\n".join(lines) + "\n"


def _program(program: Program) -> list[str]:
    body = program.body
    nbytes = sum(c.nbytes for c in program.constants)
    lines = [f"function {program.name} ({program.language} format {body['format']}, {body['precision']}, {len(body['operators'])} operators, "
             f"{len(program.constants)} constants of {nbytes} bytes)"]
    lines += [f"  input  {_tensor(t)}" for t in program.inputs]
    lines += [f"  output {_tensor(t)}" for t in program.outputs]
    return lines + [f"  {i:4} {_operator(row, body, program)}" for i, row in enumerate(body["operators"])]


def _tensor(spec: TensorSpec) -> str:
    return f"{spec.name} {_shape(spec.shape)} {spec.dtype.name} {spec.order.name}"


def _shape(shape: Any) -> str:
    return "x".join(map(str, shape)) or "scalar"


def _operator(row: dict[str, Any], body: dict[str, Any], program: Program) -> str:
    inputs, outputs = (", ".join(f"{_named(body['tensors'][i])}" for i in row[side]) for side in ("inputs", "outputs"))
    rows = [body["parameters"][i] for i in row["parameters"]]
    weights = ", ".join(f"{_named(p)} {program.constants[p['constant']].dtype}{_quantized(p)}" for p in rows)
    fields = " ".join(f"{name}={_field(value)}" for name, value in row["fields"].items())
    return f"{row['operator']} '{row['name']}' ({inputs}) -> ({outputs}){f' weights ({weights})' if weights else ''} {fields}".rstrip()


def _named(row: dict[str, Any]) -> str:
    return f"{row['name']} {_shape(row['shape'])}{_quantized(row) if 'constant' not in row else ''}"


def _quantized(row: dict[str, Any]) -> str:
    return "" if row["quantization"] is None else f" quantized {_field(row['quantization'])}"


def _field(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + " ".join(f"{k}={_field(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        shown = [_field(v) for v in value[:8]]
        return "[" + ",".join(shown + [f"… {len(value)}"] * (len(value) > 8)) + "]"
    return f"{value:g}" if isinstance(value, float) else str(value)
