"""Prototxt parsing: protobuf's text format, with lines in errors and unknown fields kept apart."""

from __future__ import annotations

import math

import pytest
from google.protobuf import text_format as protobuf_text

from pycaffe_acc.errors import CaffeError, MissingFileError, PrototxtError, UnknownFieldError
from pycaffe_acc.proto import caffe_pb2
from pycaffe_acc.text_format import format_message, parse_message, parse_net, read_message, read_net


def net(text: str):
    return parse_net(text).message


def conv(text: str):
    return parse_message(text, caffe_pb2.ConvolutionParameter).message


@pytest.mark.parametrize(
    "text",
    [
        'layer { name: "a" }',
        'layer: { name: "a" }',
        'layer < name: "a" >',
        'layer: < name: "a"; >',
        'layer: [{ name: "a" }]',
        "layer{name:'a',}",
        '# first\nlayer { # second\n name: "a" # third\n}',
        '\ufefflayer { name: "a" }',
        'layer { name: "\\141" }',
        'layer { name: "\\x61" }',
        'layer { name: "\\u0061" }',
        'layer { name: "" "a" \'\' }',
    ],
)
def test_ways_to_write_one_thing(text, tmp_path):
    path = tmp_path / "net.prototxt"
    path.write_text(text, encoding="utf-8")
    assert [layer.name for layer in read_net(path).message.layer] == ["a"]


def test_lists():
    assert list(conv("pad: [1, 2] pad: 3 kernel_size: []").pad) == [1, 2, 3]
    assert [s.dim[0] for s in parse_message("shape: [{dim: 1}, <dim: 2>]", caffe_pb2.InputParameter).message.shape] == [1, 2]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1.0),
        ("-1.5", -1.5),
        (".5", 0.5),
        ("2.", 2.0),
        ("1e-3", 0.001),
        ("2.5f", 2.5),
        ("3F", 3.0),
        ("inf", math.inf),
        ("-inf", -math.inf),
        ("Infinity", math.inf),
        ("0x10", 16.0),
        ("- 4", -4.0),
        ("1e999", math.inf),
        ("1e-999", 0.0),
    ],
)
def test_floats(text, value):
    assert parse_message(f"value: {text}", caffe_pb2.FillerParameter).message.value == pytest.approx(value)


def test_nan():
    assert math.isnan(parse_message("value: nan", caffe_pb2.FillerParameter).message.value)


@pytest.mark.parametrize(("text", "value"), [("7", 7), ("0x1F", 31), ("010", 8), ("-3", -3), ("2147483647", 2**31 - 1), ("-2147483648", -(2**31))])
def test_integers(text, value):
    assert conv(f"axis: {text}").axis == value


@pytest.mark.parametrize(("text", "value"), [("true", True), ("True", True), ("t", True), ("1", True), ("false", False), ("f", False), ("0", False)])
def test_booleans(text, value):
    assert conv(f"bias_term: {text}").bias_term is value


@pytest.mark.parametrize("text", ["pool: AVE", "pool: 1"])
def test_enums(text):
    assert parse_message(text, caffe_pb2.PoolingParameter).message.pool == caffe_pb2.PoolingParameter.AVE


def test_strings():
    assert parse_message(r"""param_str: '{"a": "\n\t\\\'"}' "\303\244ö" """, caffe_pb2.PythonParameter).message.param_str == '{"a": "\n\t\\\'"}äö'
    assert parse_message(r'data: "\377\x00a"', caffe_pb2.Datum).message.data == b"\xff\x00a"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('name: "a"\nlayer { name: "b"', 2, "opened in line 2; a '}' is missing"),
        ("\n\nlayer { pooling_param { pool: MEDIAN } }", 3, "the field 'pool' of PoolingParameter has no value 'MEDIAN'; it takes MAX, AVE"),
        ("layer {\n bottom: data }", 2, "takes a string in quotes, met 'data'"),
        ('layer { name: "a\nb" }', 1, "not closed"),
        ('layer { name: "\\q" }', 1, "no escape"),
        ("layer { convolution_param { axis: 1.5 } }", 1, "takes a whole number, met 1.5"),
        ("layer { convolution_param { pad: -1 } }", 1, "from 0 to 4294967295, met -1"),
        ("layer { convolution_param { axis: 2147483648 } }", 1, "from -2147483648"),
        ("layer { convolution_param { bias_term: 2 } }", 1, "takes true or false"),
        ("layer { convolution_param { bias_term: 10 } }", 1, "takes true or false"),
        ("layer { relu_param { negative_slope: x } }", 1, "takes a number, met 'x'"),
        ("layer { relu_param: 1 }", 1, "is a block; expected '{', met '1'"),
        ("layer { name { } }", 1, "is a value; expected ':'"),
        ('name: "a"\nname: "b"', 2, "given twice"),
        ("layer { relu_param { } \n relu_param { } }", 2, "given twice"),
        ("layer { } }", 1, "expected the name of a field of NetParameter, met '}'"),
        ("layer { clip_param {\n min: 1 } }", 1, "must have the field 'max'"),
        ("layer { 3: 4 }", 1, "expected the name of a field"),
        ("layer ? { }", 1, "has no meaning here"),
        ("layer { relu_param { negative_slope: 3x } }", 1, "'3x' is not a number"),
        ("layer: [{ } { }]", 1, "expected ',' or ']'"),
        ("layer { relu_param: [{ }] }", 1, "takes one block"),
        ("layer { include { phase: -7 } }", 1, "has no value"),
        ("layer { blobs { num: 08 } }", 1, "whole number"),
    ],
)
def test_errors_name_line_and_reason(text, line, words):
    with pytest.raises(PrototxtError) as caught:
        parse_net(text, "net.prototxt")
    assert words in str(caught.value)
    assert (caught.value.file, caught.value.line) == ("net.prototxt", line)
    assert str(caught.value).startswith(f"net.prototxt:{line}: ")


UNKNOWN = """
layer {
  name: "a"
  botom: "data"
  relu_param { slope: -1 things { a: [1, {b: "}"}] c: <d: 1> } other: "x" 'y' }
}
"""


def test_unknown_fields_are_refused_all_at_once(monkeypatch):
    monkeypatch.delenv("PYCAFFE_ACC_UNKNOWN_FIELDS", raising=False)
    with pytest.raises(UnknownFieldError) as caught:
        parse_net(UNKNOWN, "x.prototxt")
    message = str(caught.value)
    assert message.startswith("x.prototxt:4: LayerParameter has no field named 'botom' (closest known: 'bottom')")
    assert "allow_unknown_fields=True" in message and "PYCAFFE_ACC_UNKNOWN_FIELDS=keep" in message and "All 4" in message
    assert "line 5: ReLUParameter has no field named 'things'" in message
    assert isinstance(caught.value, PrototxtError) and isinstance(caught.value, CaffeError)


@pytest.mark.parametrize("how", ["argument", "environment"])
def test_unknown_fields_can_be_kept(how, monkeypatch):
    if how == "environment":
        monkeypatch.setenv("PYCAFFE_ACC_UNKNOWN_FIELDS", "keep")
    file = parse_net(UNKNOWN, allow_unknown_fields=True if how == "argument" else None)
    assert file.message.layer[0].name == "a"
    assert [u.path for u in file.unknown] == [
        "layer[0].botom",
        "layer[0].relu_param.slope",
        "layer[0].relu_param.things",
        "layer[0].relu_param.other",
    ]
    assert [u.line for u in file.unknown] == [4, 5, 5, 5]
    assert file.unknown[2].text == 'things { a: [1, {b: "}"}] c: <d: 1> }'
    assert file.unknown[3].text == "other: \"x\" 'y'"
    assert str(file.unknown[0]) == "line 4: LayerParameter has no field named 'botom' (closest known: 'bottom')"


@pytest.mark.parametrize("text", ["odd { a: 1", "odd: { a: [ }", "odd: }", "odd 3", "odd"])
def test_damage_inside_unknown_fields_is_an_error(text):
    with pytest.raises(PrototxtError):
        parse_net(text, allow_unknown_fields=True)


def test_many_unknown_fields_are_counted():
    with pytest.raises(UnknownFieldError, match="All 30.*and 20 more"):
        parse_net(" ".join(f"nosuch{i}: 1" for i in range(30)))


def test_fork_spellings():
    upsample = parse_message("pad_out_h: true pad_out_W: 2", caffe_pb2.UpsampleParameter).message
    assert (upsample.pad_out_h, upsample.pad_out_w) == (1, 2)


def test_comments_in_another_encoding(tmp_path):
    path = tmp_path / "gbk.prototxt"
    path.write_bytes("# 网络\n".encode("gbk") + b'name: "x"')
    assert read_net(path).message.name == "x"
    path.write_bytes(b'name: "' + "网络".encode("gbk") + b'"')
    with pytest.raises(PrototxtError, match="not UTF-8"):
        read_net(path)


def test_missing_file(tmp_path):
    with pytest.raises(MissingFileError) as caught:
        read_net(tmp_path / "none.prototxt")
    assert isinstance(caught.value, RuntimeError) and isinstance(caught.value, FileNotFoundError) and "none.prototxt" in str(caught.value)


def test_huge_file(tmp_path, monkeypatch):
    monkeypatch.setattr("pycaffe_acc.text_format.MAX_TEXT_BYTES", 10)
    (tmp_path / "a").write_text('name: "aaaaaaaaaaaa"')
    with pytest.raises(PrototxtError, match="is not read"):
        read_net(tmp_path / "a")


def test_other_messages(tmp_path):
    path = tmp_path / "solver.prototxt"
    path.write_text("base_lr: 0.1 solver_mode: CPU")
    assert read_message(path, caffe_pb2.SolverParameter).message.solver_mode == 0


@pytest.mark.slow
def test_real_files_parse_as_protobuf_parses_them(data_dir):
    refused, same = set(), 0
    for path in sorted(data_dir.rglob("*.prototxt*")):
        try:
            message = read_net(path, allow_unknown_fields=False).message
        except PrototxtError:
            refused.add(path.parent.name)
            continue
        text = path.read_bytes().decode("utf-8", "replace")
        if "pad_out_h: true" in text:
            continue
        assert message == protobuf_text.Parse(text, caffe_pb2.NetParameter()), path
        assert net(format_message(message)) == message
        same += 1
    assert refused == {"bad_enum", "clip_missing", "syntax_error", "unknown_field"}
    assert same > 1000
