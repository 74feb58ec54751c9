"""Graphs in FP16: weights and results are halves, sums are float32, and every operator follows its reference."""
from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from cnml_tests.compiled import check_half, parameters, run_graph
from cnml_tests.ops_tests.test_convolution import CASES, build

from cnml.cpu import converts_half, isa
from cnml.epilogue import Activation, Fold
from cnml.errors import CnmlError
from cnml.executable import Executable
from cnml.graph import Graph
from cnml.half_weights import rounded_half, stored_half
from cnml.ops.arg_max import ArgMax
from cnml.ops.concat import Concat
from cnml.ops.convolution import Convolution, ConvolutionGeometry
from cnml.ops.deconvolution import Deconvolution
from cnml.ops.eltwise import Eltwise
from cnml.ops.inner_product import InnerProduct
from cnml.ops.lrn import Lrn
from cnml.ops.pool import Pool
from cnml.ops.softmax import Softmax
from cnml.ops.unary import Unary
from cnml.reference.half import half_bits, round_half
from cnrt.device import current_device

SIMPLE = {
    "average": (Pool("AVE", (3, 3), (2, 2)), (1, 20, 9, 9)),
    "maximum": (Pool("MAX", (3, 3), (2, 2)), (1, 20, 9, 9)),
    "lrn": (Lrn("ACROSS_CHANNELS", 5, 0.3, 0.75, 2), (1, 20, 5, 5)),
    "softmax": (Softmax(1), (2, 37)),
    "tanh": (Unary("tanh"), (1, 20, 5, 5)),
    "relu": (Unary("relu", 0.0), (1, 20, 5, 5)),
    "leaky": (Unary("relu", 0.3), (1, 20, 5, 5)),
}


@pytest.mark.parametrize("case", CASES)
def test_convolutions(rng, case):
    op, shape, weights = build(case, activation=Activation("relu"))
    # transformed weights in half precision err more
    check_half(op, [rng.standard_normal(shape)], [rng.standard_normal(weights), rng.standard_normal(op.geometry.num_output)],
               5e-3 if case == "3x3" else 1e-4)


@pytest.mark.parametrize("stride", [1, 2])
def test_depthwise_along_a_line(rng, stride):
    op = Convolution(ConvolutionGeometry(24, (3, 3), (stride, stride), (1, 1), (1, 1), (1, 1), 24), "lines")
    check_half(op, [rng.standard_normal((1, 24, 12, 12))], [rng.standard_normal((24, 1, 3, 3)), rng.standard_normal(24)])


def test_blocks_of_depth_round_once(rng):
    """A sum that is revisited stays float32 until it is complete."""
    op = Convolution(ConvolutionGeometry(64, (1, 1), (1, 1), (0, 0), (0, 0), (1, 1)), "deep")
    check_half(op, [rng.standard_normal((1, 4096, 5, 5))], [rng.standard_normal((64, 4096, 1, 1)) / 64, rng.standard_normal(64)])


@pytest.mark.parametrize("outputs", [3, 40])
def test_few_outputs_and_folds(rng, outputs):
    op = Convolution(ConvolutionGeometry(outputs, (3, 3), (1, 1), (1, 1), (1, 1), (1, 1)), "folded",
                     (Fold("batch_norm", 3, 1e-5), Fold("scale", 2)), Activation("clip", 0.0, 60.0))
    params = [rng.standard_normal((outputs, 16, 3, 3)), rng.standard_normal(outputs), rng.standard_normal(outputs), rng.uniform(0.5, 2, outputs),
              np.ones(1), rng.standard_normal(outputs), rng.standard_normal(outputs)]
    check_half(op, [rng.standard_normal((1, 16, 8, 8))], params, 5e-3)


@pytest.mark.parametrize("rows", [1, 3, 9])
@pytest.mark.parametrize("transpose", [False, True])
def test_inner_product(rng, rows, transpose):
    weights = rng.standard_normal((30, 20 * 2 * 3)).astype(np.float32)
    check_half(InnerProduct(30, transpose=transpose), [rng.standard_normal((rows, 20, 2, 3))], [weights.T if transpose else weights,
                                                                                                rng.standard_normal(30)])


@pytest.mark.parametrize("size", [(6, 6), (5,)])
def test_deconvolution(rng, size):
    axes = len(size)
    op = Deconvolution(ConvolutionGeometry(12, (4,) * axes, (2,) * axes, (1,) * axes, (1,) * axes, (1,) * axes), "up")
    check_half(op, [rng.standard_normal((1, 10, *size))], [rng.standard_normal((10, 12, *[4] * axes)), rng.standard_normal(12)])


@pytest.mark.parametrize("case", SIMPLE)
def test_simple_operators(rng, case):
    op, shape = SIMPLE[case]
    check_half(op, [rng.standard_normal(shape) * 3])


def test_saturation_subnormals_and_nan():
    op = InnerProduct(6, bias=False)
    weights = np.array([60000, -1e9, 2.0 ** -24, 2.0 ** -26, np.nan, 1e-3], np.float32)[:, None]
    got = _run(op, np.array([[2.0]]), [weights])
    np.testing.assert_array_equal(got[0], [65504, -65504, 2.0 ** -23, 0, np.nan, round_half(2 * round_half(np.float32(1e-3)))])


def test_rows_of_exact_sums_round_to_even():
    """65 halves whose sum lies between two halves: one rounding, not one an addition."""
    weights = np.ones((1, 65), np.float32)
    x = np.array([[2048.0] + [1.0] * 64])
    assert _run(InnerProduct(1, bias=False), x, [weights])[0, 0] == 2112
    x[0, -1] = 0
    assert _run(InnerProduct(1, bias=False), x, [weights])[0, 0] == 2112  # 2111 is a tie between 2110 and 2112, which is even


def _run(op, x, params):
    graph = Graph()
    source = graph.input(x.shape, "x")
    return run_graph(graph, {source: x}, graph.add(op, [source], parameters(*params)), precision="fp16")[0]


def test_positions_and_inputs_stay_as_they_are(rng):
    graph = Graph()
    x = graph.input((1, 3000), "x")
    values = rng.standard_normal((1, 3000)).astype(np.float32)
    values[0, 2049] = 100
    index, = graph.add(ArgMax(), [x])
    halves, = graph.add(Unary("power", 1.0, 1.0, 0.0), [x])
    found, rounded, kept = run_graph(graph, {x: values}, [index, halves, x], precision="fp16")
    assert found.reshape(-1)[0] == 2049, "a half cannot hold it"
    np.testing.assert_array_equal(rounded, round_half(values))
    np.testing.assert_array_equal(kept, values)


def test_rounding_inside_a_concatenation(rng):
    """Results that lie in a wider tensor are rounded there and nothing beside them."""
    graph = Graph()
    x = graph.input((1, 16, 6, 6), "x")
    a, = graph.add(Pool("AVE", (3, 3), (1, 1), (1, 1)), [x])
    b, = graph.add(Convolution(ConvolutionGeometry(8, (1, 1), (1, 1), (0, 0), (0, 0), (1, 1)), "c"), [x],
                   parameters(rng.standard_normal((8, 16, 1, 1)), rng.standard_normal(8)))
    both, = graph.add(Concat(1), [a, b])
    values = rng.standard_normal((1, 16, 6, 6)).astype(np.float32)
    got, = run_graph(graph, {x: values}, [both], precision="fp16")
    np.testing.assert_array_equal(got, round_half(got))
    plain, = run_graph(graph, {x: round_half(values)}, [both])
    np.testing.assert_allclose(got, plain, rtol=2e-3, atol=8e-3)
    assert not np.array_equal(got, plain)


def test_residual_sum_rounds_once(rng):
    graph = Graph()
    x = graph.input((1, 16, 6, 6), "x")
    c, = graph.add(Convolution(ConvolutionGeometry(16, (1, 1), (1, 1), (0, 0), (0, 0), (1, 1), bias=False), "c"), [x],
                   parameters(np.eye(16).reshape(16, 16, 1, 1)))
    total, = graph.add(Eltwise("SUM"), [c, x])
    values = round_half(rng.standard_normal((1, 16, 6, 6)))
    got, = run_graph(graph, {x: values}, [total], precision="fp16")
    np.testing.assert_array_equal(got, round_half(2 * values))


def test_weights_take_half_the_bytes(rng):
    sizes = {}
    for precision in ("fp32", "fp16"):
        graph = Graph()
        x = graph.input((1, 32, 8, 8), "x")
        c, = graph.add(Convolution(ConvolutionGeometry(64, (3, 3), (2, 2), (1, 1), (1, 1), (1, 1), bias=False), "c"), [x],
                       parameters(rng.standard_normal((64, 32, 3, 3))))
        y, = graph.add(InnerProduct(64), [c], parameters(rng.standard_normal((64, 1024)), rng.standard_normal(64)))
        device = current_device()
        executable = Executable(graph, [y], {x: device.malloc(x.nbytes)}, lambda t: None, device, precision=precision)
        executable.prepare()
        sizes[precision] = executable.weight_bytes()
    least = 0.5 if converts_half() else 1.0
    assert 4 * (64 * 32 * 9 + 64 * 1024) <= sizes["fp32"] and least <= sizes["fp16"] / sizes["fp32"] < 1.004 * least, "all but the biases"


def test_a_precision_must_be_known():
    device = current_device()
    with pytest.raises(CnmlError, match="'bf16'; it must be one of fp32, fp16"):
        Executable(Graph(), [], {}, lambda t: None, device, precision="bf16")


def test_stored_weights(rng):
    w = rng.standard_normal((1 << 20) + 5).astype(np.float32)
    stored = stored_half(w)
    assert stored.dtype == np.uint16 and stored.ctypes.data % 64 == 0
    np.testing.assert_array_equal(stored, half_bits(w))
    rounded = rounded_half(w.reshape(1, -1, 1))
    assert rounded.shape == (1, w.size, 1) and rounded.dtype == np.float32
    np.testing.assert_array_equal(rounded.ravel(), round_half(w))


def test_references_on_the_host(rng, monkeypatch):
    monkeypatch.setenv("PYCAFFE_ACC_KERNELS", "numpy")
    graph = Graph()
    x = graph.input((2, 40), "x")
    w = rng.standard_normal((5, 40)).astype(np.float32)
    y, = graph.add(InnerProduct(5, bias=False), [x], parameters(w))
    values = rng.standard_normal((2, 40)).astype(np.float32)
    got, = run_graph(graph, {x: values}, [y], precision="fp16")
    np.testing.assert_array_equal(got, round_half(round_half(values).astype(np.float64) @ round_half(w).T.astype(np.float64)))


@pytest.mark.slow
@pytest.mark.parametrize("setting", ["NUMBA_CPU_NAME=haswell", "NUMBA_CPU_NAME=x86-64", "PYCAFFE_ACC_ISA=generic"])
def test_other_instruction_sets(setting):
    if isa().lanes == 4:
        pytest.skip("the host has no wider vectors")
    name, value = setting.split("=")
    run = subprocess.run([sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", __file__, "-m", "not slow"],
                         env={**os.environ, name: value}, capture_output=True, text=True, timeout=600)
    assert run.returncode == 0, run.stdout[-3000:]
