"""Nets in INT8 as graphs with codes between their operators."""
from __future__ import annotations

import pkgutil
from collections import Counter

import numpy as np
import pytest
from onnx_tests.exported_case import run_model
from onnx_tests.quantized_case import BLOCKS, INPUT, convolution, quantized_net, write_quantized

import cnml.ops
import pycaffe_acc as caffe
from cnml.codes import Codes
from pycaffe_acc.errors import CheckError
from pycaffe_acc.onnx_export import NotExpressibleError, export, stated_codes, translate_net
from pycaffe_acc.onnx_export.coded_nodes import CodedNodes
from pycaffe_acc.onnx_export.net_operators import NetOperators
from pycaffe_acc.onnx_export.onnx_graph import OnnxGraph
from pycaffe_acc.onnx_export.quantized import BIAS_LIMIT, _wide_enough, through_codes
from pycaffe_acc.onnx_export.translation import NamedGraph
from pycaffe_acc.onnx_export.translators import TRANSLATORS

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")


def maker(graph: NamedGraph, value: str):
    """The node that makes a value."""
    return next((n for n in graph.nodes if value in n.outputs), None)


def readers(graph: NamedGraph, value: str):
    """The nodes that read a value."""
    return [n for n in graph.nodes if value in n.inputs]


def pairs(graph: NamedGraph) -> set[str]:
    """Operators whose results go through codes at once."""
    return {maker(graph, n.inputs[0]).layer for n in graph.nodes if n.op == "QuantizeLinear" and maker(graph, n.inputs[0])}


def test_every_quantized_layer_reads_values_and_weights_that_come_from_codes(tmp_path):
    """Data are bytes, weights int8 with one unit per output channel, biases int32 in products of the units; BatchNorm and Scale are in them."""
    net = quantized_net(tmp_path)
    graph = translate_net(net)
    layers = [n for n in graph.nodes if n.op in ("Conv", "Gemm")]
    assert [n.layer for n in layers] == ["first", "left", "right", "branch", "last", "fc/Gemm"]
    assert not {"BatchNormalization", "Mul"} & {n.op for n in graph.nodes}
    for n in layers:
        x = maker(graph, n.inputs[0])
        x = maker(graph, x.inputs[0]) if x.op == "Reshape" else x
        weights, bias = maker(graph, n.inputs[1]), maker(graph, n.inputs[2])
        assert [m.op for m in (x, weights, bias)] == ["DequantizeLinear"] * 3 and maker(graph, x.inputs[0]).op == "QuantizeLinear"
        codes, units = graph.arrays[weights.inputs[0]], graph.arrays[weights.inputs[1]]
        assert codes.dtype == np.int8 and codes.min() >= -127 and np.abs(codes).max() == 127 and weights.attributes == {"axis": 0}
        assert units.shape == (len(codes),) and units.dtype == np.float32 and (units > 0).all()
        assert graph.arrays[bias.inputs[0]].dtype == np.int32
        np.testing.assert_allclose(graph.arrays[bias.inputs[1]], units * graph.arrays[x.inputs[1]], rtol=1e-6)
        assert graph.arrays[x.inputs[2]].dtype == np.uint8 and graph.arrays[x.inputs[2]] == (128 if n.layer == "first" else 0)


def test_codes_stand_where_the_engine_keeps_them(tmp_path):
    """Behind ReLUs, the pooling, the join and the sum, and in front of readers of floats; not before a sum or a mean."""
    net = quantized_net(tmp_path)
    graph = translate_net(net)
    assert pairs(graph) == {"first/Relu", "pool", "left/Relu", "right/Relu", "join", "branch/Relu", "mean"}
    assert [n.op for n in readers(graph, maker(graph, next(n for n in graph.nodes if n.layer == "branch").outputs[0]).outputs[0])] == ["Add"]
    assert {c.blob for c in graph.codes.values()} == {"data", "first", "pool", "left", "right", "join", "sum", "mean"}
    assert [c.blob for c in graph.codes.values() if c.quantized] == ["data", "mean"]


def test_a_sum_and_an_end_through_stated_codes(tmp_path):
    """With codes for results the sum gets two values that come from codes, of the ranges in the prototxt."""
    net = quantized_net(tmp_path)
    codes = stated_codes(net)
    graph = translate_net(net, results=codes)
    total = next(n for n in graph.nodes if n.op == "Add")
    made = [maker(graph, v) for v in total.inputs]
    assert [m.op for m in made] == ["DequantizeLinear"] * 2
    assert sorted(float(graph.arrays[m.inputs[1]]) for m in made) == sorted([codes["join"].unit, codes["branch"].unit])
    assert codes["branch"].zero == 128 and codes["join"].zero == 0
    before, after = (Counter(n.op for n in g.nodes) for g in (translate_net(net), graph))
    assert after - before == {"QuantizeLinear": 2, "DequantizeLinear": 2}
    assert pairs(graph) - pairs(translate_net(net)) == {"branch", "last/Relu"} | (pairs(graph) & {"sum/relu", "sum"})


def test_the_check_is_a_code_step_by_layers(tmp_path):
    """Every kind of inputs has its rows, and no value lies more than one step from the net's."""
    net = quantized_net(tmp_path)
    for results in (None, stated_codes(net)):
        report = export(net, tmp_path / "net.onnx", results=results)
        assert [d.inputs for d in report.differences] == [f"{kind}{way}" for kind in ("normal", "uniform")
                                                          for way in (", by layers", ", by layers, steps of its code", "")]
        assert all(d.passed for d in report.differences)
        assert all(d.relative < 1.01 for d in report.differences if "steps" in d.inputs)
        assert all(d.relative < 1e-3 for d in report.differences if d.inputs.endswith("by layers"))
        assert all(d.relative < 0.2 for d in report.differences if "by layers" not in d.inputs)


@pytest.mark.parametrize("opset", [13, 21])
def test_opsets(tmp_path, opset):
    """From 13 on, which has an axis for units."""
    assert all(d.passed for d in export(quantized_net(tmp_path), tmp_path / "net.onnx", opset=opset).differences)


def test_positions_of_the_vendor(tmp_path):
    """Units that are powers of two and signed codes everywhere, where exact halves are common."""
    net = quantized_net(tmp_path, method="vendor")
    report = export(net, tmp_path / "net.onnx")
    assert all(d.passed for d in report.differences)
    assert {c.codes.zero for c in report.graph.codes.values()} == {128}


def test_a_channel_with_a_negative_factor_and_a_dead_one(tmp_path):
    """The sign goes into the codes; weights that are nothing beside their bias get units in which the bias fits."""
    weights = {"first/scale": [[-1, 2, -3, 1, 1, 1, 1, 1e-12], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 5.0]]}
    net = quantized_net(tmp_path, weights=weights)
    report = export(net, tmp_path / "net.onnx")
    assert all(d.passed for d in report.differences)
    (name,) = [n for n in report.graph.arrays if n.startswith("first") and n.endswith("int8")]
    codes, units = report.graph.arrays[name], report.graph.arrays[name + "/unit"]
    w = net.params["first"][0].data
    assert np.corrcoef(codes[0].ravel(), w[0].ravel())[0, 1] < -0.99 and np.corrcoef(codes[1].ravel(), w[1].ravel())[0, 1] > 0.99
    bias = report.graph.arrays["first/bias"]
    assert (units > 0).all() and np.abs(bias.astype(np.int64)).max() <= BIAS_LIMIT and bias[7] > BIAS_LIMIT // 4


def test_wide_enough_units():
    """Units grow by powers of two until the bias fits, and the codes shrink by as much; others stay."""
    codes, units = _wide_enough(np.array([[100, -127], [100, -128 + 1]], np.int8), np.array([0.5, 0.5]), np.array([3.0, 2.0 * BIAS_LIMIT]))
    assert codes.tolist() == [[100, -127], [25, -32]] and units.tolist() == [0.5, 2.0]


def test_layers_in_floats_stay_as_they_are_drawn(tmp_path):
    """Without fields a layer keeps float weights, with its BatchNorm behind it."""
    model, weights = write_quantized(tmp_path, BLOCKS)
    message = caffe.Net(str(model), caffe.TEST).source.message
    for layer in message.layer:
        if layer.name in ("right", "last"):
            layer.ClearField("blobs_dtype")
    net = caffe.Net(message, caffe.TEST, weights=str(weights), precision="int8")
    report = export(net, tmp_path / "net.onnx")
    assert all(d.passed for d in report.differences)
    floats = [n for n in report.graph.nodes if n.layer in ("right", "last")]
    assert [n.op for n in floats] == ["Conv", "Conv"] and all(report.graph.arrays[n.inputs[1]].dtype == np.float32 for n in floats)
    assert [n.layer for n in report.graph.nodes if n.op == "BatchNormalization"] == ["right/scale", "last/scale"]


CLIPPED = ('name: "clipped"\n' + INPUT + convolution("a", "data", 8, "kernel_size: 3 stride: 2 group: 1", relu=False)
           + 'layer { name: "a/relu6" type: "ReLU6" bottom: "a" top: "a" }\n'
           + convolution("b", "a", 8, "kernel_size: 1 group: 2", relu=False)
           + 'layer { name: "b/leaky" type: "ReLU" bottom: "b" top: "b" relu_param { negative_slope: 0.1 } }\n'
           + 'layer { name: "norm" type: "LRN" bottom: "b" top: "norm" lrn_param { local_size: 3 } }\n'
           + 'layer { name: "c" type: "Convolution" bottom: "norm" top: "c" convolution_param { num_output: 5 kernel_size: 5 bias_term: false } }\n'
           + 'layer { name: "d" type: "InnerProduct" bottom: "c" top: "d" inner_product_param { num_output: 4 transpose: true bias_term: false } }\n')


def test_other_forms(tmp_path):
    """Clips, slopes, groups, LRN between INT8 layers, no biases, a kernel as large as the image, transposed weights."""
    report = export(quantized_net(tmp_path, CLIPPED), tmp_path / "net.onnx")
    assert all(d.passed for d in report.differences) and len(report.differences) == 6
    ops = Counter(n.op for n in report.graph.nodes)
    assert ops["Clip"] == ops["LeakyRelu"] == ops["LRN"] == ops["Gemm"] == 1 and ops["Conv"] == 3
    assert [len(n.inputs) for n in report.graph.nodes if n.layer in ("c", "d")] == [2, 2]


def test_a_sum_of_codes(tmp_path):
    """Terms that others read too are summed as codes, with coefficients and the activation; depthwise convolutions are in INT8 as well."""
    text = ('name: "sums"\n' + INPUT + convolution("a", "data") + convolution("b", "data")
            + 'layer { name: "sum" type: "Eltwise" bottom: "a" bottom: "b" top: "sum" eltwise_param { coeff: 0.5 coeff: -1 } }\n'
            + 'layer { name: "sum/relu" type: "ReLU" bottom: "sum" top: "sum" relu_param { negative_slope: 0.5 } }\n'
            + convolution("c", "a") + convolution("d", "b", 8, "kernel_size: 3 group: 8") + convolution("e", "sum"))
    report = export(quantized_net(tmp_path, text), tmp_path / "net.onnx")
    assert all(d.passed for d in report.differences)
    graph = report.graph
    total = next(n for n in graph.nodes if n.op == "Add")
    assert {maker(graph, v).op for n in graph.nodes if n.op == "Mul" for v in n.inputs if maker(graph, v)} == {"DequantizeLinear"}
    (end,) = readers(graph, total.outputs[0])
    assert end.op == "LeakyRelu" and [n.op for n in readers(graph, end.outputs[0])] == ["QuantizeLinear"]
    assert graph.codes["sum"].codes.zero == 128 and not graph.codes["sum"].quantized
    assert all(maker(graph, n.inputs[1]).op == "DequantizeLinear" for n in graph.nodes if n.op == "Conv")


def test_an_inner_value_as_output(tmp_path):
    """A blob that is kept as codes is an output under its name, and is cut like the others."""
    net = quantized_net(tmp_path)
    report = export(net, tmp_path / "net.onnx", outputs=["join", "fc"])
    assert list(report.graph.outputs) == ["join", "fc"] and all(d.passed for d in report.differences)


def test_strides_that_are_taken_out(tmp_path):
    """Only where all readers of codes are 1x1 convolutions with the same strides; the rest of the model stays."""
    text = 'name: "s"\n' + INPUT + convolution("a", "data")
    ones = [convolution(n, "a", 8, "kernel_size: 1 stride: 2") for n in ("b", "c")]
    other = convolution("d", "a", 8, "kernel_size: 3 stride: 2 pad: 1")
    for layers, strides in (("".join(ones), [1, 1]), (ones[0] + other, [2, 2]), (ones[0] + convolution("d", "a", 8, "kernel_size: 1"), [2, 1])):
        net = quantized_net(tmp_path, text + layers)
        graph = translate_net(net, subsampled=True)
        (*_, first, second) = (n for n in graph.nodes if n.op == "Conv")
        assert [n.attributes["strides"][0] for n in (first, second)] == strides
        pools = [n for n in graph.nodes if n.op == "MaxPool"]
        assert len(pools) == (strides == [1, 1]) and all(n.attributes == {"kernel_shape": [1, 1], "strides": [2, 2]} for n in pools)
        assert all(d.passed for d in export(net, tmp_path / "net.onnx", subsampled=True).differences)


def test_what_lies_beyond_the_smallest_code():
    """The engine ends at -127 units, code 1; ONNX has a code 0 below it. Nothing else differs, and without a sign nothing does."""
    values = np.array([-300, -127.6, -127.4, -1, 126.6, 300], np.float32)
    found = {}
    for zero in (128, 0):
        g = OnnxGraph(17)
        y = through_codes(g, "x", Codes(1.0, zero))
        graph = NamedGraph("codes", 17, g.nodes, g.arrays, {"x": (6,)}, {y: (6,)})
        (found[zero],) = run_model(graph, {"x": values}).values()
    assert found[128].tolist() == [-128, -128, -127, -1, 127, 127]
    assert found[0].tolist() == [0, 0, 0, 0, 127, 255]


def test_what_is_no_number_is_refused(tmp_path):
    """A variance of 0 without eps makes an infinite factor."""
    model, weights = write_quantized(tmp_path)
    net = caffe.Net(str(model), caffe.TEST, weights=str(weights), precision="int8")
    net.params["left/scale"][0].data[1] = np.inf
    with pytest.raises(NotExpressibleError, match=r"layer 'left' \(Convolution\): the factor or bias") as caught:
        translate_net(net)
    assert [r.name for r in caught.value.layers] == ["left"]


def test_a_layer_without_translation_is_named_beside_the_others(tmp_path):
    """Refusals of whole layer types end a net in INT8 with the same error as one in floats."""
    model, weights = write_quantized(tmp_path)
    text = model.read_text() + 'layer { name: "odd" type: "Pooling" bottom: "last" top: "odd" pooling_param { pool: STOCHASTIC kernel_size: 2 } }\n'
    model.write_text(text + 'layer { name: "one" type: "InnerProduct" bottom: "prob" top: "one" inner_product_param { num_output: 1 } }\n'
                     'layer { name: "no" type: "Filter" bottom: "prob" bottom: "one" top: "no" }\n')
    net = caffe.Net(str(model), caffe.TEST, weights=str(weights), precision="int8")
    with pytest.raises(NotExpressibleError) as caught:
        translate_net(net)
    assert [r.name for r in caught.value.layers] == ["odd", "no"]


def test_precisions_and_codes_that_do_not_go_together(tmp_path):
    """The vendor's mode has halves between its layers, and a float net has no codes."""
    model, weights = write_quantized(tmp_path)
    with pytest.raises(CheckError, match="precision mlu"):
        translate_net(caffe.Net(str(model), caffe.TEST, weights=str(weights), precision="mlu"))
    with pytest.raises(CheckError, match="codes for results"):
        translate_net(caffe.Net(str(model), caffe.TEST, weights=str(weights)), results={"first": Codes(1.0)})
    with pytest.raises(CheckError, match="subsampling go with precision int8"):
        translate_net(caffe.Net(str(model), caffe.TEST, weights=str(weights)), subsampled=True)
    assert not {"QuantizeLinear"} & {n.op for n in translate_net(caffe.Net(str(model), caffe.TEST, weights=str(weights))).nodes}


def test_every_operator_of_codes_has_a_translation():
    """One that the engine gets later would be refused by name until then."""
    kinds = {m.name for m in pkgutil.iter_modules(cnml.ops.__path__) if m.name.endswith("_int8")}
    assert len(kinds) >= 4 and kinds == {t.__module__.rpartition(".")[2] for t in TRANSLATORS if t.__module__.endswith("_int8")}


def test_every_value_is_made_once_and_before_it_is_read(tmp_path):
    """The engine's nodes and the net's operators between them are one graph."""
    nodes = CodedNodes(NetOperators(quantized_net(tmp_path)), {}).nodes
    made: set = set()
    for _, node in nodes:
        assert all(t in made or t.producer is None for t in node.inputs)
        assert not made.intersection(node.outputs)
        made.update(node.outputs)
