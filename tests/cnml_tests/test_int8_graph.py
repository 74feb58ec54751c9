"""Graphs that compute in INT8: what the kernels give is, byte for byte, what the operators' references give one after the other."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.compiled import parameters, run_graph

from cnml.codes import Codes, LayerCodes
from cnml.errors import CnmlError
from cnml.executable import NOT_IN_INT8
from cnml.graph import Graph
from cnml.half_entries import round_entries
from cnml.int8_graph import in_floats, int8_graph
from cnml.ops.batch_norm import BatchNorm
from cnml.ops.concat import Concat
from cnml.ops.convolution import Convolution, ConvolutionGeometry
from cnml.ops.eltwise import Eltwise
from cnml.ops.inner_product import InnerProduct
from cnml.ops.pool import Pool
from cnml.ops.unary import Unary
from cnml.passes import run_passes
from cnml.quantization import QuantParam, position_of, scale_of
from cnml.reference.half import round_half
from cnml.tensor import Tensor


class Net:
    """A graph that grows layer by layer, with random weights and ranges that fit them."""

    def __init__(self, rng: np.random.Generator, shape: tuple[int, ...]):
        self.rng, self.graph = rng, Graph()
        self.x = self.graph.input(shape, "data")
        self.values = {self.x: rng.standard_normal(shape).astype(np.float32)}

    def codes(self, limit: float, unsigned: bool) -> Codes:
        position = position_of(limit)
        return Codes.of(QuantParam(position, scale_of(limit, position)), unsigned)

    def weights(self, w: np.ndarray, per_channel: bool) -> QuantParam:
        most = np.abs(w.reshape(len(w), -1)).max(1) if per_channel else [np.abs(w).max()]
        positions = tuple(position_of(float(m)) for m in most)
        scales = tuple(scale_of(float(m), p) for m, p in zip(most, positions, strict=True))
        return QuantParam(positions, scales) if per_channel else QuantParam(positions[0], scales[0])

    def conv(self, x: Tensor, outputs: int, kernel: int, stride: int = 1, pad: int = 0, group: int = 1, *, limit: float = 3.0,
             unsigned: bool = False, per_channel: bool = True, floats: bool = False, bias: bool = True) -> Tensor:
        channels = x.shape[1] // group
        w = (self.rng.standard_normal((outputs, channels, kernel, kernel)) / np.sqrt(channels * kernel * kernel)).astype(np.float32)
        g = ConvolutionGeometry(outputs, (kernel,) * 2, (stride,) * 2, (pad,) * 2, (pad,) * 2, (1, 1), group, bias=bias)
        int8 = None if floats else LayerCodes(self.codes(limit, unsigned), self.weights(w, per_channel))
        more = [self.rng.standard_normal(outputs).astype(np.float32)] * bias
        return self.graph.add(Convolution(g, f"conv{len(self.graph.nodes)}", int8=int8), [x], parameters(w, *more))[0]

    def relu(self, x: Tensor) -> Tensor:
        return self.graph.add(Unary("relu", 0.0, name=f"relu{len(self.graph.nodes)}"), [x])[0]

    def full(self, x: Tensor, outputs: int, *, limit: float = 3.0, unsigned: bool = False) -> Tensor:
        k = int(np.prod(x.shape[1:]))
        w = (self.rng.standard_normal((outputs, k)) / np.sqrt(k)).astype(np.float32)
        int8 = LayerCodes(self.codes(limit, unsigned), self.weights(w, True))
        b = self.rng.standard_normal(outputs).astype(np.float32)
        return self.graph.add(InnerProduct(outputs, name="ip", int8=int8), [x], parameters(w, b))[0]


def chain(net: Net) -> list[Tensor]:
    """First convolution of three channels, maximum, second convolution, inner products of an image and of rows."""
    y = net.relu(net.conv(net.x, 24, 3, 2, 1))
    y = net.graph.add(Pool("MAX", (3, 3), (2, 2), (0, 0), name="pool"), [y])[0]
    y = net.relu(net.conv(y, 18, 3, 1, 1, unsigned=True))
    y = net.relu(net.full(y, 22, limit=2.0, unsigned=True))
    return [net.full(y, 10, limit=5.0, unsigned=True)]


def block(net: Net) -> list[Tensor]:
    """Residual blocks: the sum takes codes where there are any, float32 from a shortcut of its own."""
    x = net.relu(net.conv(net.x, 32, 1))
    y = net.conv(net.relu(net.conv(x, 16, 3, 1, 1, unsigned=True)), 32, 1, unsigned=True, bias=False)
    scale = parameters(net.rng.random(32) + 0.5, net.rng.random(32) + 0.5, np.ones(1))
    y = net.graph.add(BatchNorm(1e-5, True, name="bn"), [y], scale)[0]
    a = net.relu(net.graph.add(Eltwise("SUM", (), "sum"), [x, y])[0])
    y = net.conv(a, 40, 3, 2, 1, limit=4.0, unsigned=True)
    short = net.conv(a, 40, 1, 2, limit=4.0, unsigned=True)
    b = net.relu(net.graph.add(Eltwise("SUM", (), "sum2"), [short, y])[0])
    return [net.conv(b, 8, 1, limit=4.0), net.graph.add(Pool("AVE", None, name="global"), [b])[0]]


def branches(net: Net) -> list[Tensor]:
    """Joined branches whose readers agree, one that stays in floats, groups, and a value that somebody looks at."""
    x = net.relu(net.conv(net.x, 16, 1))
    a = net.relu(net.conv(x, 24, 1, unsigned=True))
    b = net.relu(net.conv(net.relu(net.conv(x, 8, 1, unsigned=True)), 12, 5, 1, 2, unsigned=True))
    c = net.relu(net.conv(net.graph.add(Pool("MAX", (3, 3), (1, 1), (1, 1), name="pool"), [x])[0], 20, 1, unsigned=True))
    joined = net.graph.add(Concat(1, "join"), [a, b, c])[0]
    y = net.relu(net.conv(joined, 16, 3, 1, 1, group=2, unsigned=True))
    return [joined, net.conv(y, 7, 1, unsigned=True, per_channel=False), net.conv(y, 5, 3, floats=True)]


def depthwise(net: Net) -> list[Tensor]:
    """Depthwise and pointwise convolutions in turn, to codes and to float32."""
    x = net.relu(net.conv(net.x, 24, 3, 2, 1))
    x = net.relu(net.conv(x, 24, 3, 1, 1, 24, unsigned=True))
    x = net.relu(net.conv(x, 40, 1, unsigned=True))
    x = net.relu(net.conv(x, 40, 3, 2, 1, 40, unsigned=True))
    return [net.conv(x, 40, 5, 1, 2, 40, unsigned=True), net.conv(x, 6, 1, unsigned=True)]


def sums(net: Net) -> list[Tensor]:
    """Sums that no convolution takes: of activated values, and of one value with itself."""
    x = net.relu(net.conv(net.x, 18, 3, 1, 1))
    a, b = net.relu(net.conv(x, 18, 1, unsigned=True)), net.relu(net.conv(x, 18, 3, 1, 1, unsigned=True))
    for t, limit in ((a, 2.0), (b, 3.0)):
        net.conv(t, 4, 1, limit=limit, unsigned=True)
    y = net.relu(net.graph.add(Eltwise("SUM", (0.5, -1.25), "sum"), [a, b])[0])
    return [net.conv(y, 9, 1, limit=4.0), net.conv(net.graph.add(Eltwise("SUM", (), "twice"), [a, a])[0], 5, 1, limit=5.0)]


NETS = {"sums": (sums, (2, 5, 11, 9)), "depthwise": (depthwise, (2, 3, 15, 17)), "chain": (chain, (2, 3, 23, 25)), "block": (block, (2, 12, 9, 10)),
        "branches": (branches, (1, 10, 11, 9))}


def interpret(net: Net, wanted: list[Tensor], precision: str) -> list[np.ndarray]:
    """The references of the rewritten graph, one after the other."""
    half = precision == "mlu"
    graph = int8_graph(run_passes(net.graph, set(wanted), NOT_IN_INT8), wanted, between=not half)
    graph = round_entries(graph) if half else graph
    memory: dict[Tensor, np.ndarray] = dict(net.values)
    for node in graph.nodes:
        function = node.op.reference_half if half else node.op.reference
        results = function([memory[t] for t in node.inputs], [p.array for p in node.parameters])
        memory.update((t, r if t.codes else np.asarray(r, np.float32)) for t, r in zip(node.outputs, results, strict=True))
    return [memory[t] for t in wanted]


@pytest.mark.parametrize("cores", [1, 2])
@pytest.mark.parametrize("precision", ["int8", "mlu"])
@pytest.mark.parametrize("name", NETS)
def test_kernels_give_the_references_bytes(rng, name, precision, cores):
    build, shape = NETS[name]
    net = Net(rng, shape)
    wanted = build(net)
    want = interpret(net, wanted, precision)
    got = run_graph(net.graph, net.values, wanted, cores, precision=precision)
    for w, g in zip(want, got, strict=True):
        if precision == "mlu":  # sums of averages in float32 round another way than in float64; a half is what both become
            np.testing.assert_allclose(g, w, rtol=2e-3, atol=2e-3)
        else:
            np.testing.assert_allclose(g, w, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", NETS)
def test_int8_stays_near_float32(rng, name):
    build, shape = NETS[name]
    net = Net(rng, shape)
    wanted = build(net)
    floats = run_graph(net.graph, net.values, wanted)
    for precision in ("int8", "mlu"):
        for f, q in zip(floats, run_graph(net.graph, net.values, wanted, precision=precision), strict=True):
            error = np.sqrt(np.mean((f - q) ** 2)) / f.std()
            assert 0 < error < 0.2, (precision, error)


def test_values_stay_codes_between_layers(rng):
    net = Net(rng, (1, 3, 23, 25))
    wanted = chain(net)
    graph = int8_graph(run_passes(net.graph, set(wanted), NOT_IN_INT8), wanted)
    kinds = [n.op.kind for n in graph.nodes]
    assert kinds == ["Quantize", "ConvolutionInt8", "PoolInt8", "ConvolutionInt8", "ConvolutionInt8", "ConvolutionInt8"]
    card = [n.op.kind for n in int8_graph(run_passes(net.graph, set(wanted), NOT_IN_INT8), wanted, between=False).nodes]
    assert card.count("Quantize") == 4 and "PoolInt8" not in card


def test_the_card_takes_depthwise_convolutions_in_halves(rng):
    net = Net(rng, (1, 3, 15, 17))
    wanted = depthwise(net)
    ours, card = (int8_graph(run_passes(net.graph, set(wanted), NOT_IN_INT8), wanted, between) for between in (True, False))
    assert [n.op.kind for n in ours.nodes].count("ConvolutionInt8") == 6
    assert [n.op.kind for n in card.nodes].count("ConvolutionInt8") == 3


def test_the_card_adds_halves(rng):
    """A shortcut that the next layer quantizes for itself is added as it is, and so are averages taken."""
    net = Net(rng, (2, 12, 9, 10))
    wanted = block(net)
    graph = int8_graph(run_passes(net.graph, set(wanted), NOT_IN_INT8), wanted, between=False)
    sums = [n for n in graph.nodes if n.op.kind == "ConvolutionInt8" and len(n.inputs) == 2]
    assert len(sums) == 2 and all(n.inputs[1].codes is None for n in sums)
    assert all(n.op.kind != "PoolInt8" for n in graph.nodes)


def test_parameters_of_other_weights_are_refused(rng):
    net = Net(rng, (1, 6, 5, 5))
    y = net.conv(net.x, 8, 3)
    net.graph.nodes[0].parameters[0].assign(net.graph.nodes[0].parameters[0].array * 9)
    with pytest.raises(CnmlError, match=r"'conv0' with weights up to .* hold .*: the prototxt was quantized for other weights"):
        run_graph(net.graph, net.values, [y], precision="int8")


def test_other_precisions_compute_in_floats(rng):
    net = Net(rng, (1, 3, 23, 25))
    wanted = chain(net)
    assert all(getattr(n.op, "int8", None) is None for n in in_floats(net.graph).nodes)
    half = run_graph(net.graph, net.values, wanted, precision="fp16")[0]
    np.testing.assert_array_equal(half, round_half(half))
