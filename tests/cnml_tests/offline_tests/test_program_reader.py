from __future__ import annotations

import copy
import dataclasses

import numpy as np
import pytest
from cnml_tests.compiled import parameters
from cnml_tests.offline_tests.operator_cases import geometry, op
from hypothesis import given
from hypothesis import strategies as st

from cnml.graph import Graph
from cnml.offline import read_program, write_program
from cnrt.data_desc import TensorSpec
from cnrt.enums import DataType, DimOrder
from cnrt.errors import CnrtError, RetCode
from cnrt.program import Program


def make() -> Program:
    """A convolution, an activation and a sum."""
    graph = Graph()
    x = graph.input((1, 4, 5, 5), "x")
    y, = graph.add(op("Convolution", geometry(6, 3)), [x], parameters(np.ones((6, 4, 3, 3)), np.zeros(6)))
    z, = graph.add(op("Unary", "relu", 0.0), [y])
    total, = graph.add(op("Eltwise", "SUM"), [y, z])
    return write_program("f", graph, {"total": total})


PROGRAM = make()


def edited(change) -> Program:
    """The program with a changed body."""
    body = copy.deepcopy(PROGRAM.body)
    change(body)
    return dataclasses.replace(PROGRAM, body=body)


def refused(program: Program, code: RetCode) -> None:
    """With this code and a sentence that names the function."""
    with pytest.raises(CnrtError, match="function 'f'") as e:
        read_program(program)
    assert e.value.code == code, e.value
    with pytest.raises(CnrtError) as e:
        program.lowered()
    assert e.value.code == code


def test_a_program_is_a_graph_again():
    graph, outputs, precision = read_program(PROGRAM)
    assert [type(n.op).__name__ for n in graph.nodes] == ["Convolution", "Unary", "Eltwise"] and precision == "fp32"
    assert outputs == [graph.nodes[-1].outputs[0]] and [t.name for t in graph.inputs] == ["x"]
    again = write_program("f", graph, {"total": outputs[0]})
    assert again.body == PROGRAM.body


@pytest.mark.parametrize("change", [
    lambda b: b.update(format=2),
    lambda b: b.update(format="1"),
    lambda b: b.pop("format"),
    lambda b: b["operators"][1].update(operator="Frobnicate"),
    lambda b: b["operators"][1].update(operator="HostCall"),
    lambda b: b["operators"][0].update(operator="__class__"),
    lambda b: b["tensors"][0].update(quantization={"position": -3, "scale": 1.0}),
    lambda b: b["parameters"][0].update(quantization={"position": -3, "scale": 1.0}),
])
def test_what_is_not_known_here(change):
    refused(edited(change), RetCode.ERR_UNSUPPORTED)


@pytest.mark.parametrize("change", [
    lambda b: b.pop("operators"),
    lambda b: b.update(more=1),
    lambda b: b.update(precision="fp64"),
    lambda b: b.update(tensors={}),
    lambda b: b["tensors"].append(7),
    lambda b: b["tensors"].append({"name": "t", "shape": [1], "quantization": None}),
    lambda b: b["tensors"].pop(),
    lambda b: b["tensors"][0].update(shape=[1, 4, 5]),
    lambda b: b["tensors"][0].update(shape=[1, 4, 5, -5]),
    lambda b: b["tensors"][0].update(shape=[1, 4, 5, 5.0]),
    lambda b: b["tensors"][0].update(name=None),
    lambda b: b["tensors"][1].update(shape=[1, 6, 3, 4]),
    lambda b: b.update(inputs=[]),
    lambda b: b.update(inputs=[0, 0]),
    lambda b: b.update(inputs=[0, 99]),
    lambda b: b.update(inputs=[], shapes=[0]),
    lambda b: b.update(shapes=[0]),
    lambda b: b.update(shapes=[7]),
    lambda b: b.update(outputs=[]),
    lambda b: b.update(outputs=[99]),
    lambda b: b.update(outputs=[-1]),
    lambda b: b["operators"].reverse(),
    lambda b: b["operators"].append(b["operators"][1]),
    lambda b: b["operators"].pop(),
    lambda b: b["operators"][0].update(fields={}),
    lambda b: b["operators"][0].update(fields=[]),
    lambda b: b["operators"][0].update(parameters=[0]),
    lambda b: b["operators"][0].update(parameters=[0, 1, 1]),
    lambda b: b["operators"][0].update(parameters=[1, 0]),
    lambda b: b["operators"][0].update(parameters=[0, 2]),
    lambda b: b["operators"][0].update(inputs=[]),
    lambda b: b["operators"][0].update(inputs=[3]),
    lambda b: b["operators"][0].update(outputs=[0]),
    lambda b: b["operators"][0].update(outputs=[1, 2]),
    lambda b: b["operators"][0].update(outputs=[99]),
    lambda b: b["operators"][0].update(extra=True),
    lambda b: b["operators"][0]["fields"]["geometry"].update(group=0),
    lambda b: b["operators"][0]["fields"]["geometry"].update(group=3),
    lambda b: b["operators"][0]["fields"]["geometry"].update(stride=[0, 1]),
    lambda b: b["operators"][0]["fields"]["geometry"].update(kernel=[3]),
    lambda b: b["operators"][0]["fields"]["geometry"].update(kernel=[3, 3, 3]),
    lambda b: b["operators"][0]["fields"]["geometry"].update(pad=[1]),
    lambda b: b["operators"][0]["fields"]["geometry"].update(axis=31),
    lambda b: b["operators"][0]["fields"]["geometry"].update(num_output=1 << 39),
    lambda b: b["operators"][0]["fields"].update(residual=True),
    lambda b: b["operators"][0]["fields"].update(folds=[{"kind": "batch_norm", "parameters": 2, "eps": 0.0}]),
    lambda b: b["operators"][1]["fields"].update(function="import"),
    lambda b: b["operators"][1]["fields"].update(params=[]),
    lambda b: b["operators"][2]["fields"].update(coeff=[1.0]),
    lambda b: b["parameters"][0].update(constant=2),
    lambda b: b["parameters"][0].update(constant=-1),
    lambda b: b["parameters"][0].update(shape=[6, 4, 3]),
    lambda b: b["parameters"][1].update(shape=[5]),
])
def test_a_program_that_contradicts_itself(change):
    refused(edited(change), RetCode.ERR_INVALID)


def test_more_values_than_memory():
    def grow(body):
        body["tensors"][0]["shape"] = [1 << 30, 1 << 12]
        body["tensors"][1]["shape"] = [1 << 30, 1 << 12]
        body.update(tensors=body["tensors"][:2], outputs=[1], parameters=[], operators=[
            {"operator": "Sqrt", "name": "s", "fields": {}, "inputs": [0], "outputs": [1], "parameters": []}])

    refused(edited(grow), RetCode.ERR_NOMEM)


def test_constants_of_another_size_or_type():
    first, second = PROGRAM.constants
    for array in (first[:, :2], first.astype(np.float64), first.astype(np.int32), np.ones(0, np.float32)):
        refused(dataclasses.replace(PROGRAM, constants=(array, second)), RetCode.ERR_INVALID)


def test_descriptors_that_do_not_fit():
    for shape in ((1, 4, 5, 6), (4, 1, 5, 5)):
        refused(dataclasses.replace(PROGRAM, inputs=(TensorSpec("x", shape),)), RetCode.ERR_INVALID)
    refused(dataclasses.replace(PROGRAM, outputs=()), RetCode.ERR_INVALID)
    for other in ({"order": DimOrder.HWCN}, {"dtype": DataType.FLOAT16}):
        refused(dataclasses.replace(PROGRAM, inputs=(dataclasses.replace(PROGRAM.inputs[0], **other),)), RetCode.ERR_INVALID)


NAMES = st.sampled_from(["kind", "name", "shape", "a"])
VALUES = st.recursive(st.none() | st.booleans() | st.integers(-3, 1 << 70) | st.floats() | st.text(max_size=5),
                      lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=6)


def places(value, path=()) -> list[tuple]:
    """Every path into a JSON value."""
    found = [path] if path else []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return found + [p for k, v in items for p in places(v, (*path, k))]


@given(st.sampled_from(places(PROGRAM.body)), VALUES)
def test_any_value_in_any_place(path, value):
    """It is refused, or it reads as a program; nothing else comes out."""
    def put(body):
        *way, last = path
        for step in way:
            body = body[step]
        body[last] = value

    try:
        graph, _, _ = read_program(edited(put))
    except CnrtError as e:
        assert e.code in (RetCode.ERR_INVALID, RetCode.ERR_UNSUPPORTED, RetCode.ERR_NOMEM, RetCode.ERR_INVALID_DATADESC)
    else:
        assert len(graph.nodes) == 3
