"""Pruning of one blob: the vendor's results to the bit, and the rules one by one."""
from __future__ import annotations

import hashlib
import json
import os
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pycaffe_acc.errors import CheckError
from pycaffe_acc.prune.sparse_filter import sparse_filter

DATA = os.environ.get("PYCAFFE_ACC_DATA", "")
FOLDER = Path(DATA) / "vendor_golden" / "tools" / "math"


def rows() -> list[Any]:
    """Stored calls; one placeholder without data, so that the skip is reported."""
    path = FOLDER / "sparse_filter.json"
    if not DATA or not path.is_file():
        return ["(no data)"]
    return [pytest.param(row, id=row["id"]) for row in json.loads(path.read_text())]


@pytest.fixture(scope="module")
def arrays(data_dir):
    """The stored inputs and outputs."""
    with np.load(data_dir / "vendor_golden/tools/math/sparse_filter.npz", allow_pickle=False) as stored:
        yield dict(stored)


def test_all_rows_are_there(data_dir):
    assert len(json.loads((data_dir / "vendor_golden/tools/math/sparse_filter.json").read_text())) == 185


@pytest.mark.parametrize("row", rows())
def test_the_vendors_results(row, arrays):
    name, shape = row["id"], tuple(row["shape"])
    large = "sha256" in row
    source = np.random.RandomState(zlib.crc32(name.encode())).standard_normal(row["count"]) if large else arrays[f"in_{name}"]
    source = source.astype(np.float32).reshape(shape)
    before = source.copy()
    result = sparse_filter(source, row["sparsity"], vendor_exact=True)
    assert result.dtype == np.float32 and result.shape == shape
    assert int((result == 0).sum()) == row["zeros"]
    if large:
        assert hashlib.sha256(result.tobytes()).hexdigest() == row["sha256"]
        np.testing.assert_array_equal(np.packbits(result != 0), arrays[f"mask_{name}"])
    else:
        np.testing.assert_array_equal(result.view(np.uint32), arrays[f"out_{name}"].view(np.uint32))
    np.testing.assert_array_equal(source, before)


@pytest.mark.parametrize("sparsity", [-0.1, 1.0, 1.5, float("nan")])
def test_sparsity_out_of_range(sparsity):
    with pytest.raises(CheckError, match="at least 0 and less than 1"):
        sparse_filter(np.ones(4), sparsity)


def test_neighbouring_channels_live_and_die_together(rng):
    values = rng.standard_normal((4, 4, 3, 3)).astype(np.float32)
    result = sparse_filter(values, 0.4)
    zeros = result.reshape(8, 2, 9) == 0
    np.testing.assert_array_equal(zeros[:, 0], zeros[:, 1])
    assert zeros[:, 0].sum() == int(0.4 * 72)
    np.testing.assert_array_equal(result[result != 0], values[result != 0])
    larger = np.abs(values).reshape(8, 2, 9).max(axis=1)
    assert larger[zeros[:, 0]].max() < larger[~zeros[:, 0]].min()


def test_equal_magnitudes_stay():
    np.testing.assert_array_equal(sparse_filter(np.ones((2, 4)), 0.9), np.ones((2, 4)))


def test_an_odd_last_row_stays_unless_vendor_exact():
    values = np.array([1, 2, 3, 4, 5], np.float32)
    np.testing.assert_array_equal(sparse_filter(values, 0), values)
    np.testing.assert_array_equal(sparse_filter(values, 0, vendor_exact=True), [1, 2, 3, 4, 0])
    np.testing.assert_array_equal(sparse_filter(values, 0.5), [0, 0, 3, 4, 5])


def test_the_vendor_counts_a_row_without_partner():
    # 3 rows of 4: the vendor sorts 6 magnitudes for 4 pairs, two of them zeros
    values = np.arange(1, 13, dtype=np.float32).reshape(3, 1, 2, 2)
    assert (sparse_filter(values, 0.5)[:2] == 0).sum() == 4
    vendor = sparse_filter(values, 0.5, vendor_exact=True)
    assert (vendor[:2] == 0).sum() == 2 and not vendor[2].any()


@pytest.mark.parametrize("shape", [(), (1,), (0,), (0, 3, 2, 2), (3, 2, 0)])
@pytest.mark.parametrize("vendor_exact", [False, True])
def test_one_element_or_none(shape, vendor_exact):
    values = np.full(shape, 7, np.float32)
    result = sparse_filter(values, 0.9, vendor_exact)
    np.testing.assert_array_equal(result, values)
    assert result is not values


@pytest.mark.parametrize("sparsity", [0.9, float(np.float32(0.9))])
def test_the_threshold_is_counted_in_float32(sparsity):
    # as float64, a prototxt's 0.9 of 90 pairs is a little less than 81
    assert (sparse_filter(np.arange(1, 181), sparsity) == 0).sum() == 162


def test_a_sparsity_just_below_one_leaves_the_largest_pair():
    np.testing.assert_array_equal(sparse_filter(np.arange(6), 0.99999999), [0, 0, 0, 0, 4, 5])
