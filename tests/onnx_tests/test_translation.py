"""Names, merging, what is left out and what is refused."""
from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from onnx_tests.exported_case import run_model

import pycaffe_acc as caffe
from pycaffe_acc.errors import CheckError
from pycaffe_acc.layer import layer_class, layer_types
from pycaffe_acc.onnx_export import NotExpressibleError, translate_net
from pycaffe_acc.onnx_export.layer_table import LAYERS

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

INPUT = 'layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 2 dim: 3 dim: 9 dim: 9 } } } '
CONV = ('layer { name: "conv" type: "Convolution" bottom: "data" top: "conv" '
        'convolution_param { num_output: 4 kernel_size: 3 weight_filler { type: "gaussian" std: 0.3 } } } ')


@pytest.fixture
def net(tmp_path: Path):
    """A function that builds a net from text and fills its inputs and weights at random."""
    def build(text: str, **kwargs) -> caffe.Net:
        path = tmp_path / "net.prototxt"
        path.write_text(f'name: "n" {text}')
        made = caffe.Net(str(path), caffe.TEST, **kwargs)
        rng = np.random.default_rng(0)
        for blobs in made.params.values():
            for b in blobs:
                b.data[...] = rng.uniform(0.5, 1.5, b.shape) * np.sign(b.data + 1e-9)
        for name in made.inputs:
            made.blobs[name].data[...] = rng.standard_normal(made.blobs[name].shape)
        return made
    return build


def agree(made: caffe.Net, **kwargs):
    """Translate, run, compare every output; gives the graph."""
    graph = translate_net(made, **kwargs)
    got = run_model(graph, {n: np.array(made.blobs[n].data) for n in graph.inputs if n not in graph.states})
    made.forward()
    for name, blob in graph.blobs.items():
        want = np.array(made.blobs[blob].data)
        np.testing.assert_allclose(got[name], want, rtol=1e-4, atol=1e-5 * max(1.0, np.abs(want).max()))
    return graph


def test_table_lists_every_type():
    own = {layer_class(name).type for name in layer_types() if layer_class(name).__module__.startswith("pycaffe_acc.layer_types.")}
    assert len(own) > 90
    assert set(LAYERS) == own


def test_values_have_the_names_of_blobs(net):
    graph = agree(net(INPUT + CONV + 'layer { name: "relu" type: "ReLU" bottom: "conv" top: "conv" }'
                                     'layer { name: "pool" type: "Pooling" bottom: "conv" top: "pool" pooling_param { kernel_size: 2 stride: 2 } }'))
    assert list(graph.inputs) == ["data"] and list(graph.outputs) == ["pool"]
    conv, relu, pool = graph.nodes
    assert conv.inputs == ["data", "conv/0", "conv/1"]
    assert conv.outputs != ["conv"] and relu.inputs == conv.outputs and relu.outputs == ["conv"] and pool.inputs == ["conv"]
    assert [n.layer for n in graph.nodes] == ["conv", "relu", "pool"]


def test_an_input_that_is_changed_in_place_keeps_its_name(net):
    made = net(INPUT + 'layer { name: "relu" type: "ReLU" bottom: "data" top: "data" }')
    graph = translate_net(made)
    assert list(graph.inputs) == ["data"]
    (name,) = graph.outputs
    assert name != "data" and graph.blobs == {name: "data"} and "'data'" in graph.notes[0]


@pytest.mark.parametrize("between", ["", 'layer { name: "drop" type: "Dropout" bottom: "bn" top: "bn" }'])
def test_batch_norm_and_scale_are_one_node(net, between):
    graph = agree(net(INPUT + CONV + f'layer {{ name: "bn" type: "BatchNorm" bottom: "conv" top: "bn" }} {between}'
                                     'layer { name: "sc" type: "Scale" bottom: "bn" top: "sc" scale_param { bias_term: true } }'))
    assert [n.op for n in graph.nodes] == ["Conv", "BatchNormalization"]


def test_batch_norm_that_is_read_twice_stays(net):
    graph = agree(net(INPUT + CONV + 'layer { name: "bn" type: "BatchNorm" bottom: "conv" top: "bn" }'
                                     'layer { name: "sc" type: "Scale" bottom: "bn" top: "sc" }'
                                     'layer { name: "sum" type: "Eltwise" bottom: "sc" bottom: "bn" top: "sum" }'))
    assert Counter(n.op for n in graph.nodes) == {"Conv": 1, "BatchNormalization": 2, "Add": 1}


@pytest.mark.parametrize(("text", "nodes"), [
    ('layer { name: "c" type: "Convolution" bottom: "data" top: "c" convolution_param { num_output: 4 kernel_size: 3 stride: 2 pad_type: 1 '
     'weight_filler { type: "gaussian" std: 0.3 } } }', ["Conv"]),
    ('layer { name: "p" type: "Pooling" bottom: "data" top: "p" pooling_param { pool: MAX kernel_size: 3 stride: 2 pad_type: 1 } }', ["MaxPool"]),
    ('layer { name: "p" type: "Pooling" bottom: "data" top: "p" pooling_param { pool: AVE_EXC_PAD kernel_size: 3 stride: 1 pad: 1 } }',
     ["AveragePool"]),
    ('layer { name: "p" type: "Pooling" bottom: "data" top: "p" pooling_param { pool: AVE_EXC_PAD kernel_size: 3 stride: 2 pad: 1 '
     'round_mode: CEIL } }', ["AveragePool"]),
    ('layer { name: "p" type: "Pooling" bottom: "data" top: "p" pooling_param { pool: AVE kernel_size: 3 stride: 1 pad: 1 } }', ["AveragePool"]),
    ('layer { name: "p" type: "Pooling" bottom: "data" top: "p" pooling_param { pool: AVE kernel_size: 4 stride: 2 pad: 1 } }',
     ["AveragePool", "Mul"]),
    ('layer { name: "p" type: "Pooling" bottom: "data" top: "p" pooling_param { pool: AVE kernel_size: 2 stride: 2 } }', ["AveragePool"]),
    ('layer { name: "p" type: "Pooling" bottom: "data" top: "p" pooling_param { pool: MAX kernel_size: 1 stride: 5 } }', ["Pad", "MaxPool"]),
])
def test_padding_is_in_the_node(net, text, nodes):
    assert [n.op for n in agree(net(INPUT + text)).nodes] == nodes


def test_shared_parameters_are_stored_once(net):
    ip = 'inner_product_param { num_output: 3 weight_filler { type: "gaussian" } } param { name: "w" } param { name: "b" } }'
    graph = agree(net('layer { name: "x" type: "Input" top: "x" input_param { shape { dim: 2 dim: 5 } } }'
                      f'layer {{ name: "a" type: "InnerProduct" bottom: "x" top: "a" {ip}'
                      f'layer {{ name: "b" type: "InnerProduct" bottom: "x" top: "b" {ip}'))
    assert sorted(graph.arrays) == ["a/0", "a/1"]


def test_losses_are_left_out_and_their_scores_become_outputs(net):
    text = ('layer { name: "d" type: "DummyData" top: "x" top: "label" dummy_data_param { shape { dim: 2 dim: 5 } shape { dim: 2 } } }'
            'layer { name: "ip" type: "InnerProduct" bottom: "x" top: "ip" inner_product_param { num_output: 3 weight_filler { type: "xavier" } } }'
            'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss" }'
            'layer { name: "acc" type: "Accuracy" bottom: "ip" bottom: "label" top: "acc" }')
    graph = agree(net(text))
    assert list(graph.inputs) == ["x"] and list(graph.outputs) == ["ip"]
    assert len(graph.notes) == 2 and "'loss' (SoftmaxWithLoss)" in graph.notes[0] and "'acc' (Accuracy)" in graph.notes[1]


def test_a_reader_of_a_loss_is_refused(net):
    made = net(INPUT + 'layer { name: "l" type: "EuclideanLoss" bottom: "data" bottom: "data" top: "l" }'
                       'layer { name: "p" type: "Power" bottom: "l" top: "p" power_param { scale: 2 } }')
    with pytest.raises(NotExpressibleError, match=r"layer 'p' \(Power\): its bottom 'l' is made by a layer that is left out"):
        translate_net(made)


def test_all_refused_layers_are_named(net):
    made = net(INPUT + 'layer { name: "p" type: "Pooling" bottom: "data" top: "p" pooling_param { pool: STOCHASTIC kernel_size: 2 } }'
                       'layer { name: "r" type: "ReLU" bottom: "p" top: "r" }'
                       'layer { name: "i" type: "Input" top: "sel" input_param { shape { dim: 2 } } }'
                       'layer { name: "f" type: "Filter" bottom: "r" bottom: "sel" top: "f" }')
    with pytest.raises(NotExpressibleError) as caught:
        translate_net(made)
    assert [(r.name, r.type) for r in caught.value.layers] == [("p", "Pooling"), ("f", "Filter")]
    assert "2 of its layers do" in str(caught.value) and "STOCHASTIC" in str(caught.value)


def test_a_mask_is_followed_only_to_windows_that_stay_apart(net):
    text = INPUT + ('layer { name: "p" type: "Pooling" bottom: "data" top: "p" top: "m" pooling_param { kernel_size: 2 stride: 2 } }'
                    'layer { name: "u" type: "Upsample" bottom: "p" bottom: "m" upsample_param { upsample_h: 9 upsample_w: 9 } top: "u" }')
    agree(net(text))
    with pytest.raises(NotExpressibleError, match="windows overlap"):
        translate_net(net(text.replace("kernel_size: 2", "kernel_size: 3")))


def test_chosen_outputs_need_only_what_they_depend_on(net):
    made = net(INPUT + CONV + 'layer { name: "relu" type: "ReLU" bottom: "conv" top: "relu" }'
                              'layer { name: "s" type: "Pooling" bottom: "relu" top: "s" pooling_param { pool: STOCHASTIC kernel_size: 2 } }')
    graph = agree(made, outputs=["relu", "conv"])
    assert list(graph.outputs) == ["relu", "conv"]
    with pytest.raises(CheckError, match="no blob 'none'"):
        translate_net(made, outputs=["none"])


@pytest.mark.parametrize("opset", [13, 15, 16, 18, 21])
def test_opsets(net, opset):
    text = INPUT + CONV + ('layer { name: "m" type: "MVN" bottom: "conv" top: "m" }'
                           'layer { name: "n" type: "Normalize" bottom: "m" top: "n" norm_param { across_spatial: false } }'
                           'layer { name: "s" type: "Slice" bottom: "n" top: "a" top: "b" }'
                           'layer { name: "h" type: "HardSwish" bottom: "a" top: "h" }'
                           'layer { name: "r" type: "Reduction" bottom: "b" top: "r" reduction_param { operation: ASUM axis: 1 } }'
                           'layer { name: "l" type: "LRN" bottom: "h" top: "l" lrn_param { local_size: 3 norm_region: WITHIN_CHANNEL } }'
                           'layer { name: "i" type: "Interp" bottom: "l" top: "i" interp_param { height: 5 width: 11 } }'
                           'layer { name: "rois" type: "Input" top: "rois" input_param { shape { dim: 2 dim: 5 } } }'
                           'layer { name: "ra" type: "ROIAlign" bottom: "i" bottom: "rois" top: "ra" '
                           'roi_align_param { spatial_scale: 0.5 pooled_h: 2 pooled_w: 3 sampling_ratio: 2 } }'
                           'layer { name: "rp" type: "ROIPooling" bottom: "i" bottom: "rois" top: "rp" '
                           'roi_pooling_param { spatial_scale: 0.5 pooled_h: 2 pooled_w: 3 } }')
    made = net(text)
    made.blobs["rois"].data[...] = [[0, 1.3, 2.1, 9.7, 8.2], [1, 0.2, 4.4, 17.0, 9.5]]
    assert agree(made, opset=opset).opset == opset


def test_an_opset_that_nobody_knows(net):
    made = net(INPUT + CONV)
    for opset in (12, onnx.defs.onnx_opset_version() + 1):
        with pytest.raises(CheckError, match=f"opset {opset} is outside 13"):
            translate_net(made, opset=opset)


def test_the_state_of_a_recurrent_layer_is_input_and_output(net):
    text = ('layer { name: "x" type: "Input" top: "x" top: "cont" input_param { shape { dim: 3 dim: 2 dim: 4 } shape { dim: 3 dim: 2 } } }'
            'layer { name: "lstm" type: "LSTM" bottom: "x" bottom: "cont" top: "h" recurrent_param { num_output: 5 '
            'weight_filler { type: "uniform" min: -0.3 max: 0.3 } } }')
    made = net(text)
    made.blobs["cont"].data[...] = [[1, 1], [1, 0], [1, 1]]
    graph = translate_net(made)
    assert graph.states == {"lstm/h_0": "lstm/h_T", "lstm/c_0": "lstm/c_T"} and graph.ranges == {"cont": 2}
    states: dict[str, np.ndarray] = {}
    for _ in range(3):
        got = run_model(graph, {"x": np.array(made.blobs["x"].data), "cont": np.array(made.blobs["cont"].data), **states})
        made.forward()
        np.testing.assert_allclose(got["h"], made.blobs["h"].data, rtol=1e-5, atol=1e-6)
        states = {n: got[last] for n, last in graph.states.items()}


def test_a_constant_output(net):
    agree(net(INPUT + 'layer { name: "p" type: "Power" bottom: "data" top: "p" power_param { power: 2 scale: 0 shift: 3 } }'))


def test_one_value_under_two_names(net):
    graph = agree(net(INPUT + CONV + 'layer { name: "s" type: "Split" bottom: "conv" top: "a" top: "b" }'))
    assert sorted(graph.outputs) == ["a", "b"]


def test_nothing_to_export(net):
    with pytest.raises(CheckError, match="nothing to export"):
        translate_net(net(INPUT))
