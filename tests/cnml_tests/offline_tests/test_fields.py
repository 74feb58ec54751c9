from __future__ import annotations

import json
import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cnml.epilogue import Activation
from cnml.offline.fields import Flag, Later, Many, Maybe, OneOrMany, Positive, Quantized, Real, Record, Whole, Word, decode_table
from cnml.quantization import QuantParam

ACTIVATION = Record(Activation, {"kind": Word(("none", "relu")), "a": Real(), "b": Real()})


@given(st.floats())
def test_floats_survive_exactly(value):
    back = Real().decode(json.loads(json.dumps(Real().encode(value), allow_nan=False)))
    assert struct.pack("=d", back) == struct.pack("=d", value) or math.isnan(value) and math.isnan(back)


@pytest.mark.parametrize("kind, value", [
    (Whole(1, 5), 5), (Flag(), True), (Word(("a", "b")), "b"), (Word(), "anything"), (Maybe(Whole()), None), (Maybe(Whole()), 3),
    (Many(Whole(), 2, 2), (4, 5)), (Many(Many(Real())), ((1.0, math.inf), ())), (ACTIVATION, Activation("relu", 0.1, -0.0)),
    (Quantized(), QuantParam(-5, 1.25)), (Quantized(), QuantParam((1, -2), (1.0, 1.5))), (OneOrMany(Positive()), 2.5),
])
def test_values_come_back(kind, value):
    back = kind.decode(json.loads(json.dumps(kind.encode(value))))
    assert back == value and type(back) is type(value)


@pytest.mark.parametrize("kind, value", [
    (Whole(1, 5), 0), (Whole(1, 5), 6), (Whole(), -1), (Whole(), 1.0), (Whole(), True), (Whole(), "1"), (Whole(), None), (Whole(), 1 << 60),
    (Real(), "infinity"), (Real(), True), (Real(), None), (Real(), [1.0]), (Flag(), 1), (Flag(), "true"), (Word(("a",)), "b"), (Word(), 1),
    (Many(Whole(), 2, 2), [1]), (Many(Whole(), 0, 2), [1, 2, 3]), (Many(Whole()), "12"), (Many(Whole()), [1, -1]), (ACTIVATION, []),
    (ACTIVATION, {"kind": "relu", "a": 0.0}), (ACTIVATION, {"kind": "relu", "a": 0.0, "b": 0.0, "c": 0.0}),
    (ACTIVATION, {"kind": "tanh", "a": 0.0, "b": 0.0}), (Quantized(), {"position": 99, "scale": 1.0}), (Quantized(), {"position": 0, "scale": 0.0}),
    (Quantized(), {"position": 0, "scale": "inf"}), (Quantized(), {"position": [], "scale": 1.0}), (Positive(), -1),
])
def test_anything_else_is_refused_with_a_sentence(kind, value):
    with pytest.raises(ValueError, match=r"(is|must|has) "):
        kind.decode(value)


def test_a_sentence_names_the_field():
    with pytest.raises(ValueError, match="field 'b': entry 1 is -3"):
        decode_table({"a": Flag(), "b": Many(Whole())}, {"a": True, "b": [1, -3]})


def test_files_of_earlier_versions_lack_later_fields():
    fields = {"bias": Flag(), "sparse": Later(Flag(), False)}
    assert decode_table(fields, {"bias": True}) == {"bias": True, "sparse": False}
    assert decode_table(fields, {"bias": True, "sparse": True}) == {"bias": True, "sparse": True}
    assert Later(Flag(), False).encode(True) is True
    with pytest.raises(ValueError, match="has no bias; its fields are bias, sparse"):
        decode_table(fields, {"sparse": True})
    with pytest.raises(ValueError, match="field 'sparse' is 1"):
        decode_table(fields, {"bias": True, "sparse": 1})
