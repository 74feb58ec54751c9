"""Each pass changes how many nodes there are, and nothing else."""
from __future__ import annotations

from importlib import import_module

import numpy as np
import pytest
from cnml_tests.compiled import parameters, run_graph

from cnml.arena import Span, arrange
from cnml.errors import CnmlError
from cnml.executable import Executable
from cnml.graph import Graph
from cnml.ops.batch_norm import BatchNorm
from cnml.ops.concat import Concat
from cnml.ops.convolution import Convolution, ConvolutionGeometry
from cnml.ops.eltwise import Eltwise
from cnml.ops.inner_product import InnerProduct
from cnml.ops.permute import Permute
from cnml.ops.pool import Pool
from cnml.ops.scale import Scale
from cnml.ops.slice import Slice
from cnml.ops.unary import Unary
from cnml.ops.view import View
from cnml.passes import PASSES, PLACEMENTS, run_passes, switched_off
from cnrt.device import current_device
from cnrt.queue import Queue

EVERY = frozenset((*PASSES, *PLACEMENTS))
BY_IMAGE = import_module("cnml.passes.by_image")  # not the function of that name in `cnml.passes`


def conv(graph, rng, x, outputs, kernel=3, name="conv", group=1, pad=None):
    pad = kernel // 2 if pad is None else pad
    geometry = ConvolutionGeometry(outputs, (kernel, kernel), (1, 1), (pad, pad), (pad, pad), (1, 1), group)
    arrays = rng.standard_normal((outputs, x.shape[1] // group, kernel, kernel)), rng.standard_normal(outputs)
    return graph.add(Convolution(geometry, name), [x], parameters(*arrays))[0]


def batch_norm(graph, rng, x, name="bn"):
    c = x.shape[1]
    return graph.add(BatchNorm(1e-5, True, name=name), [x], parameters(rng.standard_normal(c), rng.uniform(0.5, 2, c), np.array([2.0])))[0]


def scale(graph, rng, x, bias=True, name="scale"):
    arrays = [rng.standard_normal(x.shape[1]) for _ in range(1 + bias)]
    return graph.add(Scale(1, 1, bias, name=name), [x], parameters(*arrays))[0]


def relu(graph, x, slope=0.0, name="relu"):
    return graph.add(Unary("relu", slope, name=name), [x])[0]


def names(graph, retained, off=frozenset()):
    return [node.name for node in run_passes(graph, set(retained), off).nodes]


def same_values(graph, x, wanted, rng, *pass_names):
    """With everything on, with one pass missing and with none, the values agree; for 1 and 2 cores."""
    value = rng.standard_normal(x.shape).astype(np.float32)
    plain = run_graph(graph, {x: value}, wanted, off=EVERY)
    before = [(n.op, list(n.inputs), list(n.outputs)) for n in graph.nodes]
    for off in (frozenset(), *(frozenset({name}) for name in pass_names), *(EVERY - {name} for name in pass_names)):
        for cores in (1, 2):
            for got, want in zip(run_graph(graph, {x: value}, wanted, cores, off=off), plain, strict=True):
                np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-4 * np.abs(want).max(), err_msg=f"without {set(off)}, {cores} cores")
    assert before == [(n.op, list(n.inputs), list(n.outputs)) for n in graph.nodes], "a pass changed the graph it was given"


def chain(rng):
    graph = Graph()
    x = graph.input((2, 8, 6, 6), "x")
    c = conv(graph, rng, x, 10)
    n = batch_norm(graph, rng, c)
    s = scale(graph, rng, n)
    return graph, x, (c, n, s, relu(graph, s, 0.1))


def test_affine_steps_and_activation_go_into_the_convolution(rng):
    graph, x, (c, n, s, r) = chain(rng)
    assert names(graph, {r}) == ["conv+bn+scale+relu"]
    assert names(graph, {r}, frozenset({"fuse_activation"})) == ["conv+bn+scale", "relu"]
    assert names(graph, {r}, frozenset({"fold_affine", "fold_ahead"})) == ["conv", "bn", "scale+relu"]
    same_values(graph, x, [r], rng, "fold_affine", "fuse_activation")


def test_a_retained_value_stays(rng):
    graph, x, (c, n, s, r) = chain(rng)
    assert names(graph, {c, r}) == ["conv", "bn+scale+relu"]
    assert names(graph, {s, r}) == ["conv+bn+scale", "relu"]
    same_values(graph, x, [s, r], rng, "fold_affine")


def test_a_value_with_two_readers_stays(rng):
    graph, x, (c, *_, r) = chain(rng)
    other = relu(graph, c, name="other")
    assert names(graph, {r, other})[0] == "conv"
    same_values(graph, x, [r, other], rng, "fuse_activation")


@pytest.mark.parametrize("slope", [0.0, 0.25])
def test_inner_product_with_relu(rng, slope):
    graph = Graph()
    x = graph.input((3, 8), "x")
    y = graph.add(InnerProduct(20, name="ip"), [x], parameters(rng.standard_normal((20, 8)), rng.standard_normal(20)))[0]
    r = relu(graph, y, slope)
    assert names(graph, {r}) == ["ip+relu"]
    same_values(graph, x, [r], rng, "fuse_activation")


@pytest.mark.parametrize(("group", "kernel", "pad"), [(1, 1, 0), (1, 3, 0), (2, 3, 0)])
def test_affine_steps_before_a_convolution(rng, group, kernel, pad):
    graph = Graph()
    x = graph.input((2, 8, 6, 7), "x")
    n = batch_norm(graph, rng, x)
    s = scale(graph, rng, n)
    y = conv(graph, rng, s, 12, kernel, group=group, pad=pad)
    assert names(graph, {y}) == ["bn+scale+conv"]
    same_values(graph, x, [y], rng, "fold_ahead")


def test_a_shift_before_padding_stays_outside(rng):
    graph = Graph()
    x = graph.input((1, 8, 6, 7), "x")
    y = conv(graph, rng, scale(graph, rng, x), 12)
    assert names(graph, {y}) == ["scale", "conv"]
    factor_only = conv(graph, rng, scale(graph, rng, x, bias=False, name="factor"), 12, name="padded")
    assert names(graph, {y, factor_only}) == ["scale", "conv", "factor+padded"]
    same_values(graph, x, [y, factor_only], rng, "fold_ahead")


def test_affine_steps_before_an_inner_product(rng):
    graph = Graph()
    x = graph.input((2, 4, 3, 3), "x")
    s = scale(graph, rng, batch_norm(graph, rng, x))
    y = graph.add(InnerProduct(20, name="ip"), [s], parameters(rng.standard_normal((20, 36)), rng.standard_normal(20)))[0]
    assert names(graph, {y}) == ["bn+scale+ip"]
    same_values(graph, x, [y], rng, "fold_ahead")


def residual(rng, first_activation=False):
    graph = Graph()
    x = graph.input((2, 8, 5, 6), "x")
    stem = relu(graph, conv(graph, rng, x, 16, name="stem"), name="r0")
    shortcut = conv(graph, rng, stem, 16, 1, name="shortcut")
    main = conv(graph, rng, stem, 16, name="main")
    if first_activation:
        main = relu(graph, main, name="inner")
    total = graph.add(Eltwise("SUM", name="sum"), [shortcut, main])[0]
    return graph, x, stem, relu(graph, total, name="r1")


def test_the_sum_goes_into_the_last_convolution(rng):
    graph, x, stem, y = residual(rng)
    assert names(graph, {y}) == ["stem+r0", "shortcut", "main+sum+r1"]
    assert names(graph, {y}, frozenset({"fuse_sum"})) == ["stem+r0", "shortcut", "main", "sum+r1"]
    same_values(graph, x, [y], rng, "fuse_sum")


def test_the_sum_goes_into_the_other_convolution_when_the_last_has_an_activation(rng):
    graph, x, stem, y = residual(rng, first_activation=True)
    assert names(graph, {y}) == ["stem+r0", "main+inner", "shortcut+sum+r1"]
    same_values(graph, x, [y], rng, "fuse_sum")


def test_a_sum_with_the_blocks_own_input_and_of_pixels_with_gaps(rng):
    graph = Graph()
    x = graph.input((1, 8, 5, 6), "x")
    a = conv(graph, rng, x, 24, 1, name="a")
    y = graph.add(Eltwise("SUM", name="sum"), [conv(graph, rng, a, 24, name="b"), a])[0]
    both = graph.add(Concat(1, "cat"), [y, conv(graph, rng, x, 8, 1, name="c")])[0]
    assert names(graph, {both}) == ["a", "b+sum", "c", "cat"]
    same_values(graph, x, [both], rng, "fuse_sum", "place_concat", "reuse_memory")


@pytest.fixture
def two_processors(monkeypatch):
    """What is worth merging depends on how many tasks have to share it."""
    monkeypatch.setattr("cnml.kernels.separable_plan_f32.effective_cpus", lambda: 2)


def separable(rng, outputs=24, size=28):
    """A block of a depthwise and a pointwise convolution with a sum behind them, and the tensor between the two."""
    graph = Graph()
    x = graph.input((2, 24, size, size), "x")
    between = relu(graph, conv(graph, rng, x, 24, name="dw", group=24), name="r0")
    y = conv(graph, rng, between, outputs, 1, name="pw")
    return graph, x, between, graph.add(Eltwise("SUM", name="sum"), [x, y])[0] if outputs == 24 else y


@pytest.mark.parametrize("outputs", [24, 40])
def test_a_depthwise_and_a_pointwise_convolution_become_one(rng, outputs, two_processors):
    graph, x, _, y = separable(rng, outputs)
    end = "+sum" if outputs == 24 else ""
    assert names(graph, {y}) == ["dw+r0+pw" + end]
    assert names(graph, {y}, frozenset({"fuse_separable"})) == ["dw+r0", "pw" + end]
    same_values(graph, x, [y], rng, "fuse_separable")


def test_they_stay_two_where_the_value_between_is_wanted_or_read_twice(rng, two_processors):
    graph, x, between, y = separable(rng)
    assert names(graph, {y, between}) == ["dw+r0", "pw+sum"]
    other = conv(graph, rng, between, 8, 1, name="other")
    assert names(graph, {y, other}) == ["dw+r0", "pw+sum", "other"]
    same_values(graph, x, [y, other], rng, "fuse_separable")


def test_they_read_and_write_bands_of_channels(rng, two_processors):
    graph = Graph()
    x = graph.input((1, 40, 28, 28), "x")
    a, b = graph.add(Slice(1, (24, 16), "cut"), [conv(graph, rng, x, 40, 1, name="stem")])
    y = conv(graph, rng, relu(graph, conv(graph, rng, a, 24, name="dw", group=24), name="r0"), 20, 1, name="pw")
    both = graph.add(Concat(1, "cat"), [y, conv(graph, rng, b, 8, 1, name="other")])[0]
    assert names(graph, {both}) == ["stem", "cut", "dw+r0+pw", "other", "cat"]
    same_values(graph, x, [both], rng, "fuse_separable", "place_concat", "place_slice", "reuse_memory")


@pytest.fixture
def small_caches(monkeypatch):
    """Two processors, and values of a few images are too large for the caches."""
    monkeypatch.setattr(BY_IMAGE, "effective_cpus", lambda: 2)
    monkeypatch.setattr(BY_IMAGE, "CACHED_BYTES", 1000)
    monkeypatch.setattr(BY_IMAGE, "WEIGHTS_SHARE", 100)


def test_large_values_go_image_by_image(rng, small_caches):
    graph, x, stem, y = residual(rng)
    assert names(graph, {y}) == ["stem to r1"]
    assert names(graph, {y}, frozenset({"by_image"})) == ["stem+r0", "shortcut", "main+sum+r1"]
    same_values(graph, x, [y], rng, "by_image", "fuse_sum")


def test_a_run_ends_where_somebody_else_reads(rng, small_caches):
    graph, x, stem, y = residual(rng)
    assert names(graph, {stem, y}) == ["stem+r0", "shortcut to r1"]
    pooled = graph.add(Pool("MAX", (2, 2), (2, 2), name="pool"), [y])[0]
    late = graph.add(Unary("sigmoid", name="other"), [stem])[0]
    assert names(graph, {pooled, late}) == ["stem+r0", "shortcut to pool", "other"]
    same_values(graph, x, [pooled, late], rng, "by_image")


def test_what_does_not_go_image_by_image(rng, small_caches, monkeypatch):
    graph, x, stem, y = residual(rng)
    stays = ["stem+r0", "shortcut", "main+sum+r1"]
    for name, value in (("CACHED_BYTES", 1 << 20), ("IMAGE_BYTES", 1000), ("WEIGHTS_SHARE", 0.1), ("effective_cpus", lambda: 16)):
        with monkeypatch.context() as m:
            m.setattr(BY_IMAGE, name, value)
            assert names(graph, {y}) == stays, name


def test_a_run_reads_and_writes_bands_of_channels(rng, small_caches):
    graph = Graph()
    x = graph.input((2, 40, 9, 8), "x")
    a, b = graph.add(Slice(1, (24, 16), "cut"), [graph.add(Unary("sigmoid", name="other"), [x])[0]])
    y = conv(graph, rng, conv(graph, rng, a, 24, name="one"), 20, 1, name="two")
    both = graph.add(Concat(1, "cat"), [y, graph.add(Unary("tanh", name="tanh"), [b])[0]])[0]
    assert names(graph, {both}) == ["other", "cut", "one to two", "tanh", "cat"]
    same_values(graph, x, [both], rng, "by_image", "place_concat", "place_slice", "reuse_memory")


@pytest.mark.parametrize(("images", "cpus", "yes"), [(1, 1, False), (8, 1, True), (8, 2, True), (3, 2, False), (8, 3, True), (8, 5, False),
                                                     (8, 16, False), (7, 2, True)])
def test_tasks_that_take_whole_images_are_equally_busy(images, cpus, yes, monkeypatch):
    monkeypatch.setattr(BY_IMAGE, "effective_cpus", lambda: cpus)
    assert BY_IMAGE.balanced(images) is yes


@pytest.mark.parametrize("coeff", [(1.0, -1.0), (0.5, 0.5)])
def test_a_weighted_sum_stays(rng, coeff):
    graph = Graph()
    x = graph.input((1, 8, 5, 6), "x")
    y = graph.add(Eltwise("SUM", coeff, name="sum"), [conv(graph, rng, x, 8, name="a"), x])[0]
    assert names(graph, {y}) == ["a", "sum"]


def test_views_and_dead_ends(rng):
    graph = Graph()
    x = graph.input((1, 8, 4, 4), "x")
    left, right = graph.add(View(None, "split", 2), [x])
    y = conv(graph, rng, left, 8, name="a")
    dead = relu(graph, conv(graph, rng, right, 8, name="b"), name="dead")
    assert names(graph, {y}) == ["a"]
    assert names(graph, {y, dead, left}) == ["split", "a", "b+dead"]
    assert names(graph, {y}, frozenset({"drop_dead"})) == ["a", "b+dead"]
    same_values(graph, x, [y, dead, left], rng, "drop_views", "drop_dead")


def test_views_of_another_shape_stay(rng):
    graph = Graph()
    x = graph.input((2, 8, 4, 4), "x")
    flat = graph.add(View((2, 128), "flat"), [relu(graph, conv(graph, rng, x, 8))])[0]
    y = graph.add(InnerProduct(5, name="ip"), [flat], parameters(rng.standard_normal((5, 128)), rng.standard_normal(5)))[0]
    assert names(graph, {y}) == ["conv+relu", "flat", "ip"]
    same_values(graph, x, [y], rng, "drop_views")


def plan_of(graph, retained, off=frozenset()):
    device = current_device()
    bindings = {x: device.malloc(max(4, x.nbytes)) for x in graph.inputs}
    return Executable(graph, retained, bindings, lambda t: None, device, off=off)


def test_a_permutation_that_keeps_the_shape_stays(rng):
    graph = Graph()
    x = graph.input((1, 4, 4, 4), "x")
    y = graph.add(Permute((0, 2, 3, 1), "p"), [x])[0]
    z = relu(graph, y)
    value = rng.standard_normal(x.shape).astype(np.float32)
    np.testing.assert_array_equal(run_graph(graph, {x: value}, [z])[0], np.maximum(value.transpose(0, 2, 3, 1), 0))


def test_slices_are_read_where_they_lie(rng):
    graph = Graph()
    x = graph.input((2, 8, 5, 5), "x")
    a, b, c = graph.add(Slice(1, (16, 8, 8), "cut"), [conv(graph, rng, x, 32)])
    y = graph.add(Concat(1, "cat"), [conv(graph, rng, a, 20, name="left"), relu(graph, b, name="r"), conv(graph, rng, c, 7, 1, name="right")])[0]
    executable = plan_of(graph, [y])
    assert (a.pitch, b.pitch, c.pitch) == (32, 0, 32) and (a.offset, c.offset) == (0, 24)
    assert "Slice" in [n.op.kind for n in executable.nodes]
    same_values(graph, x, [y], rng, "place_slice", "place_concat", "reuse_memory")


def deep(rng, layers=6):
    graph = Graph()
    x = graph.input((1, 16, 8, 8), "x")
    t = x
    for i in range(layers):
        t = graph.add(Pool("AVE", (3, 3), (1, 1), (1, 1), name=f"p{i}"), [conv(graph, rng, t, 16, name=f"c{i}")])[0]
    return graph, x, t


def test_values_take_turns_in_memory(rng):
    graph, x, y = deep(rng)
    few, many = plan_of(graph, [y]), plan_of(graph, [y], off=frozenset({"reuse_memory"}))
    each = 4 * 16 * 8 * 8
    assert many.peak_bytes() == 12 * each  # eleven of twelve results, and the input in the other layout
    assert few.peak_bytes() <= 3 * each
    same_values(graph, x, [y], rng, "reuse_memory")


def test_spans_never_overlap():
    random = np.random.RandomState(3)
    blocks = [Span(int(n), int(f), int(f) + int(d)) for n, f, d in zip(random.randint(1, 4000, 200), random.randint(0, 50, 200),
                                                                       random.randint(0, 9, 200), strict=True)]
    offsets, total = arrange(blocks)
    for i, (a, at) in enumerate(zip(blocks, offsets, strict=True)):
        assert at % 64 == 0 and at + a.nbytes <= total
        for b, bt in zip(blocks[:i], offsets, strict=False):
            apart_in_time = a.last < b.first or b.last < a.first
            assert apart_in_time or at + a.nbytes <= bt or bt + b.nbytes <= at
    busiest = max(sum(s.nbytes for s in blocks if s.first <= t <= s.last) for t in range(60))
    assert busiest <= total <= 1.5 * busiest


def test_weights_may_change_after_fusion(rng):
    graph, x, (*_, r) = chain(rng)
    device = current_device()
    memory = device.malloc(x.nbytes)
    value = rng.standard_normal(x.shape).astype(np.float32)
    memory.array(np.float32, x.shape)[...] = value
    executable = Executable(graph, [r], {x: memory}, lambda t: None, device)
    got = np.empty(r.shape, np.float32)
    with Queue(device) as queue:
        executable.run(queue)
        factor = graph.nodes[2].parameters[0]
        factor.assign(2 * factor.array)
        executable.run(queue)
    executable.read_into(r, got)
    np.testing.assert_allclose(got, run_graph(graph, {x: value}, [r], off=EVERY)[0], rtol=1e-3, atol=1e-3)


def test_a_pass_is_switched_off_by_name(monkeypatch):
    monkeypatch.setenv("PYCAFFE_ACC_PASSES_OFF", "fuse_sum, place_concat")
    assert switched_off() == {"fuse_sum", "place_concat"}
    monkeypatch.setenv("PYCAFFE_ACC_PASSES_OFF", "all")
    assert switched_off() == EVERY
    monkeypatch.setenv("PYCAFFE_ACC_PASSES_OFF", "fuse_everything")
    with pytest.raises(CnmlError, match="'fuse_everything'.*fold_affine"):
        switched_off()
