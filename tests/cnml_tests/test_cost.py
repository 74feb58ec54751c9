"""What operators cost a card."""
from __future__ import annotations

import numpy as np
import pytest

from cnml.codes import Codes
from cnml.cost import graph_costs, node_costs
from cnml.executable import Executable
from cnml.graph import Graph, Node
from cnml.ops.convolution import Convolution, ConvolutionGeometry
from cnml.ops.dequantize import Dequantize
from cnml.ops.inner_product import InnerProduct
from cnml.ops.pool import Pool
from cnml.ops.quantize import Quantize
from cnml.ops.softmax import Softmax
from cnml.ops.unary import Unary
from cnml.ops.view import View
from cnml.parameter import Parameter
from cnml.tensor import Tensor
from cnrt import get


def geometry(outputs, kernel, group=1, stride=1, pad=0):
    return ConvolutionGeometry(outputs, (kernel, kernel), (stride, stride), (pad, pad), (pad, pad), (1, 1), group, bias=True)


def network(batch=2, sparse=False):
    """Convolution, pooling, a depthwise and a pointwise convolution, inner product, softmax."""
    graph = Graph()
    x = graph.input((batch, 3, 16, 16), "data")
    weights = Parameter((8, 3, 3, 3), "conv/0")
    weights.assign(np.where(np.arange(216).reshape(8, 3, 3, 3) % 4, 1.0, 0.0))
    y, = graph.add(Convolution(geometry(8, 3, pad=1), "conv", sparse=sparse), [x], [weights, Parameter((8,), "conv/1")])
    y, = graph.add(Pool("MAX", (2, 2), (2, 2), name="pool"), [y])
    y, = graph.add(Convolution(geometry(8, 3, 8, pad=1), "dw"), [y], [Parameter((8, 1, 3, 3), "dw/0"), Parameter((8,), "dw/1")])
    y, = graph.add(Convolution(geometry(16, 1), "pw"), [y], [Parameter((16, 8, 1, 1), "pw/0"), Parameter((16,), "pw/1")])
    y, = graph.add(InnerProduct(10, name="fc"), [y], [Parameter((10, 1024), "fc/0"), Parameter((10,), "fc/1")])
    y, = graph.add(Softmax(1, "prob"), [y])
    return graph, x, y


def test_numbers_of_each_operator():
    graph, _, y = network()
    conv, pool, depthwise, pointwise, fc, prob = graph_costs(graph, [y])
    assert conv == ("conv", "float16", 2 * 8 * 256 * 27, 27, 8, 0, 2 * (216 + 8), 2 * 2 * 3 * 256, 2 * 2 * 8 * 256, 2, 1.0)
    assert (pool.macs, pool.ops, pool.weight_bytes, pool.read_bytes, pool.write_bytes) == (0, 4 * 2 * 8 * 64, 0, 8192, 2048)
    assert (depthwise.inner, depthwise.outer, depthwise.macs) == (9, 1, 2 * 8 * 64 * 9)
    assert (pointwise.inner, pointwise.outer) == (8, 16) and (fc.inner, fc.outer, fc.macs) == (1024, 10, 20480)
    assert (prob.macs, prob.ops) == (0, 4 * 20) and {c.images for c in (conv, fc, prob)} == {2}


@pytest.mark.parametrize(("precision", "every_int8", "dtype", "weight", "value"), [
    ("fp32", False, "float32", 4, 4), ("fp16", False, "float16", 2, 2), ("mlu", False, "float16", 2, 2), ("fp16", True, "int8", 1, 2)])
def test_types_and_bytes(precision, every_int8, dtype, weight, value):
    graph, _, y = network(1)
    conv, pool, *_ = graph_costs(graph, [y], precision, every_int8)
    assert (conv.dtype, conv.weight_bytes, conv.read_bytes) == (dtype, weight * 224, value * 768)
    assert pool.dtype == ("float16" if every_int8 or precision in ("fp16", "mlu") else "float32") and pool.write_bytes == value * 512


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_a_function_for_this_machine_costs_a_card_the_same(precision):
    """However the passes and kernels of this machine join operators."""
    graph, x, y = network(16)
    device = get("host")
    executable = Executable(graph, [y], {x: device.malloc(x.nbytes)}, lambda t: device.malloc(t.nbytes), device, precision=precision)
    executable.prepare()
    assert executable.costs() == graph_costs(graph, [y], precision)
    assert any("by image" in note or "bands" in note or "lines a band" in note for _, _, note in executable._groups)


def test_layers_are_fused_or_not():
    graph = Graph()
    x = graph.input((1, 3, 8, 8), "data")
    y, = graph.add(Convolution(geometry(4, 1), "conv"), [x], [Parameter((4, 3, 1, 1), "w"), Parameter((4,), "b")])
    z, = graph.add(Unary("relu", 0.0, name="relu"), [y])
    fused, = graph_costs(graph, [z])
    assert fused.macs == 64 * 4 * 3 and fused.ops == 0
    apart = graph_costs(graph, [z], fusion=False)
    assert len(apart) == 2 and apart[1].ops == 2 * 256 and apart[1].macs == 0


def test_density_counts_where_the_net_asks_for_it():
    dense, sparse = (graph_costs(*(lambda g, _, y: (g, [y]))(*network(sparse=s)))[0].density for s in (False, True))
    assert dense == 1.0 and sparse == 0.75


def test_conversions_and_views_are_free():
    graph = Graph()
    x = graph.input((1, 4, 8, 8), "data")
    codes = Codes(1.0)
    for op in (View((1, 256)), Quantize(codes), Dequantize(codes)):
        assert node_costs(Node.of(op, [x], [], [Tensor((1, 256), "y")]), "mlu") == ()
