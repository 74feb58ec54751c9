"""Convolutions and inner products with zeros in their weights: the same results, whatever kernel they run by."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.compiled import check_half, check_operator, parameters, run_graph
from cnml_tests.ops_tests.test_convolution import CASES, build

from cnml.epilogue import Activation, Fold
from cnml.errors import CnmlError
from cnml.executable import Executable
from cnml.graph import Graph
from cnml.ops.concat import Concat
from cnml.ops.convolution import Convolution, ConvolutionGeometry
from cnml.ops.inner_product import InnerProduct
from cnml.ops.unary import Unary
from cnml.tensor import Tensor
from cnrt.device import current_device
from cnrt.queue import Queue


def prune(w, share, seed=1):
    """The weights with about that share of zeros."""
    return np.where(np.random.default_rng(seed).random(w.shape) < share, np.float32(0), w.astype(np.float32))


def pointwise(outputs, name, **kwargs):
    """A 1 x 1 convolution."""
    return Convolution(ConvolutionGeometry(outputs, (1, 1), (1, 1), (0, 0), (0, 0), (1, 1)), name, **kwargs)


class Compiled:
    """A graph with its program."""

    def __init__(self, graph: Graph, x: Tensor, wanted: list[Tensor], value: np.ndarray, **options):
        device = current_device()
        memory = device.malloc(x.nbytes)
        memory.array(np.float32, x.shape)[...] = value
        self.wanted = wanted
        self.executable = Executable(graph, wanted, {x: memory}, lambda t: None, device, **options)
        self._queue = Queue(device)

    def run(self) -> list[np.ndarray]:
        """One pass."""
        self.executable.run(self._queue, 2)
        results = []
        for t in self.wanted:
            results.append(np.empty(t.shape, np.float32))
            self.executable.read_into(t, results[-1])
        return results

    def kernels(self) -> str:
        """Their names."""
        return " ".join(self.executable.kernel_names())

    def close(self) -> None:
        """End the queue's thread."""
        self._queue.__exit__(None, None, None)


@pytest.fixture
def compiled():
    made = []

    def make(*args, **options):
        made.append(Compiled(*args, **options))
        return made[-1]
    yield make
    for c in made:
        c.close()


@pytest.fixture
def on(monkeypatch):
    """Sparse kernels wherever there is one and a weight is zero."""
    monkeypatch.setenv("PYCAFFE_ACC_SPARSE", "on")


@pytest.mark.parametrize("case", CASES)
def test_convolutions_that_run_sparse(rng, case, on):
    op, shape, weights = build(case, activation=Activation("relu", 0.25))
    params = [prune(rng.standard_normal(weights), 0.7), rng.standard_normal(op.geometry.num_output)]
    check_operator(op, [rng.standard_normal(shape)], params, rtol=1e-4, atol=1e-4)
    check_half(op, [rng.standard_normal(shape)], params, 5e-3 if case == "3x3" else 1e-4)


@pytest.mark.parametrize("transpose", [False, True])
@pytest.mark.parametrize("shape", [(1, 20, 3, 4), (5, 20, 3, 4), (3, 70), (20, 33)])
def test_inner_products_that_run_sparse(rng, shape, transpose, on):
    k = int(np.prod(shape[1:]))
    op = InnerProduct(37, transpose=transpose, activation=Activation("relu"))
    params = [prune(rng.standard_normal((k, 37) if transpose else (37, k)), 0.8), rng.standard_normal(37)]
    check_operator(op, [rng.standard_normal(shape)], params, rtol=1e-4, atol=1e-4)
    check_half(op, [rng.standard_normal(shape)], params)


def test_steps_before_and_behind_are_folded(rng, on):
    op = Convolution(ConvolutionGeometry(40, (3, 3), (1, 1), (1, 1), (1, 1), (1, 1)), "c", (Fold("batch_norm", 3, 1e-5), Fold("scale", 2)),
                     Activation("clip", 0.0, 1.5), ahead=(Fold("scale", 1),))
    params = [prune(rng.standard_normal((40, 24, 3, 3)), 0.8), rng.standard_normal(40), rng.standard_normal(40), rng.uniform(0.5, 2, 40),
              np.array([2.0]), rng.standard_normal(40), rng.standard_normal(40), rng.standard_normal(24)]
    check_operator(op, [rng.standard_normal((2, 24, 7, 9))], params, rtol=1e-4, atol=1e-4)


def test_a_sum_and_a_place_in_a_concat(rng, compiled, on):
    graph, x = Graph(), rng.standard_normal((2, 32, 9, 9)).astype(np.float32)
    data = graph.input(x.shape, "x")
    first = graph.add(pointwise(32, "a"), [data], parameters(prune(rng.standard_normal((32, 32, 1, 1)), 0.9), np.ones(32)))[0]
    second = graph.add(pointwise(24, "b"), [first], parameters(prune(rng.standard_normal((24, 32, 1, 1)), 0.9), np.ones(24)))[0]
    added = pointwise(32, "c", residual=True, activation=Activation("relu"))
    third = graph.add(added, [first, data], parameters(prune(rng.standard_normal((32, 32, 1, 1)), 0.9), np.ones(32)))[0]
    joined = graph.add(Concat(1), [second, third])
    c = compiled(graph, data, joined, x)
    assert "sparse_nhwc_f32" in c.kernels()
    dense = run_graph(graph, {data: x}, joined, fusion=False, off=frozenset())
    np.testing.assert_allclose(c.run()[0], dense[0], rtol=1e-4, atol=1e-4)
    values = {data: x.astype(np.float64)}
    for node in graph.nodes:
        values[node.outputs[0]] = node.op.reference([values[t] for t in node.inputs], [p.array for p in node.parameters])[0]
    np.testing.assert_allclose(c.run()[0], values[joined[0]], rtol=1e-4, atol=1e-4)


def layer(rng, zeros, compiled, **options):
    """A compiled pointwise convolution and an inner product, with the weights' parameters."""
    graph, x = Graph(), rng.standard_normal((1, 256, 14, 14)).astype(np.float32)
    data = graph.input(x.shape, "x")
    params = parameters(prune(rng.standard_normal((256, 256, 1, 1)), zeros), np.zeros(256))
    fc = parameters(prune(rng.standard_normal((100, 256 * 14 * 14)), zeros), np.zeros(100))
    hidden = graph.add(Unary("relu", 0.0), graph.add(pointwise(256, "conv"), [data], params))
    y = graph.add(InnerProduct(100, name="fc"), hidden, fc)
    return compiled(graph, data, y, x, **options), graph, x, params[0], fc[0]


def expected(graph, x, data):
    """Of the definitions."""
    values = {data: x.astype(np.float64)}
    for node in graph.nodes:
        values[node.outputs[0]] = node.op.reference([values[t] for t in node.inputs], [p.array for p in node.parameters])[0]
    return values[graph.nodes[-1].outputs[0]]


def agree(got, want):
    """Within rounding of the largest."""
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5 * float(np.abs(want).max()))


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_an_edit_of_the_weights_changes_the_choice_and_the_result(rng, compiled, precision):
    c, graph, x, w, fc = layer(rng, 0.0, compiled, precision=precision)
    data = graph.inputs[0]

    def check(sparse):
        got, want = c.run()[0], expected(graph, x, data)
        np.testing.assert_allclose(got, want, rtol=2e-2, atol=(1e-5 if precision == "fp32" else 2e-2) * float(np.abs(want).max()))
        assert ("sparse_nhwc" in c.kernels(), "sparse_inner" in c.kernels()) == sparse
        assert {n.split("+")[0]: s.zeros for n, s in c.executable.sparsity()} == {"conv": w.zeros(), "fc": fc.zeros()}
        assert {n.split("+")[0]: s.skipped for n, s in c.executable.sparsity()} == {"conv": w.zeros() * sparse[0], "fc": fc.zeros() * sparse[1]}
    check((False, False))
    w.assign(prune(w.array, 0.95))
    check((True, False))
    fc.assign(prune(fc.array, 0.97))
    check((True, True))
    given = w.hand_out()
    given[:, ::2] = 0          # other zeros, without a word to anybody
    check((True, True))
    given[...] = rng.standard_normal(w.shape)
    check((False, True))


def test_counts_and_notes(rng, compiled):
    c, _, _, w, _ = layer(rng, 0.9, compiled)
    c.run()
    with Queue(current_device()) as queue:
        rows = {r.name.split("+")[0]: r for r in c.executable.profile(queue)}
    conv = rows["conv"]
    assert conv.sparsity == (w.array.size, w.zeros(), w.zeros(), conv.macs, conv.macs * w.zeros() // w.array.size)
    assert 0.88 < conv.sparsity.achieved == conv.sparsity.exploited < 0.92
    assert conv.note.startswith("sparse, ")
    assert "90% zeros, est. 0." in conv.note


def test_the_environment_decides(rng, compiled, monkeypatch):
    monkeypatch.setenv("PYCAFFE_ACC_SPARSE", "off")
    c, *_ = layer(rng, 0.95, compiled)
    c.run()
    assert "sparse" not in c.kernels()
    assert [(s.exploited, s.skipped_macs) for _, s in c.executable.sparsity()] == [(0, 0), (0, 0)]
    monkeypatch.setenv("PYCAFFE_ACC_SPARSE", "on")
    c, graph, x, *_ = layer(rng, 0.1, compiled)
    agree(c.run()[0], expected(graph, x, graph.inputs[0]))
    assert "sparse_nhwc" in c.kernels()
    assert "sparse_inner" in c.kernels()
    monkeypatch.setenv("PYCAFFE_ACC_SPARSE", "maybe")
    c, *_ = layer(rng, 0.1, compiled)
    with pytest.raises(CnmlError, match="PYCAFFE_ACC_SPARSE is 'maybe'"):
        c.run()


@pytest.mark.parametrize(("zeros", "joined"), [(0.0, True), (0.5, True), (0.95, False)])
def test_a_sparse_pointwise_convolution_is_not_joined_with_the_depthwise_one(rng, compiled, zeros, joined):
    graph, x = Graph(), rng.standard_normal((1, 128, 56, 56)).astype(np.float32)
    data = graph.input(x.shape, "x")
    depthwise = Convolution(ConvolutionGeometry(128, (3, 3), (1, 1), (1, 1), (1, 1), (1, 1), 128), "dw")
    between = graph.add(depthwise, [data], parameters(rng.standard_normal((128, 1, 3, 3)), np.zeros(128)))
    weights = parameters(prune(rng.standard_normal((128, 128, 1, 1)), zeros), np.zeros(128))
    y = graph.add(pointwise(128, "pw"), between, weights)
    c = compiled(graph, data, y, x)
    agree(c.run()[0], expected(graph, x, data))
    assert ("separable_f32" in c.kernels()) == joined
    assert ("sparse_nhwc" in c.kernels()) != joined
    assert sum(s.zeros for _, s in c.executable.sparsity()) == weights[0].zeros()
    assert sum(s.weights for _, s in c.executable.sparsity()) == 128 * (128 + 9)


def test_the_wish_survives_fusion():
    fold = Fold("scale", 2)
    for op in (pointwise(8, "c", sparse=True), InnerProduct(8, sparse=True)):
        assert op.fused(fold=fold).sparse
        assert op.fused(activation=Activation("relu")).sparse
        assert op.preceded((fold,), "p").sparse
        assert op.in_floats().sparse
