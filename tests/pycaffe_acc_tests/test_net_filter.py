"""Include and exclude rules."""

from __future__ import annotations

import pytest

from pycaffe_acc.errors import CheckError
from pycaffe_acc.net_filter import filter_net, meets, runs
from pycaffe_acc.proto import caffe_pb2
from pycaffe_acc.text_format import parse_message, parse_net


def names(text: str, **state) -> list[str]:
    return [layer.name for layer in filter_net(parse_net(text).message, **state)]


NET = """
layer { name: "always" }
layer { name: "train" include { phase: TRAIN } }
layer { name: "test" include { phase: TEST } }
layer { name: "either" include { phase: TRAIN } include { stage: "deploy" } }
layer { name: "not_low" exclude { max_level: 1 } }
layer { name: "middle" include { min_level: 1 max_level: 3 } }
layer { name: "a_and_b" include { stage: "a" stage: "b" } }
layer { name: "a_without_b" include { stage: "a" not_stage: "b" } }
layer { name: "outside_test" exclude { phase: TEST } exclude { stage: "x" } }
"""


@pytest.mark.parametrize(
    ("state", "want"),
    [
        ({"phase": 0}, "always train either outside_test"),
        ({"phase": 1}, "always test"),
        ({"phase": 1, "level": 1}, "always test middle"),
        ({"phase": 1, "level": 3}, "always test not_low middle"),
        ({"phase": 1, "level": 4}, "always test not_low"),
        ({"phase": 1, "stages": ["deploy"]}, "always test either"),
        ({"phase": 1, "stages": ["a"]}, "always test a_without_b"),
        ({"phase": 1, "stages": ("a", "b")}, "always test a_and_b"),
        ({"phase": 0, "stages": ["x"]}, "always train either"),
    ],
)
def test_rules(state, want):
    assert names(NET, **state) == want.split()


def test_the_nets_own_state_counts_where_the_arguments_say_nothing():
    text = 'state { phase: TRAIN level: 2 stage: "a" }' + NET
    assert names(text) == ["always", "train", "either", "not_low", "middle", "a_without_b", "outside_test"]
    assert names(text, phase=1, level=0) == ["always", "test", "a_without_b"]
    assert names(text, stages=["b", "a"]) == ["always", "train", "either", "not_low", "middle", "a_and_b", "outside_test"]


def test_layers_get_the_phase_unless_they_have_one():
    message = parse_net('layer { name: "a" } layer { name: "b" phase: TRAIN }').message
    assert [layer.phase for layer in filter_net(message, phase=1)] == [1, 0]
    assert not message.layer[0].HasField("phase")


def test_both_kinds_of_rules_are_refused():
    with pytest.raises(CheckError, match="layer 'x'.*both include and exclude"):
        names('layer { name: "x" include { } exclude { } }')


def test_an_empty_rule_is_met_by_everything():
    assert meets(caffe_pb2.NetStateRule(), caffe_pb2.NetState(level=-5))
    assert not runs(parse_message("exclude { }", caffe_pb2.LayerParameter).message, caffe_pb2.NetState())
