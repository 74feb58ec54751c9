from __future__ import annotations

import pytest

from pycaffe_acc.errors import CheckError
from pycaffe_acc.proto import caffe_pb2
from pycaffe_acc.splits import insert_splits, rename_in_place


def layers(*rows):
    made = []
    for name, bottoms, tops, *weights in rows:
        m = caffe_pb2.LayerParameter(name=name, bottom=bottoms, top=tops)
        m.loss_weight.extend(weights)
        made.append(m)
    return made


def rows(messages):
    return [(m.name, list(m.bottom), list(m.top)) for m in messages]


def test_a_top_with_two_readers():
    got = rows(insert_splits(layers(("a", [], ["x"]), ("b", ["x"], ["y"]), ("c", ["x"], ["z"])), caffe_pb2.LayerParameter))
    assert got == [("a", [], ["x"]), ("x_a_0_split", ["x"], ["x_a_0_split_0", "x_a_0_split_1"]), ("b", ["x_a_0_split_0"], ["y"]),
                   ("c", ["x_a_0_split_1"], ["z"])]


def test_in_place_moves_the_source():
    got = rows(insert_splits(layers(("a", [], ["x"]), ("r", ["x"], ["x"]), ("b", ["x"], ["y"]), ("c", ["x"], ["z"])), caffe_pb2.LayerParameter))
    assert [g[0] for g in got] == ["a", "r", "x_r_0_split", "b", "c"]


def test_an_explicit_loss_weight_counts_as_a_reader():
    got = insert_splits(layers(("a", [], ["x"], 2.0), ("b", ["x"], ["y"])), caffe_pb2.LayerParameter)
    assert rows(got)[1:] == [("x_a_0_split", ["x"], ["x_a_0_split_0", "x_a_0_split_1"]), ("b", ["x_a_0_split_1"], ["y"])]
    assert list(got[0].loss_weight) == [] and list(got[1].loss_weight) == [2.0, 0.0]


def test_unknown_bottom():
    with pytest.raises(CheckError, match="unknown bottom blob 'q'.*layer 'b'"):
        insert_splits(layers(("a", [], ["x"]), ("b", ["q"], ["y"])), caffe_pb2.LayerParameter)


def test_vendor_renaming():
    got = rows(rename_in_place(layers(("a", [], ["x"]), ("r", ["x"], ["x"]), ("s", ["x"], ["x"]), ("b", ["x"], ["y"])), caffe_pb2.LayerParameter))
    assert got == [("a", [], ["x"]), ("r", ["x"], ["x_inp"]), ("s", ["x_inp"], ["x_inp_inp"]), ("b", ["x_inp_inp"], ["y"])]
