from __future__ import annotations

import hashlib
import json
import struct

import numpy as np
import pytest
from cnrt_tests import tiny_model

from cnrt import model_file
from cnrt.enums import CoreVersion
from cnrt.errors import CnrtError, RetCode
from cnrt.model import Model
from cnrt.program import Program

DAMAGE = (RetCode.ERR_IO, RetCode.ERR_UNSUPPORTED, RetCode.ERR_INVALID)


def sealed(index: bytes, body: bytes = b"") -> bytes:
    """A file of version 2 with right digests around any index."""
    index = index.ljust(-(-len(index) // 64) * 64)
    head = model_file._HEADER.pack(model_file.MAGIC, 2, 0, 128 + len(index) + len(body), len(index), hashlib.sha256(index).digest())
    return head + hashlib.sha256(head).digest() + index + body


def taken_apart(data: bytes) -> tuple[dict, bytes]:
    """The index and the sections."""
    end = 128 + struct.unpack_from("<Q", data, 24)[0]
    return json.loads(data[128:end]), data[end:]


def edited(change) -> bytes:
    """The tiny model with a changed index and right digests."""
    index, body = taken_apart(model_file.to_bytes(tiny_model.model()))
    change(index)
    return sealed(json.dumps(index).encode(), body)


def test_a_model_comes_back_as_it_was(tmp_path):
    model = Model.of([tiny_model.program(), tiny_model.program("subnet1")], 4, 9, CoreVersion.MLU100, {"notes": b"\x00text"})
    model_file.save(model, tmp_path / "m.cambricon")
    back = model_file.load(tmp_path / "m.cambricon")
    assert (back.model_parallelism, back.stack_mb, back.core_version, back.attachments) == (4, 9, CoreVersion.MLU100, {"notes": b"\x00text"})
    assert list(back.programs) == ["subnet0", "subnet1"]
    a, b = model.programs["subnet0"], back.programs["subnet0"]
    assert (a.language, a.body, a.inputs, a.outputs) == (b.language, b.body, b.inputs, b.outputs)
    np.testing.assert_array_equal(a.constants[0], b.constants[0])
    assert b.constants[0] is back.programs["subnet1"].constants[0], "what two functions share stands in the file once"
    assert model_file.to_bytes(back) == model_file.to_bytes(model) == (tmp_path / "m.cambricon").read_bytes()
    assert [p.name for p in tmp_path.iterdir()] == ["m.cambricon"]


@pytest.mark.parametrize("dtype", ["float32", "float16", "int8", "uint8", "int32", "int64", "uint16"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3, 4)])
def test_constants_of_every_type(dtype, shape):
    array = np.arange(np.prod(shape, dtype=int)).astype(dtype).reshape(shape)
    program = Program("f", "any", {}, (array, np.ones(1, np.float32)), (), ())
    back = model_file.from_bytes(model_file.to_bytes(Model.of([program]))).programs["f"].constants[0]
    assert back.dtype == array.dtype and back.shape == shape
    np.testing.assert_array_equal(back, array)


def test_constants_without_a_form_in_the_file():
    for array in (np.array([object()]), np.ones(2, np.complex64), np.ones(2, bool)):
        with pytest.raises(CnrtError) as e:
            model_file.to_bytes(Model.of([Program("f", "any", {}, (array,), (), ())]))
        assert e.value.code == RetCode.ERR_INVALID_TYPE


def flips(data: bytes, places) -> None:
    """Every one of the given bits, flipped alone, is noticed."""
    for at in places:
        damaged = bytearray(data)
        damaged[at // 8] ^= 1 << at % 8
        with pytest.raises(CnrtError) as e:
            model_file.from_bytes(bytes(damaged))
        assert e.value.code in DAMAGE, f"bit {at}"


def test_every_bit_of_header_and_padding_is_under_a_digest():
    data = model_file.to_bytes(tiny_model.model())
    index, body = taken_apart(data)
    start = len(data) - len(body)
    assert [row["nbytes"] for row in index["sections"]] == [8, 120] and len(body) == 64 + 128
    flips(data, range(8 * 128))
    flips(data, [8 * i + 3 for i in (*range(start - 8, start), *range(start + 8, start + 64), *range(start + 64 + 120, len(data)))])


def test_random_bits(rng):
    data = model_file.to_bytes(tiny_model.model())
    flips(data, rng.choice(8 * len(data), 500, replace=False).tolist())


@pytest.mark.slow
def test_all_bits():
    data = model_file.to_bytes(tiny_model.model())
    flips(data, range(8 * len(data)))


def test_a_file_that_is_cut_off_or_goes_on():
    data = model_file.to_bytes(tiny_model.model())
    index, body = taken_apart(data)
    start = len(data) - len(body)
    ends = {0, 8, 12, 16, 24, 32, 64, 96, 127, 128, start - 1, start, start + 64, start + 63, start + 65, len(data) - 1}
    for end in ends:
        with pytest.raises(CnrtError) as e:
            model_file.from_bytes(data[:end])
        assert e.value.code == RetCode.ERR_IO
    with pytest.raises(CnrtError, match="was written with"):
        model_file.from_bytes(data + b"\0")
    for wrong in (body[:-64], body[:64], b"", body + bytes(64)):
        with pytest.raises(CnrtError):
            model_file.from_bytes(sealed(json.dumps(index).encode(), wrong))


@pytest.mark.parametrize("change", [
    lambda i: i.pop("functions"),
    lambda i: i.pop("attachments"),
    lambda i: i.update(model_parallelism="many"),
    lambda i: i.update(model_parallelism=0),
    lambda i: i.update(stack_mb=-1),
    lambda i: i.update(core_version=77),
    lambda i: i.update(sections=7),
    lambda i: i.update(sections=[None]),
    lambda i: i.update(attachments={"a": 9}),
    lambda i: i.update(attachments=[0]),
    lambda i: i["functions"].append(i["functions"][0]),
    lambda i: i["functions"][0].update(constants=[2]),
    lambda i: i["functions"][0].update(constants=[-1]),
    lambda i: i["functions"][0].update(constants=["0"]),
    lambda i: i["functions"][0].update(name=5),
    lambda i: i["functions"][0].update(language=None),
    lambda i: i["functions"][0].update(program=1),
    lambda i: i["functions"][0].update(program=True),
    lambda i: i["functions"][0]["inputs"][0].update(shape=[1, 2, 3]),
    lambda i: i["functions"][0]["inputs"][0].update(dtype="FLOAT99"),
    lambda i: i["functions"][0]["inputs"][0].update(dtype="QUANT8"),
    lambda i: i["functions"][0]["inputs"][0].update(shape=[1, 2, 3, 0]),
    lambda i: i["functions"][0]["outputs"].append("prob"),
    lambda i: i["sections"][0].update(nbytes=1 << 60),
    lambda i: i["sections"][1].update(shape=[1 << 40, 1 << 40]),
    lambda i: i["sections"][1].update(dtype="object"),
    lambda i: i["sections"][1].update(nbytes=64, shape=[16]),
    lambda i: i["sections"].pop(),
    lambda i: i["sections"][1].update(sha256="0" * 64),
    lambda i: i["sections"].reverse(),
])
def test_an_index_that_contradicts_itself(change):
    with pytest.raises(CnrtError):
        model_file.from_bytes(edited(change))


@pytest.mark.parametrize("text", [b"[]", b"7", b"{", b"\xff", b'{"a": NaN}', b"[" * 200_000])
def test_an_index_that_is_no_table(text):
    with pytest.raises(CnrtError) as e:
        model_file.from_bytes(sealed(text))
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


@pytest.mark.parametrize("version", [1, 3, 1 << 31])
def test_other_versions(version):
    data = bytearray(model_file.to_bytes(tiny_model.model()))
    struct.pack_into("<I", data, 8, version)
    data[96:128] = hashlib.sha256(data[:96]).digest()
    with pytest.raises(CnrtError, match=f"version {version}") as e:
        model_file.from_bytes(bytes(data))
    assert e.value.code == RetCode.ERR_UNSUPPORTED


def test_two_functions_of_one_name():
    with pytest.raises(CnrtError) as e:
        Model.of([tiny_model.program(), tiny_model.program()])
    assert e.value.code == RetCode.ERR_EXIST
