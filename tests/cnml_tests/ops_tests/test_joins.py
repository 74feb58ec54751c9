"""Concat, Slice, Crop and Im2col: elements that are moved."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.compiled import check_operator

from cnml.errors import CnmlError
from cnml.ops.concat import Concat
from cnml.ops.crop import Crop, merged
from cnml.ops.im2col import Im2col
from cnml.ops.slice import Slice

JOINS = [(((2, 3, 4, 5), (2, 8, 4, 5), (2, 1, 4, 5)), 1), (((2, 3, 4, 5), (1, 3, 4, 5)), 0), (((2, 3, 4, 5), (2, 3, 1, 5)), 2),
         (((2, 3, 4, 5), (2, 3, 4, 2)), 3), (((2, 3), (2, 4)), 1), (((2, 3, 4), (2, 3, 4)), 2), (((40, 3), (40, 70)), 1)]


@pytest.mark.parametrize("shapes,axis", JOINS)
def test_concat_and_slice(shapes, axis, rng):
    check_operator(Concat(axis), [rng.standard_normal(s) for s in shapes], rtol=0, atol=0)
    whole = list(shapes[0])
    whole[axis] = sum(s[axis] for s in shapes)
    check_operator(Slice(axis, [s[axis] for s in shapes]), [rng.standard_normal(whole)], rtol=0, atol=0)


@pytest.mark.parametrize("offsets,sizes,shape", [
    ((0, 0, 1, 2), (2, 3, 3, 4), (2, 3, 5, 7)), ((1, 1, 1, 1), (1, 2, 3, 4), (2, 3, 5, 7)), ((0, 0, 0, 1), (2, 3, 5, 5), (2, 3, 5, 7)),
    ((1, 0, 0, 0), (1, 3, 5, 7), (2, 3, 5, 7)),
    ((2,), (3,), (6,)), ((0, 1, 0, 1, 1), (2, 1, 4, 2, 2), (2, 3, 4, 5, 6)), ((1, 1, 1, 1, 1), (1, 1, 1, 2, 2), (2, 3, 4, 5, 6))])
def test_crop(offsets, sizes, shape, rng):
    check_operator(Crop(offsets, sizes), [rng.standard_normal(shape)], rtol=0, atol=0)


def test_whole_axes_are_merged():
    assert merged([(2, 0, 2), (3, 1, 2), (4, 0, 4), (5, 2, 3)]) == [(2, 0, 2), (12, 4, 8), (5, 2, 3)]


@pytest.mark.parametrize("shape,axis,geometry", [
    ((2, 3, 5, 6), 1, ((3, 2), (1, 2), (1, 0), (1, 1))), ((2, 3, 7, 6), 1, ((3, 2), (1, 1), (1, 1), (2, 3))),
    ((1, 2, 4, 4, 5), 1, ((2, 2, 3), (1,) * 3, (0,) * 3, (1,) * 3))])
def test_im2col_columns_are_windows(shape, axis, geometry, rng):
    x = rng.standard_normal(shape).astype(np.float32)
    op = Im2col(axis, *geometry)
    y = op.reference([x], [])[0]
    assert [y.shape] == op.reshape([shape], [])
    kernel, stride, pad, dilation = geometry
    padded = np.pad(x, [(0, 0)] * (axis + 1) + [(p, p) for p in pad])
    for at in np.ndindex(*y.shape[axis + 1:]):
        window = tuple(slice(i * s, i * s + d * (k - 1) + 1, d) for i, s, k, d in zip(at, stride, kernel, dilation, strict=True))
        np.testing.assert_array_equal(y[(slice(None), slice(None), *at)], padded[(..., *window)].reshape(shape[0], -1))
    check_operator(op, [x], rtol=0, atol=0)


@pytest.mark.parametrize("op,shapes,rule", [
    (Concat(2), [(2, 3)], "has 2 axes"), (Concat(1), [(2, 3), (3, 3)], "all axes but axis 1"), (Concat(1), [(2, 3), (2, 3, 1)], "all axes but"),
    (Slice(2, (1,)), [(2, 3)], "has 2 axes"), (Slice(1, (1, 1)), [(2, 3)], "add up to 3"), (Crop((0,), (2,)), [(2, 3)], "one for each axis"),
    (Crop((0, 2), (2, 2)), [(2, 3)], "only 3 there"), (Im2col(1, (3,), (1,), (0,), (1,)), [(1, 2, 4, 4)], "2 spatial axes"),
    (Im2col(1, (0,), (1,), (0,), (1,)), [(1, 2, 4)], "positive"), (Im2col(1, (1,), (1,), (-1,), (1,)), [(1, 2, 4)], "not be negative")])
def test_refusals(op, shapes, rule):
    with pytest.raises(CnmlError, match=rule):
        op.reshape(shapes, [])
