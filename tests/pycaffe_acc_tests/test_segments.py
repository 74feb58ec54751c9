from __future__ import annotations

import pytest
from pycaffe_acc_tests.offline_nets import BLOCK, MIXED, STOCHASTIC, conv, data, inner, layer, net_of

from pycaffe_acc.errors import CheckError
from pycaffe_acc.segments import Segments


def rows(tmp_path, text, **kwargs):
    """Symbol, layers, inputs and outputs of each segment."""
    net = net_of(tmp_path, text, **kwargs)
    return [(s.symbol, [net.layers[i].name for i in s.layers], list(s.inputs), list(s.outputs)) for s in Segments(net).all]


def test_a_plain_net_is_its_inputs_and_one_function(tmp_path):
    found = rows(tmp_path, BLOCK)
    assert found == [("", ["data"], [], ["data"]),
                     ("subnet0", ["c1", "bn", "scale", "r1", "c2", "c3", "sum", "r2", "both", "pool", "ip", "prob"], ["data"], ["prob"])]


def test_layers_of_the_host_cut(tmp_path):
    assert rows(tmp_path, MIXED) == [
        ("", ["data", "label"], [], ["data", "label"]),
        ("subnet0", ["c1", "r1"], ["data"], ["c1"]),
        ("", ["p1"], ["c1"], ["p1"]),
        ("subnet1", ["p2", "sum", "c2", "ip", "prob"], ["c1", "p1"], ["prob"]),
        ("", ["acc"], ["label", "prob"], ["acc"]),
    ]


def test_splits_are_in_no_segment_and_numbers_are_the_prototxts(tmp_path):
    net = net_of(tmp_path, MIXED)
    segments = Segments(net)
    assert any(lay.type == "Split" for lay in net.layers)
    assert [segments.numbers[i] for s in segments.all for i in s.layers] == list(range(11))
    split = next(b for b in net.blobs if "split" in b)
    assert segments.root(split) == "c1" and split in segments.aliases("c1")


def test_why_a_layer_is_on_the_cpu(tmp_path):
    text = data(4, 3) + data(4, name="keep") + layer("Filter", "f", "data keep") + inner("ip", "f")
    outside = "it brings data from outside"
    assert Segments(net_of(tmp_path, text)).all[-1].reasons == {
        "data": outside, "keep": outside, "f": "the output's shape depends on the data", "ip": "its shape depends on the data in 'f'"}
    text = data(2, 3, 12, 12) + conv("c1", "data") + layer("Pooling", "p", "c1", "", STOCHASTIC)
    assert list(Segments(net_of(tmp_path, text)).all[2].reasons) == ["p"]


def test_states_stay_on_the_cpu(tmp_path):
    lstm = layer("LSTM", "lstm", "data cont", "", "recurrent_param { num_output: 4 weight_filler { type: 'xavier' } }")
    found = rows(tmp_path, data(3, 2, 5) + data(3, 2, name="cont") + lstm + inner("ip", "lstm"))
    assert [(s, names) for s, names, _, _ in found] == [("", ["data", "cont", "lstm"]), ("subnet0", ["ip"])]


def test_external_outputs(tmp_path):
    found = rows(tmp_path, BLOCK.replace("name: 'c2'", "external_output: true name: 'c2'"))
    assert found[1][3] == ["c2", "prob"], "in the order of creation"


def test_boxes_need_no_values(tmp_path):
    """PriorBox looks at the extents of its bottoms only: neither is an input of its function."""
    box = layer("PriorBox", "box", "p c1", "", "prior_box_param { min_size: 4 }")
    text = data(2, 3, 12, 12) + conv("c1", "data") + layer("Pooling", "p", "c1", "", STOCHASTIC)
    found = rows(tmp_path, text + box)
    assert found[-1] == ("subnet1", ["box"], [], ["box"])
    assert found[1][3] == ["c1"] and found[2][3] == [], "nobody needs the values of p"
    crop = layer("Crop", "crop", "data p", "", "crop_param { axis: 2 offset: 1 }")
    assert rows(tmp_path, text + crop)[-1] == ("subnet1", ["crop"], ["data"], ["crop"])


def test_silence_follows_its_neighbour(tmp_path):
    text = (data(2, 3, 12, 12) + conv("c1", "data") + "layer { name: 'hush' type: 'Silence' bottom: 'c1' }\n")
    assert rows(tmp_path, text)[1][:2] == ("subnet0", ["c1", "hush"])


def test_in_place_changes_reach_the_blobs_of_the_same_memory(tmp_path):
    """A Reshape's top shares its bottom's memory: what a CPU layer changes there, a later device segment must see."""
    text = (data(2, 8) + layer("ReLU", "a", "data") + layer("Reshape", "b", "a", "", "reshape_param { shape { dim: 4 dim: 4 } }")
            + layer("BatchNorm", "bn", "b", "b", "batch_norm_param { use_global_stats: false }") + layer("ReLU", "c", "b"))
    found = rows(tmp_path, text + layer("Power", "d", "a"))
    assert [r[1:] for r in found] == [(["data"], [], ["data"]), (["a", "b"], ["data"], ["a", "b"]), (["bn"], ["b"], ["a", "b"]),
                                      (["c", "d"], ["a", "b"], ["c", "d"])]


def test_a_read_through_shared_memory_inside_a_cpu_segment_is_refused(tmp_path):
    """The segment's own net would not know that the two blobs are one memory."""
    text = (data(2, 2, 2, 2) + layer("ReLU", "a", "data") + layer("Reshape", "b", "a", "", "reshape_param { shape { dim: 2 dim: 2 dim: 2 dim: 2 } }")
            + layer("BatchNorm", "bn", "b", "b", "batch_norm_param { use_global_stats: false }") + layer("Pooling", "p", "a", "", STOCHASTIC))
    with pytest.raises(CheckError, match="'p'.*its bottom 'a' was changed through 'b'"):
        Segments(net_of(tmp_path, text))


def test_the_vendors_nets_have_no_splits(tmp_path):
    found = rows(tmp_path, BLOCK, vendor_exact=True)
    assert [r[0] for r in found] == ["", "subnet0"] and found[1][2:] == (["data"], ["prob"])
