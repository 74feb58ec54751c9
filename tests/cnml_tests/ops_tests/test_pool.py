"""Pooling: kernels against reference, shapes, masks, refusals."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.compiled import check_operator, run_graph

from cnml.errors import CnmlError
from cnml.graph import Graph
from cnml.ops.concat import Concat
from cnml.ops.pool import Pool, pooled_extent
from cnml.reference.pool import LOWEST

GEOMETRIES = [((3, 3), (2, 2), (0, 0)), ((2, 3), (2, 1), (1, 1)), ((2, 2), (3, 3), (0, 0)), (None, (1, 1), (0, 0)), ((5, 4), (1, 2), (2, 3))]


@pytest.mark.parametrize("channels", [1, 3, 8, 16, 23, 150])
@pytest.mark.parametrize("method", ["MAX", "AVE"])
def test_matches_reference(method, channels, rng):
    x = rng.standard_normal((2, channels, 7, 9)).astype(np.float32)
    x[0, 0, 0, :3] = np.nan
    x[1, 0, 2, 2] = -np.inf
    for kernel, stride, pad in GEOMETRIES:
        check_operator(Pool(method, kernel, stride, pad), [x])


def test_many_rows_and_many_channels(rng):
    """Both ways of sharing work."""
    check_operator(Pool("MAX", (3, 3), (2, 2)), [rng.standard_normal((1, 16, 60, 9))], rtol=0, atol=0)
    check_operator(Pool("AVE", None), [rng.standard_normal((1, 200, 7, 7))])


@pytest.mark.parametrize("channels", [8, 16, 23, 32, 40, 70, 150])
@pytest.mark.parametrize("method", ["MAX", "AVE"])
def test_windows_in_lines(method, channels, rng):
    """Sizes with kernels of their own: whole windows, those at each border, maps smaller than a window, NaN and infinity."""
    for kernel, stride, pad in (((3, 3), (1, 1), (1, 1)), ((3, 3), (2, 2), (0, 0)), ((3, 3), (2, 2), (1, 1)), ((3, 3), (1, 1), (2, 2)),
                                ((2, 2), (2, 2), (0, 0)), ((2, 2), (2, 2), (1, 1))):
        for size in ((8, 9), (7, 40), (3, 3), (2, 2)):
            x = rng.standard_normal((2, channels, *size)).astype(np.float32)
            x[0, 0, 0, :2] = np.nan, -np.inf
            x[1, channels - 1, 1, 1] = np.inf
            check_operator(Pool(method, kernel, stride, pad), [x])


@pytest.mark.parametrize("cores", [1, 2])
def test_reads_and_writes_bands_of_wider_images(cores, rng):
    """Pools that write into a concatenation, and one whose input lies in it."""
    x = rng.standard_normal((2, 40, 9, 8)).astype(np.float32)
    graph = Graph()
    given = graph.input(x.shape, "x")
    first = graph.add(Pool("MAX", (3, 3), (1, 1), (1, 1), name="max"), [given])[0]
    second = graph.add(Pool("AVE", (5, 5), (1, 1), (2, 2), name="ave"), [given])[0]
    joined = graph.add(Concat(1), [first, second])[0]
    last = graph.add(Pool("MAX", (2, 2), (2, 2), name="last"), [joined])[0]
    a, b = Pool("MAX", (3, 3), (1, 1), (1, 1)).reference([x], [])[0], Pool("AVE", (5, 5), (1, 1), (2, 2)).reference([x], [])[0]
    whole = np.concatenate([a, b], 1)
    got_joined, got_last = run_graph(graph, {given: x}, [joined, last], cores)
    np.testing.assert_allclose(got_joined, whole, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(got_last, Pool("MAX", (2, 2), (2, 2)).reference([whole], [])[0], rtol=1e-5, atol=1e-6)


def test_floor_drops_the_last_window(rng):
    x = rng.standard_normal((1, 4, 6, 6))
    assert Pool("MAX", (3, 3), (2, 2)).reshape([x.shape], []) == [(1, 4, 3, 3)]
    assert Pool("MAX", (3, 3), (2, 2), ceil=False).reshape([x.shape], []) == [(1, 4, 2, 2)]
    check_operator(Pool("MAX", (3, 3), (2, 2), ceil=False), [x], rtol=0, atol=0)


@pytest.mark.parametrize("size,kernel,stride,pad,padded,ceil,want", [
    (6, 3, 2, 0, False, True, 3), (6, 3, 2, 0, False, False, 2), (5, 2, 2, 1, True, True, 3), (5, 2, 2, 1, False, True, 4), (2, 3, 2, 0, False, True,
                                                                                                                             1),
    (2, 7, 1, 0, False, True, -4)])
def test_extent(size, kernel, stride, pad, padded, ceil, want):
    assert pooled_extent(size, kernel, stride, pad, padded, ceil) == want


def test_windows_outside_the_image():
    """Stride beyond the kernel: the last window holds nothing."""
    x = np.arange(1, 6, dtype=np.float32).reshape(1, 1, 1, 5).repeat(3, axis=2)
    assert Pool("MAX", (1, 1), (3, 3)).reference([x], [])[0].shape == (1, 1, 2, 3)
    with np.errstate(all="ignore"):
        assert Pool("MAX", (1, 1), (3, 3)).reference([x], [])[0][0, 0, 0, 2] == LOWEST
        assert np.isnan(Pool("AVE", (1, 1), (5, 5)).reference([x[:, :, :1, :]], [])[0][0, 0, 0, 1])
    check_operator(Pool("MAX", (1, 1), (3, 3)), [x], rtol=0, atol=0)
    check_operator(Pool("AVE", (1, 1), (3, 3)), [x], rtol=0, atol=0)


def test_mask_names_the_first_maximum(rng):
    x = rng.integers(0, 3, (2, 3, 6, 6)).astype(np.float32)
    values, mask = Pool("MAX", (3, 3), (1, 1), mask=True).reference([x], [])
    np.testing.assert_array_equal(np.take_along_axis(x.reshape(2, 3, 36), mask.reshape(2, 3, 16).astype(int), 2).reshape(values.shape), values)
    window = x[0, 0, :3, :3].reshape(-1)
    first = int(np.argmax(window))
    assert mask[0, 0, 0, 0] == first // 3 * 6 + first % 3
    check_operator(Pool("MAX", (3, 3), (1, 1), mask=True), [x], rtol=0, atol=0)


def test_stochastic_is_its_expectation():
    x = np.array([[[[1, 3], [0, 0]]]], np.float32)
    op = Pool("STOCHASTIC", (2, 2), (2, 2))
    np.testing.assert_allclose(op.reference([x], [])[0].reshape(-1), [10 / 4])
    np.testing.assert_array_equal(op.reference([0 * x], [])[0].reshape(-1), [0])
    check_operator(op, [x])


@pytest.mark.parametrize("op,shape,rule", [
    (Pool("MAX", (3, 3)), (2, 6, 6), "4 axes"), (Pool("MIN", (3, 3)), (1, 1, 4, 4), "MAX, AVE or STOCHASTIC"), (Pool("MAX", (3, 3), (0, 1)),
                                                                                                                (1, 1, 4, 4), "stride"),
    (Pool("MAX", (0, 3)), (1, 1, 4, 4), "kernel"), (Pool("MAX", (2, 2), (1, 1), (2, 0)), (1, 1, 4, 4), "smaller than the kernel"),
    (Pool("STOCHASTIC", (2, 2), (1, 1), (1, 1)), (1, 1, 4, 4), "MAX and AVE"), (Pool("AVE", (2, 2), mask=True), (1, 1, 4, 4), "only MAX"),
    (Pool("MAX", (7, 7)), (1, 1, 2, 2), "negative")])
def test_refusals(op, shape, rule):
    with pytest.raises(CnmlError, match=rule):
        op.reshape([shape], [])
