from __future__ import annotations

import importlib
import inspect
import json
import pkgutil

import pytest
from cnml_tests.offline_tests.operator_cases import CASES, Case, geometry, label, op

import pycaffe_acc.layer_types as layer_types
from cnml.codes import Codes, LayerCodes
from cnml.offline.operator_table import OPERATORS, name_of
from cnml.operator import Operator
from cnml.quantization import QuantParam

#: native operators that no program can hold, and why
LEFT_OUT = {
    "BatchAffine": "training", "CheckRois": "checks on the host", "HostCall": "code of the host",
    "PsRoiPooling": "always behind CheckRois", "RoiAlign": "always behind CheckRois", "RoiMaxPooling": "always behind CheckRois",
    "RoiPool": "a base class",
}


def emitted() -> set[type[Operator]]:
    """The operator classes that layer types use."""
    found = set()
    for module in pkgutil.iter_modules(layer_types.__path__):
        for _, cls in inspect.getmembers(importlib.import_module(f"pycaffe_acc.layer_types.{module.name}"), inspect.isclass):
            if issubclass(cls, Operator) and cls is not Operator:
                found.add(cls)
    return found


def test_every_native_operator_of_a_layer_has_a_form():
    missing = {c.__name__ for c in emitted() if not c.host_reason and c.__name__ not in OPERATORS} - set(LEFT_OUT)
    assert not missing, f"add {', '.join(sorted(missing))} to cnml.offline.operator_table"


@pytest.mark.parametrize("name", sorted(OPERATORS))
def test_a_form_has_every_parameter_of_the_constructor(name):
    form = OPERATORS[name]
    assert set(inspect.signature(form.cls.__init__).parameters) - {"self", "name"} == set(form.fields)
    for field, kind in form.fields.items():
        cls = getattr(kind, "cls", None)
        if cls is not None:
            assert set(inspect.signature(cls).parameters) == set(kind.fields), f"{name}.{field}"


def test_every_form_has_a_case():
    assert {name_of(c.op) for c in CASES} == set(OPERATORS)


@pytest.mark.parametrize("case", CASES, ids=label)
def test_fields_come_back(case: Case):
    form = OPERATORS[label(case)]
    table = form.encode(case.op)
    back = form.decode(case.op.name, json.loads(json.dumps(table, allow_nan=False)))
    assert type(back) is type(case.op) and back.name == case.op.name
    assert form.encode(back) == table
    shapes = [tuple(s) for s in case.inputs], [tuple(s) for s in case.parameters]
    assert back.reshape(*shapes) == case.op.reshape(*shapes)
    form.check(back, *shapes)


@pytest.mark.parametrize("weights", [QuantParam(-7, 1.5), QuantParam((-7, 3), (1.5, 1.0))])
def test_int8_comes_back(weights):
    codes = LayerCodes(Codes.of(QuantParam(-3, 1.1), unsigned=True), weights)
    for some in (op("Convolution", geometry(2, 3), int8=codes), op("InnerProduct", 2, int8=codes)):
        form = OPERATORS[type(some).__name__]
        assert form.decode("x", json.loads(json.dumps(form.encode(some)))).int8 == codes


@pytest.mark.parametrize("case", [c for c in CASES if c.parameters], ids=label)
def test_parameters_of_another_size_are_refused(case: Case):
    form = OPERATORS[label(case)]
    for i, shape in enumerate(case.parameters):
        wrong = list(case.parameters)
        wrong[i] = (*shape[:-1], shape[-1] + 2)
        with pytest.raises(Exception, match=r"parameter|weights|must|needs") as e:
            case.op.reshape(list(case.inputs), wrong)
            form.check(case.op, list(case.inputs), wrong)
        assert not isinstance(e.value, AssertionError)
    for parameters in (case.parameters[1:], (*case.parameters, (3,))):
        with pytest.raises((ValueError, RuntimeError, IndexError)):
            case.op.reshape(list(case.inputs), list(parameters))
            form.check(case.op, list(case.inputs), list(parameters))


@pytest.mark.parametrize("case", CASES, ids=label)
def test_numbers_of_inputs_are_checked(case: Case):
    form = OPERATORS[label(case)]
    most = form.inputs[1]
    with pytest.raises((ValueError, IndexError), match=r"inputs|range"):
        form.check(case.op, [], list(case.parameters))
    if most < 1 << 16:
        with pytest.raises(ValueError, match="inputs"):
            form.check(case.op, [(1, 1)] * (most + 1), list(case.parameters))
