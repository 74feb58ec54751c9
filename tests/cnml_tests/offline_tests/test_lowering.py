from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.compiled import parameters, run_graph
from cnml_tests.offline_tests.operator_cases import CASES, PRIORS, Case, geometry, label, op

from cnml.errors import CnmlError, Status
from cnml.graph import Graph
from cnml.offline import write_program
from cnml.offline.program_writer import NCHW, Orders
from cnml.ops.host_call import HostCall
from cnml.parameter import Parameter
from cnml.reference.half import round_half
from cnml.tensor import Tensor
from cnrt import model_file
from cnrt.enums import DimOrder
from cnrt.errors import CnrtError, RetCode
from cnrt.model import Model
from cnrt.model_runner import ModelRunner

PRECISIONS = ("fp32", "fp16")


def offline(graph: Graph, values: dict[Tensor, np.ndarray], outputs: list[Tensor], precision: str = "fp32", cores: int = 1,
            orders: Orders = NCHW) -> list[np.ndarray]:
    """Through a file and the runtime alone."""
    program = write_program("subnet0", graph, {f"out{i}": t for i, t in enumerate(outputs)}, precision, orders)
    runner = ModelRunner(model_file.from_bytes(model_file.to_bytes(Model.of([program]))), "subnet0", cores)
    by_name = {t.name: v for t, v in values.items()}
    found = runner.run([by_name[t.name] for t in runner.inputs])
    return [v.reshape(t.shape) for v, t in zip(found, outputs, strict=True)]


def same(graph: Graph, values: dict[Tensor, np.ndarray], outputs: list[Tensor], precision: str = "fp32") -> None:
    """The file gives what the graph gives, bit for bit, whatever the number of cores."""
    want = run_graph(graph, values, outputs, precision=precision)
    for cores in (1, 2):
        for got, expected in zip(offline(graph, values, outputs, precision, cores), want, strict=True):
            np.testing.assert_array_equal(got.view(np.int32), expected.view(np.int32))


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("case", CASES, ids=label)
def test_every_operator_through_a_file(case: Case, precision, rng):
    graph = Graph()
    inputs = [graph.input(s, f"in{i}") for i, s in enumerate(case.inputs)]
    arrays, weights = case.values(rng)
    outputs = graph.add(case.op, inputs, parameters(*weights))
    same(graph, dict(zip(inputs, arrays, strict=True)), outputs, precision)


@pytest.fixture(params=PRECISIONS)
def block(request, rng):
    """Two branches with BatchNorm, Scale, ReLU in place, a sum, a concatenation: fused, placed and laid out in every way."""
    graph = Graph()
    x = graph.input((2, 16, 8, 8), "data")

    def conv(source, outputs, kernel):
        made, = graph.add(op("Convolution", geometry(outputs, kernel, pad=kernel // 2)), [source],
                          parameters(rng.standard_normal((outputs, 16, kernel, kernel)) / 8, rng.standard_normal(outputs)))
        made, = graph.add(op("BatchNorm", 1e-5, True), [made], parameters(rng.standard_normal(outputs), rng.random(outputs) + 0.5, np.ones(1)))
        made, = graph.add(op("Scale", 1, 1, True), [made], parameters(rng.standard_normal(outputs), rng.standard_normal(outputs)))
        return graph.add(op("Unary", "relu", 0.0), [made])[0]

    a, b = conv(x, 32, 3), conv(x, 32, 1)
    total, = graph.add(op("Eltwise", "SUM"), [a, b])
    joined, = graph.add(op("Concat", 1), [a, total])
    pooled, = graph.add(op("Pool", "AVE", None), [joined])
    scores, = graph.add(op("InnerProduct", 10), [pooled], parameters(rng.standard_normal((10, 64)), rng.standard_normal(10)))
    prob, = graph.add(op("Softmax", 1), [scores])
    return graph, {x: rng.standard_normal(x.shape).astype(np.float32)}, [a, total, joined, prob], request.param


def test_a_block_of_a_network(block):
    graph, values, (_, _, _, prob), precision = block
    same(graph, values, [prob], precision)


def test_outputs_in_every_place(block):
    """In a wider tensor, channels innermost, twice, and an input that goes straight through."""
    graph, values, (a, total, joined, prob), precision = block
    same(graph, values, [a, total, joined, prob], precision)
    same(graph, values, [prob, joined, a], precision)
    same(graph, values, [a, a], precision)
    view, = graph.add(op("View", (2, 1024)), [graph.inputs[0]])
    same(graph, values, [graph.inputs[0], view, prob], precision)


@pytest.mark.parametrize("orders", [(DimOrder.NHWC, DimOrder.NCHW), (DimOrder.NCHW, DimOrder.NHWC), (DimOrder.NHWC, DimOrder.NHWC)])
def test_channels_last_on_the_device(block, orders):
    """Values on the host are in Caffe's order; between them and the function, the descriptor's order."""
    graph, values, (a, total, joined, prob), precision = block
    plain, = graph.add(op("Reverse", 1), [a])
    outputs = [a, total, joined, prob, plain]
    want = run_graph(graph, values, outputs, precision=precision)
    for got, expected in zip(offline(graph, values, outputs, precision, 2, orders), want, strict=True):
        np.testing.assert_array_equal(got, expected)
    program = write_program("f", graph, {"a": a, "prob": prob}, precision, orders)
    assert [t.order for t in (*program.inputs, *program.outputs)] == [orders[0], orders[1], DimOrder.NCHW], "(2, 10) has one order only"


def test_shapes_are_not_inputs(rng):
    """Boxes depend on the extents of their inputs only; a file does not ask for the values."""
    graph = Graph()
    x, image = graph.input((1, 8, 4, 4), "x"), graph.input((1, 3, 64, 64), "image")
    y, = graph.add(op("Unary", "relu", 0.0), [x])
    boxes, = graph.add(op("PriorBox", PRIORS), [y, image])
    program = write_program("f", graph, {"y": y, "boxes": boxes})
    assert [t.name for t in program.inputs] == ["x"] and program.body["shapes"] == [1]
    same(graph, {x: rng.standard_normal(x.shape).astype(np.float32), image: np.zeros(image.shape, np.float32)}, [y, boxes])


@pytest.mark.parametrize("block", ["fp16"], indirect=True)
def test_weights_in_half_precision_are_the_same_net(block):
    """FP16 begins with halves: a file that stores them loses nothing."""
    graph, values, (_, _, _, prob), precision = block
    want, = run_graph(graph, values, [prob], precision=precision)
    program = write_program("f", graph, {"prob": prob}, precision)
    assert len(program.constants) == 16
    assert sorted(c.dtype.name for c in program.constants if c.ndim > 1) == ["float16"] * 3
    for node in graph.nodes:
        if type(node.op).__name__ in ("Convolution", "InnerProduct"):
            node.parameters[0].assign(round_half(node.parameters[0].array))
    np.testing.assert_array_equal(run_graph(graph, values, [prob], precision=precision)[0], want)


def test_a_weight_with_another_use_stays_float32(rng):
    weights = parameters(rng.standard_normal((8, 16, 1, 1)))[0]
    graph = Graph()
    x = graph.input((2, 16, 4, 4), "x")
    y, = graph.add(op("Convolution", geometry(8, 1, bias=False)), [x], [weights])
    z, = graph.add(op("Embed", False), [graph.input((3,), "index")], [weights.alias((8, 16))])
    program = write_program("f", graph, {"y": y, "z": z}, "fp16")
    assert [c.dtype for c in program.constants] == [np.float32], "both parameters are one array"
    same(graph, {x: rng.standard_normal(x.shape).astype(np.float32), graph.inputs[1]: np.array([0, 7, 3], np.float32)}, [y, z], "fp16")


def test_more_than_four_axes_and_fewer(rng):
    graph = Graph()
    x, y = graph.input((2, 3, 4, 5, 2), "x"), graph.input((4,), "y")
    a, = graph.add(op("Unary", "abs"), [x])
    b, = graph.add(op("Unary", "abs"), [y])
    program = write_program("f", graph, {"a": a, "b": b})
    assert [t.shape for t in (*program.inputs, *program.outputs)] == [(2, 3, 4, 10), (4, 1, 1, 1)] * 2
    same(graph, {x: rng.standard_normal(x.shape).astype(np.float32), y: rng.standard_normal(4).astype(np.float32)}, [a, b])


def test_a_program_does_not_follow_the_graph(rng):
    graph, weights = Graph(), Parameter((4, 3), "ip/0")
    x = graph.input((1, 3), "x")
    weights.assign(np.eye(4, 3))
    y, = graph.add(op("InnerProduct", 4, bias=False), [x], [weights])
    program = write_program("f", graph, {"y": y})
    weights.assign(np.zeros((4, 3)))
    got, = ModelRunner(Model.of([program]), "f").run([np.array([1, 2, 3], np.float32)])
    np.testing.assert_array_equal(got.ravel(), [1, 2, 3, 0])


def test_the_host_has_no_place_in_a_program():
    for some in (HostCall("Python", lambda i, p: i, [(1, 3)], "mine"), op("Pool", "STOCHASTIC", (2, 2)), op("BatchNorm", 1e-5, False)):
        graph = Graph()
        x = graph.input((1, 3, 4, 4), "x")
        y, = graph.add(some, [x], parameters(*[np.ones(s) for s in ((3,), (3,), (1,))]) if "BatchNorm" in some.name else ())
        with pytest.raises(CnmlError, match=some.name) as e:
            write_program("f", graph, {"y": y})
        assert e.value.status is Status.UNSUPPORT


def test_without_kernels(monkeypatch):
    graph = Graph()
    x = graph.input((1, 3), "x")
    program = write_program("f", graph, {"y": graph.add(op("Sqrt"), [x])[0]})
    monkeypatch.setenv("PYCAFFE_ACC_KERNELS", "numpy")
    with pytest.raises(CnrtError, match="PYCAFFE_ACC_KERNELS") as e:
        program.lowered()
    assert e.value.code == RetCode.ERR_UNSUPPORTED
