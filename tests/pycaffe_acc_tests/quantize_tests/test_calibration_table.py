"""The calibration table as a file."""
from __future__ import annotations

import numpy as np
import pytest

from cnml.quantization import QuantParam
from pycaffe_acc.errors import CheckError, MissingFileError
from pycaffe_acc.proto import caffe_pb2
from pycaffe_acc.quantize.calibration_table import CalibrationTable, read_table
from pycaffe_acc.quantize.dtype_fields import DT_INT8, DT_UINT8, nth_field, read_param, write_param
from pycaffe_acc.quantize.value_range import param_of

BLOBS = [np.ones((3, 2, 1, 1), np.float32)]
TITLE = "# pycaffe-acc calibration table 1\n"


def layer(name="conv\t1", bottom="da\\ta", filled=True):
    """A convolution of three outputs."""
    made = caffe_pb2.LayerParameter(name=name, type="Convolution", bottom=[bottom], top=["c"])
    if filled:
        write_param(nth_field(made.bottom_mlu_dtype, 0), QuantParam(-3, 1.2345678), DT_UINT8)
        write_param(nth_field(made.blobs_dtype, 0), QuantParam((-9, -8, -7), (1.1, 1.2, 1.9)), DT_INT8)
    return made


def test_what_is_written_is_read(tmp_path):
    """Exactly, also names with tabs and backslashes; the same table gives the same file."""
    given = layer()
    table = CalibrationTable.of([given, layer("none", filled=False)], "mse", "absmax")
    table.save(tmp_path / "a.txt")
    read = read_table(tmp_path / "a.txt")
    assert [(r.layer, r.what, r.blob, r.method, r.dtype, r.param) for r in read.rows] == [
        ("conv\t1", "bottom 0", "da\\ta", "mse", DT_UINT8, read_param(given.bottom_mlu_dtype[0], "x")),
        ("conv\t1", "weights", "-", "absmax", DT_INT8, read_param(given.blobs_dtype[0], "x"))]
    made = layer(filled=False)
    assert read.write(made, BLOBS) and made == given
    assert not read.write(layer("none", filled=False), BLOBS)
    read.save(tmp_path / "b.txt")
    assert (tmp_path / "a.txt").read_bytes() == (tmp_path / "b.txt").read_bytes()


def test_people_can_read_it(tmp_path):
    """Ranges are those of values."""
    made = layer("c", "data", filled=False)
    write_param(nth_field(made.bottom_mlu_dtype, 0), param_of(6.0, 255), DT_UINT8)
    CalibrationTable.of([made], "mse", "absmax").save(tmp_path / "t.txt")
    cells = (tmp_path / "t.txt").read_text().splitlines()[-1].split("\t")
    assert cells[:5] == ["c", "bottom 0", "data", "mse", "uint8"] and float(cells[5]) == pytest.approx(6.0, rel=1e-6) and cells[6] == "-5"


def test_position_and_scale_from_a_range(tmp_path):
    """For people who edit."""
    (tmp_path / "t.txt").write_text(TITLE + "c\tbottom 0\tdata\tmine\tuint8\t6\t-\t-\nc\tweights\t-\tmine\tint8\t1,2,3\t-\t-\n")
    made = layer("c", "data", filled=False)
    read_table(tmp_path / "t.txt").write(made, BLOBS)
    assert read_param(made.bottom_mlu_dtype[0], "x") == param_of(6.0, 255)
    assert read_param(made.blobs_dtype[0], "x") == QuantParam(*map(tuple, zip(*(param_of(v, 127) for v in (1, 2, 3)), strict=True)))


GOOD = "c\tbottom 0\tdata\tm\tint8\t6\t-4\t1.5\n"


@pytest.mark.parametrize(("text", "rule"), [
    ("", ":1: a calibration table begins with"), ("# pycaffe-acc calibration table 2\n", ":1: a calibration table begins with"),
    (TITLE + "c bottom 0\n", ":2: there are 1 columns; there must be 8"), (TITLE + GOOD.replace("int8", "int4"), "type is 'int4'"),
    (TITLE + GOOD.replace("-4", "x"), "position is 'x'"), (TITLE + GOOD.replace("-4", "-"), "must both be numbers, or both '-'"),
    (TITLE + GOOD.replace("1.5", "0"), ":2: layer 'c': bottom 0: the scale is 0; it must be positive and finite"),
    (TITLE + GOOD.replace("1.5", "nan"), "the scale is nan"), (TITLE + GOOD.replace("1.5", "inf"), "the scale is inf"),
    (TITLE + "c\tbottom 0\tdata\tm\tint8\t0\t-\t-\n", "the range is 0"), (TITLE + "c\tbottom 0\tdata\tm\tint8\tq\t-\t-\n", "the range is 'q'"),
    (TITLE + GOOD + GOOD, ":3: layer 'c' has a line about its bottom 0 already, line 2")])
def test_files_that_are_none(tmp_path, text, rule):
    """Named by their line."""
    (tmp_path / "t.txt").write_text(text)
    with pytest.raises(CheckError, match=rule):
        read_table(tmp_path / "t.txt")


@pytest.mark.parametrize(("text", "rule"), [
    (GOOD.replace("data", "other"), "bottom 0 is 'data', not 'other'"), (GOOD.replace("bottom 0", "bottom 1"), "has 1 bottoms.*'bottom 1'"),
    ("c\tweights\t-\tm\tint8\t1\t0\t1\n", "none for bottom 0"), (GOOD + "c\tweights\t-\tm\tint8\t1\t0,1\t1,1\n", "the layer has 3 output channels")])
def test_tables_of_other_nets(tmp_path, text, rule):
    """Named by line and layer."""
    (tmp_path / "t.txt").write_text(TITLE + text)
    with pytest.raises(CheckError, match=f"t.txt:[23]: layer 'c': .*{rule}"):
        read_table(tmp_path / "t.txt").write(layer("c", "data", filled=False), BLOBS)


def test_layers_that_are_not_there(tmp_path):
    """And files."""
    (tmp_path / "t.txt").write_text(TITLE + GOOD)
    with pytest.raises(CheckError, match="t.txt:2: the net has no layer 'c'"):
        read_table(tmp_path / "t.txt").check(["d"])
    with pytest.raises(MissingFileError):
        read_table(tmp_path / "none.txt")
