from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.compiled import parameters, run_graph, run_operator

from cnml.errors import CnmlError
from cnml.executable import Executable
from cnml.graph import Graph
from cnml.ops.concat import Concat
from cnml.ops.convolution import Convolution, ConvolutionGeometry
from cnml.ops.host_call import HostCall
from cnml.ops.softmax import Softmax
from cnml.ops.view import View
from cnml.tensor import Layout
from cnrt.device import current_device
from cnrt.queue import Queue

GEOMETRY = ConvolutionGeometry(4, (3, 3), (1, 1), (1, 1), (1, 1), (1, 1))


def test_a_chain_through_both_layouts(rng):
    graph = Graph()
    x = graph.input((2, 8, 5, 6), "x")
    w, b = rng.standard_normal((4, 8, 3, 3)).astype(np.float32), rng.standard_normal(4).astype(np.float32)
    conv, soft = Convolution(GEOMETRY, "c"), Softmax(1, "s")
    c = graph.add(conv, [x], parameters(w, b))[0]
    flat = graph.add(View((2, 4 * 5 * 6), "f"), [c])[0]
    s = graph.add(soft, [flat])[0]
    value = rng.standard_normal(x.shape).astype(np.float32)
    got_c, got_f, got_s = run_graph(graph, {x: value}, [c, flat, s])
    want = conv.reference([value], [w, b])[0]
    np.testing.assert_allclose(got_c, want, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(got_f, got_c.reshape(2, -1))
    np.testing.assert_allclose(got_s, soft.reference([want.reshape(2, -1)], [])[0], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("layout", Layout)
def test_convert_layout_round_trip(rng, layout):
    x = rng.standard_normal((2, 5, 7, 3)).astype(np.float32)
    np.testing.assert_array_equal(run_operator(View(None), [x], layout=layout)[0], x)


def test_new_weights_are_used(rng):
    graph, device = Graph(), current_device()
    x = graph.input((1, 8, 5, 6), "x")
    params = parameters(rng.standard_normal((4, 8, 3, 3)), np.zeros(4))
    y = graph.add(Convolution(GEOMETRY, "c"), [x], params)[0]
    memory = device.malloc(x.nbytes)
    memory.array(np.float32, x.shape)[...] = 1
    executable = Executable(graph, [y], {x: memory}, lambda t: None, device)
    out = np.empty(y.shape, np.float32)
    with Queue(device) as queue:
        executable.run(queue)
        params[1].hand_out()[...] = 7
        executable.run(queue)
        executable.read_into(y, out)
        first = out.copy()
        params[0].assign(np.zeros((4, 8, 3, 3)))
        executable.run(queue)
        executable.run(queue)  # nothing to notice
        held = params[1].hand_out()
        executable.run(queue)
        held[...] = 8
        executable.run(queue)
        executable.read_into(y, out)
        assert np.all(out == 8)
        held[...] = 7
        del held
        executable.run(queue)
        executable.read_into(y, out)
    assert np.all(out == 7) and not np.all(first == 7)


def test_references_everywhere(rng, monkeypatch):
    monkeypatch.setenv("PYCAFFE_ACC_KERNELS", "numpy")
    x = rng.standard_normal((3, 4)).astype(np.float32)
    np.testing.assert_allclose(run_operator(Softmax(1), [x])[0].sum(axis=1), 1, rtol=1e-6)
    monkeypatch.setenv("PYCAFFE_ACC_KERNELS", "cuda")
    with pytest.raises(CnmlError, match="must be 'numba' or 'numpy'"):
        run_operator(Softmax(1), [x])


def test_a_broken_shape_promise_is_told():
    with pytest.raises(CnmlError, match="promised"):
        run_operator(HostCall("Odd", lambda xs, ps: [np.zeros(3)], [(2,)], "odd"), [np.zeros(2, np.float32)])


def test_an_input_needs_memory():
    graph = Graph()
    x = graph.input((2, 2), "x")
    y = graph.add(Softmax(1, "s"), [x])
    with pytest.raises(CnmlError, match="no memory"):
        Executable(graph, y, {}, lambda t: None, current_device())


def test_profile_names_every_node(rng):
    graph, device = Graph(), current_device()
    x = graph.input((1, 8, 5, 6), "x")
    c = graph.add(Convolution(GEOMETRY, "c"), [x], parameters(rng.standard_normal((4, 8, 3, 3)), np.zeros(4)))[0]
    s = graph.add(Softmax(1, "s"), [c])[0]
    memory = device.malloc(x.nbytes)
    memory.array(np.float32, x.shape)[...] = 1
    executable = Executable(graph, [s], {x: memory}, lambda t: None, device)
    with Queue(device) as queue:
        rows = executable.profile(queue, iterations=2)
    assert {"c", "s"} <= {r.name for r in rows} and all(r.milliseconds >= 0 for r in rows)
    assert next(r for r in rows if r.name == "c").macs == 4 * 30 * 8 * 9


def test_convolutions_write_into_their_concatenation(rng):
    graph = Graph()
    x = graph.input((2, 8, 5, 6), "x")
    bare = graph.add(Softmax(1, "bare"), [x])[0]
    arms = [graph.add(Convolution(ConvolutionGeometry(o, (3, 3), (1, 1), (1, 1), (1, 1), (1, 1)), f"c{o}"), [x],
                      parameters(rng.standard_normal((o, 8, 3, 3)), rng.standard_normal(o)))[0] for o in (4, 21)]
    joined = graph.add(Concat(1, "cat"), [arms[0], bare, arms[1]])[0]
    after = graph.add(Softmax(1, "s"), [joined])[0]
    value = rng.standard_normal(x.shape).astype(np.float32)
    for cores in (1, 2):
        a, b, cat, soft, small = run_graph(graph, {x: value}, [*arms, joined, after, bare], cores)
        want = [c.producer.op.reference([value], [p.array for p in c.producer.parameters])[0] for c in arms]
        np.testing.assert_allclose(a, want[0], rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(b, want[1], rtol=1e-4, atol=1e-4)
        np.testing.assert_array_equal(cat, np.concatenate([a, small, b], axis=1))
        np.testing.assert_allclose(soft.sum(axis=1), 1, rtol=1e-5)
        for t in (*arms, joined):
            t.pitch = t.offset = 0
