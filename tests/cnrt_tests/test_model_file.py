from __future__ import annotations

import hashlib
import json
import struct

import numpy as np
import pytest
from cnrt_tests import tiny_model
from hypothesis import given
from hypothesis import strategies as st

import cnrt
from cnrt import Constant, Function, Instruction, Param, Scratch, model_file
from cnrt.data_desc import TensorSpec
from cnrt.enums import CoreVersion
from cnrt.errors import CnrtError, RetCode
from cnrt.model import Const, Local, Model, ModelFunction, SymbolicCall


def edited(change) -> bytes:
    """The tiny model with a changed index and right digests."""
    data = model_file.to_bytes(tiny_model.model())
    length = struct.unpack_from("<Q", data, 16)[0]
    index = json.loads(data[56:56 + length])
    body = data[-(-(56 + length) // 64) * 64:]
    change(index)
    text = json.dumps(index).encode()
    head = data[:16] + struct.pack("<Q", len(text)) + hashlib.sha256(text).digest() + text
    return head.ljust(-(-len(head) // 64) * 64, b"\0") + body


def test_a_model_comes_back_as_it_was(tmp_path):
    model = tiny_model.model(4, 9)
    model_file.save(model, tmp_path / "m.cambricon")
    back = model_file.load(tmp_path / "m.cambricon")
    assert (back.model_parallelism, back.stack_mb, back.core_version) == (4, 9, CoreVersion.CORE_1H16)
    a, b = model.function("subnet0"), back.function("subnet0")
    assert (a.calls, a.inputs, a.outputs) == (b.calls, b.inputs, b.outputs)
    assert (a.activation_bytes, a.scratch_bytes) == (b.activation_bytes, b.scratch_bytes)
    np.testing.assert_array_equal(a.constants[0], b.constants[0])
    assert model_file.to_bytes(back) == model_file.to_bytes(model) == (tmp_path / "m.cambricon").read_bytes()
    assert [p.name for p in tmp_path.iterdir()] == ["m.cambricon"]


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


INTEGERS = st.integers(-(1 << 63), (1 << 63) - 1)
SCRATCHES, LOCALS = st.builds(Scratch, st.integers(0, 1 << 40)), st.builds(Local, st.integers(0, 64))


@given(st.lists(st.one_of(INTEGERS, st.floats(allow_nan=False), SCRATCHES, LOCALS)))
def test_arguments_survive_exactly(args):
    f = ModelFunction("f", (SymbolicCall("k", tuple(args)),), (), 64, (), ())
    back = model_file.from_bytes(model_file.to_bytes(Model.of([f]))).function("f").calls[0].args
    exact = [[struct.pack("=d", a) if isinstance(a, float) else a for a in some] for some in (back, args)]
    assert exact[0] == exact[1]
    assert [type(a) for a in back] == [type(a) for a in args]


@pytest.mark.parametrize("dtype", ["float32", "float16", "int8", "uint8", "int32", "int64", "uint16"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3, 4)])
def test_constants_of_every_type(dtype, shape):
    array = np.arange(np.prod(shape, dtype=int)).astype(dtype).reshape(shape)
    f = ModelFunction("f", (SymbolicCall("k", (Const(0), Const(1))),), (array, np.ones(1, np.float32)), 0, (), ())
    back = model_file.from_bytes(model_file.to_bytes(Model.of([f]))).function("f").constants[0]
    assert back.dtype == array.dtype and back.shape == shape
    np.testing.assert_array_equal(back, array)


def test_any_damaged_byte_is_noticed():
    data = model_file.to_bytes(tiny_model.model())
    length = struct.unpack_from("<Q", data, 16)[0]
    start = -(-(56 + length) // 64) * 64
    for at in [*range(0, 60), 56 + length - 1, start, start + 119]:
        damaged = bytearray(data)
        damaged[at] ^= 0x10
        with pytest.raises(CnrtError) as e:
            model_file.from_bytes(bytes(damaged))
        assert e.value.code in (RetCode.ERR_IO, RetCode.ERR_UNSUPPORTED)
    for end in (0, 8, 40, 56 + length - 1, start + 100):
        with pytest.raises(CnrtError) as e:
            model_file.from_bytes(data[:end])
        assert e.value.code == RetCode.ERR_IO


@pytest.mark.parametrize("change", [
    lambda i: i.pop("functions"),
    lambda i: i.update(model_parallelism="many"),
    lambda i: i.update(core_version=77),
    lambda i: i["functions"].append(i["functions"][0]),
    lambda i: i["functions"][0].update(constants=[1]),
    lambda i: i["functions"][0].update(constants=[-1]),
    lambda i: i["functions"][0].update(activation_bytes=-5),
    lambda i: i["functions"][0].update(activation_bytes=1e3),
    lambda i: i["functions"][0]["inputs"][0].update(shape=[1, 2, 3]),
    lambda i: i["functions"][0]["inputs"][0].update(dtype="FLOAT99"),
    lambda i: i["functions"][0]["inputs"][0].update(dtype="QUANT8"),
    lambda i: i["functions"][0]["inputs"][0].update(shape=[1, 2, 3, 0]),
    lambda i: i["functions"][0]["calls"].append(["tiny_relu", [["p", 2, 0]]]),
    lambda i: i["functions"][0]["calls"].append(["tiny_relu", [["p", 0, 121]]]),
    lambda i: i["functions"][0]["calls"].append(["tiny_relu", [["l", 129]]]),
    lambda i: i["functions"][0]["calls"].append(["tiny_relu", [["l", -1]]]),
    lambda i: i["functions"][0]["calls"].append(["tiny_relu", [["c", 1, 0]]]),
    lambda i: i["functions"][0]["calls"].append(["tiny_relu", [["c", 0, 121]]]),
    lambda i: i["functions"][0]["calls"].append(["tiny_relu", [["x", 0]]]),
    lambda i: i["functions"][0]["calls"].append(["tiny_relu", [["i", "7"]]]),
    lambda i: i["functions"][0]["calls"].append(["tiny_relu"]),
    lambda i: i["sections"][0].update(nbytes=1 << 60),
    lambda i: i["sections"][0].update(shape=[1 << 40, 1 << 40]),
    lambda i: i["sections"][0].update(dtype="object"),
    lambda i: i["sections"][0].update(offset=1 << 62),
    lambda i: i["sections"][0].update(offset=3),
])
def test_an_index_that_contradicts_itself(change):
    with pytest.raises(CnrtError):
        model_file.from_bytes(edited(change))


@pytest.mark.parametrize("text", [b"[]", b"7", b"{", b"\xff"])
def test_an_index_that_is_no_table(text):
    data = model_file.MAGIC + struct.pack("<IIQ", 1, 0, len(text)) + hashlib.sha256(text).digest() + text
    with pytest.raises(CnrtError) as e:
        model_file.from_bytes(data)
    assert e.value.code == RetCode.ERR_INVALID


def test_files_that_are_no_models(tmp_path):
    with pytest.raises(CnrtError) as e:
        model_file.load(tmp_path / "none")
    assert e.value.code == RetCode.ERR_NO_EXIST
    with pytest.raises(CnrtError) as e:
        model_file.load(tmp_path)
    assert e.value.code == RetCode.ERR_IO
    (tmp_path / "other").write_bytes(b"\0" * 500)
    with pytest.raises(CnrtError, match="other"):
        model_file.load(tmp_path / "other")
    with pytest.raises(CnrtError) as e:
        model_file.save(tiny_model.model(), tmp_path / "missing" / "m")
    assert e.value.code == RetCode.ERR_IO
    data = bytearray(model_file.to_bytes(tiny_model.model()))
    data[8] = 2
    with pytest.raises(CnrtError, match="version 2") as e:
        model_file.from_bytes(bytes(data))
    assert e.value.code == RetCode.ERR_UNSUPPORTED


def test_deeply_nested_indices_do_not_kill():
    text = b"[" * 200_000
    data = model_file.MAGIC + struct.pack("<IIQ", 1, 0, len(text)) + hashlib.sha256(text).digest() + text
    with pytest.raises(CnrtError):
        model_file.from_bytes(data)


def test_two_functions_of_one_name():
    f = tiny_model.model().function("subnet0")
    with pytest.raises(CnrtError) as e:
        Model.of([f, f])
    assert e.value.code == RetCode.ERR_EXIST
