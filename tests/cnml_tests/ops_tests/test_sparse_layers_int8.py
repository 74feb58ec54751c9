"""INT8 layers whose weights are zero in words of four input channels: the same bytes, whatever kernel they run by."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.compiled import parameters, run_graph
from cnml_tests.ops_tests.test_sparse_layers import Compiled
from cnml_tests.test_int8_graph import NETS, Net, interpret

from cnml.codes import Codes, LayerCodes
from cnml.graph import Graph
from cnml.ops.convolution import Convolution, ConvolutionGeometry
from cnml.ops.inner_product import InnerProduct
from cnml.quantization import QuantParam
from cnrt.device import current_device
from cnrt.queue import Queue

#: weights of whole numbers keep their values as codes
CODES = LayerCodes(Codes.of(QuantParam(0, 16.0), False), QuantParam(0, 1.0))


def prune(w, share, seed=1):
    """The weights with about that share of the words of four input channels zero."""
    words = np.random.default_rng(seed).random((w.shape[0], -(-w.shape[1] // 4), *w.shape[2:])) < share
    return np.where(np.repeat(words, 4, 1)[:, :w.shape[1]], np.float32(0), w.astype(np.float32))


class Pruned(Net):
    """The layers of the nets of codes, pruned."""

    def weights(self, w, per_channel):
        w[...] = prune(w, 0.7, seed=w.size)
        return super().weights(w, per_channel)


@pytest.mark.parametrize("cores", [1, 2])
@pytest.mark.parametrize("name", NETS)
def test_nets_give_the_dense_bytes(rng, name, cores, monkeypatch):
    build, shape = NETS[name]
    net = Pruned(rng, shape)
    wanted, got = build(net), {}
    for way in ("off", "on", "auto"):
        monkeypatch.setenv("PYCAFFE_ACC_SPARSE", way)
        got[way] = run_graph(net.graph, net.values, wanted, cores, precision="int8")
    for way in ("on", "auto"):
        for a, b in zip(got["off"], got[way], strict=True):
            np.testing.assert_array_equal(a, b)
    for g, w in zip(got["on"], interpret(net, wanted, "int8"), strict=True):
        np.testing.assert_allclose(g, w, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", NETS)
def test_the_card_gives_the_dense_bytes(rng, name, monkeypatch):
    build, shape = NETS[name]
    net = Pruned(rng, shape)
    wanted, got = build(net), {}
    for way in ("off", "on"):
        monkeypatch.setenv("PYCAFFE_ACC_SPARSE", way)
        got[way] = run_graph(net.graph, net.values, wanted, precision="mlu")
    for a, b in zip(got["off"], got["on"], strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.fixture
def compiled():
    made = []

    def make(*args):
        made.append(Compiled(*args, precision="int8"))
        return made[-1]
    yield make
    for c in made:
        c.close()


def layers(rng, share, compiled, sparse=False, batch=2):
    """A compiled convolution and an inner product of codes, with their weights' parameters."""
    graph, x = Graph(), rng.integers(-7, 8, (batch, 128, 14, 14)).astype(np.float32)
    data = graph.input(x.shape, "x")
    conv = Convolution(ConvolutionGeometry(128, (3, 3), (1, 1), (1, 1), (1, 1), (1, 1)), "conv", int8=CODES, sparse=sparse)
    weights = parameters(prune(rng.integers(-127, 128, (128, 128, 3, 3)), share), np.zeros(128))
    full = parameters(prune(rng.integers(-127, 128, (60, 128, 14, 14)), share).reshape(60, -1), np.zeros(60))
    hidden = graph.add(conv, [data], weights)
    y = graph.add(InnerProduct(60, name="fc", int8=CODES, sparse=sparse), [data], full)
    return compiled(graph, data, [*hidden, *y], x), x, weights[0], full[0]


def exact(x, w):
    """Results of the convolution, in whole numbers; inputs are within the codes' range, in steps of a sixteenth."""
    padded = np.pad(x.astype(np.int64), ((0, 0), (0, 0), (1, 1), (1, 1)))
    return sum(np.einsum("nchw,oc->nohw", padded[:, :, i:i + 14, j:j + 14], w[:, :, i, j].astype(np.int64), optimize=True)
               for i in range(3) for j in range(3)).astype(np.float32)


def test_an_edit_of_the_weights_changes_the_choice_and_the_result(rng, compiled):
    c, x, w, fc = layers(rng, 0.0, compiled)

    def check(sparse):
        conv, full = c.run()
        np.testing.assert_array_equal(conv, exact(x, w.array))
        np.testing.assert_array_equal(full, (x.reshape(len(x), -1).astype(np.int64) @ fc.array.astype(np.int64).T).astype(np.float32))
        assert ("sparse_nhwc_qs8" in c.kernels()) == sparse
        counted = dict(c.executable.sparsity())["conv"]
        assert counted.zeros == w.zeros()
        assert (counted.skipped > 0) == sparse
    check(False)
    w.assign(prune(w.array, 0.9))
    check(True)
    given = w.hand_out()
    given[:, 4:8] = 5.0        # other zeros, without a word to anybody
    given[3:9] = 0.0
    check(True)
    given[...] = rng.integers(1, 100, w.shape)
    check(False)
    given[...] = 0.0
    check(True)


def test_inner_products_of_few_rows_have_a_kernel_of_their_own(rng, compiled):
    c, x, _, fc = layers(rng, 0.95, compiled, batch=1)

    def check(sparse):
        np.testing.assert_array_equal(c.run()[1], (x.reshape(1, -1).astype(np.int64) @ fc.array.astype(np.int64).T).astype(np.float32))
        assert ("sparse_rows_qs8" in c.kernels()) == sparse
        assert (dict(c.executable.sparsity())["fc"].skipped > 0) == sparse
    check(True)
    fc.assign(rng.integers(-127, 128, fc.shape))
    check(False)


@pytest.mark.parametrize("batch", [1, 40])
def test_transposed_weights(rng, compiled, batch, monkeypatch):
    monkeypatch.setenv("PYCAFFE_ACC_SPARSE", "on")
    graph, x = Graph(), rng.integers(-7, 8, (batch, 70)).astype(np.float32)
    data = graph.input(x.shape, "x")
    w = prune(rng.integers(-127, 128, (33, 70)), 0.8)
    y = graph.add(InnerProduct(33, name="fc", transpose=True, int8=CODES), [data], parameters(np.ascontiguousarray(w.T), np.zeros(33)))
    c = compiled(graph, data, y, x)
    np.testing.assert_array_equal(c.run()[0], (x.astype(np.int64) @ w.T.astype(np.int64)).astype(np.float32))
    assert ("sparse_rows_qs8" if batch == 1 else "sparse_nhwc_qs8") in c.kernels()


def test_zeros_that_fill_no_word_are_not_skipped(rng, compiled):
    c, x, w, _ = layers(rng, 0.0, compiled)
    array = w.array.copy()
    array[:, ::2] = 0.0
    w.assign(array)
    np.testing.assert_array_equal(c.run()[0], exact(x, w.array))
    counted = dict(c.executable.sparsity())["conv"]
    assert counted.achieved >= 0.5
    assert counted.exploited == 0.0
    assert "sparse" not in c.kernels()


def test_counts_and_notes(rng, compiled):
    c, _, w, _ = layers(rng, 0.875, compiled)
    c.run()
    with Queue(current_device()) as queue:
        conv = next(r for r in c.executable.profile(queue) if r.name == "conv")
    words = np.any(w.array.reshape(128, 32, 4, 3, 3) != 0, axis=2)
    assert conv.sparsity[:4] == (w.array.size, w.zeros(), 4 * np.count_nonzero(~words), conv.macs)
    assert conv.note.startswith("sparse int8, ")
    assert f"{1 - words.mean():.0%} empty words, est. 0." in conv.note


def test_the_net_and_the_environment_decide(rng, compiled, monkeypatch):
    c, x, w, _ = layers(rng, 0.05, compiled, sparse=True)
    np.testing.assert_array_equal(c.run()[0], exact(x, w.array))
    assert "sparse" not in c.kernels()
    with Queue(current_device()) as queue:
        conv = next(r for r in c.executable.profile(queue) if r.name == "conv")
    assert conv.note.endswith(" of it, against sparse_mode")
    monkeypatch.setenv("PYCAFFE_ACC_SPARSE", "on")
    c, x, w, _ = layers(rng, 0.05, compiled)
    np.testing.assert_array_equal(c.run()[0], exact(x, w.array))
    assert "sparse_nhwc_qs8" in c.kernels()
    monkeypatch.setenv("PYCAFFE_ACC_SPARSE", "off")
    c, x, w, _ = layers(rng, 0.95, compiled, sparse=True)
    np.testing.assert_array_equal(c.run()[0], exact(x, w.array))
    assert "sparse" not in c.kernels()
    assert dict(c.executable.sparsity())["conv"].exploited == 0.0
