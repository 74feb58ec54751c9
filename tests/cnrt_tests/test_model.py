from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from cnrt_tests import tiny_model

import cnrt
from cnrt import Constant, Function, Instruction, Param, Scratch, program_table
from cnrt.data_desc import TensorSpec
from cnrt.errors import CnrtError, RetCode
from cnrt.model import Const, Local, Model, ModelFunction, SymbolicCall


@pytest.fixture(autouse=True)
def kernels():
    with tiny_model.kernels():
        yield


def test_capture_makes_addresses_symbolic():
    f = tiny_model.model().function("subnet0")
    assert f.calls == (SymbolicCall("tiny_add", (Param(0), Const(0), Local(0), 30, Scratch(120))),
                       SymbolicCall("tiny_relu", (Local(0), Param(1), 30)))
    assert f.activation_bytes == 128 and f.nbytes == 248
    host = cnrt.get("host")
    x, y, shared = host.malloc(120), host.malloc(60), np.ones(3, np.float32)
    spec = TensorSpec("t", tiny_model.SHAPE)
    f = ModelFunction.capture(Function("f", [Instruction("k", (x.at(8), Constant(shared), Constant(shared), 1.5))]), [(spec, x)], [])
    assert f.calls[0].args == (Param(0, 8), Const(0), Const(0), 1.5)
    for inputs, function in (([(spec, y)], Function("f", [])), ([], Function("f", [Instruction("k", (Param(0),))]))):
        with pytest.raises(CnrtError, match="'f'"):
            ModelFunction.capture(function, inputs, [])


@pytest.mark.parametrize("args", [(Param(1),), (Param(0, 121),), (Local(65),), (Local(-1),), (Const(1),), (Const(0, 13),), (1, Const(-1))])
def test_arguments_that_point_outside(args):
    with pytest.raises(CnrtError, match=r"argument \d of instruction 0 \(k\)") as e:
        ModelFunction("f", (SymbolicCall("k", args),), (np.ones(3, np.float32),), 64, (tiny_model.DATA,), ())
    assert e.value.code == RetCode.ERR_INVALID


def test_a_program_is_lowered_once():
    model = tiny_model.model()
    assert model.function("subnet0") is model.function("subnet0")
    assert model.nbytes == 248


def test_unknown_symbols_and_languages():
    model = tiny_model.model()
    with pytest.raises(CnrtError, match="subnet0") as e:
        model.function("subnet1")
    assert e.value.code == RetCode.ERR_NO_EXIST
    with pytest.raises(CnrtError, match="tiny") as e:
        Model.of([dataclasses.replace(tiny_model.program(), language="os")]).function("subnet0")
    assert e.value.code == RetCode.ERR_UNSUPPORTED


def test_descriptors_must_be_those_of_the_program():
    wider = dataclasses.replace(tiny_model.DATA, shape=(2, 3, 2, 5))
    with pytest.raises(CnrtError, match="descriptors") as e:
        Model.of([dataclasses.replace(tiny_model.program(), inputs=(wider,))]).function("subnet0")
    assert e.value.code == RetCode.ERR_INVALID


def test_a_language_has_one_loader():
    with pytest.raises(CnrtError) as e:
        program_table.register(tiny_model.LANGUAGE, lambda program: program)
    assert e.value.code == RetCode.ERR_EXIST
    with pytest.raises(CnrtError) as e:
        program_table.unregister("nobody's")
    assert e.value.code == RetCode.ERR_NO_EXIST


def test_entry_points_offer_languages(monkeypatch):
    class Entry:
        name = "offered"

        @staticmethod
        def load():
            return tiny_model

    monkeypatch.setattr(program_table.metadata, "entry_points", lambda group: [Entry] if group == "cnrt.programs" else [])
    try:
        assert program_table.loader("offered") is tiny_model.lower
    finally:
        program_table.unregister("offered")
