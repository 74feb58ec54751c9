"""INT8 inner products of a few rows that skip words of weights, against NumPy, bit by bit."""
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cnml_tests.kernel_run import call, words
from cnml_tests.kernels_tests.guarded_bytes import Pixels, pitches
from cnml_tests.kernels_tests.test_conv_qs8 import ADD_FACTOR, ADD_ZERO, KINDS, NOTHING, RELU, SIGNED, UNSIGNED, conv
from cnml_tests.kernels_tests.test_sparse_qs8 import NR, pruned

from cnml.cpu import isa
from cnml.kernels.conv_plan_qs8 import Bytes
from cnml.kernels.sparse_pack_qs8 import pack_sparse_ends_qs8
from cnml.kernels.sparse_plan_qs8 import SparseTile, plan_sparse_qs8
from cnml.kernels.sparse_rows_pack_qs8 import pack_rows_qs8, rows_share, takes_rows
from cnml.parameter import aligned_empty
from cnml.reference.codes import decode, encode
from cnml.reference.convolution_int8 import convolution_sums, end_convolution
from cnml.reference.quantized import activated

LANES = isa().lanes


def rows(batch, inputs, outputs, size=(1, 1)):
    """An inner product."""
    return conv(inputs, outputs, size, size, batch)


def run(rng, s, *, density=0.3, item=1, zero=128, limits=SIGNED, activation=RELU, add="", extra=0, tasks=1):
    """One inner product of random codes against its definition."""
    codes = rng.integers(1 if zero else 0, 256, (s.batch, s.height, s.width, s.channels)).astype(np.uint8)
    weights = pruned(rng, s, density)
    factors = (rng.random(s.outputs) / (60 * np.sqrt(weights[0].size))).astype(np.float32)
    biases = (rng.standard_normal(s.outputs) * 20).astype(np.float32)
    starts = (-zero * weights.astype(np.int64).sum((1, 2, 3))).astype(np.int32)
    sums = convolution_sums(codes, weights, zero, starts, s.out, s.stride, s.pad, s.dilation, s.group)
    other, added = None, None
    if add:
        other = rng.integers(0, 256, sums.shape).astype(np.uint8) if add == "codes" else (rng.standard_normal(sums.shape) * 90).astype(np.float32)
        added = decode(other, ADD_ZERO) if add == "codes" else other
    want = activated(end_convolution(sums, factors, biases, added, ADD_FACTOR), *activation)
    want = encode(want, *limits) if item == 1 else want
    x, y = Pixels(codes, pitches(s.channels)[0] + extra), Pixels(np.zeros_like(want), pitches(s.outputs, item)[0] + extra)
    more = None if other is None else Pixels(other, pitches(s.outputs, other.itemsize)[0] + extra)
    plan = plan_sparse_qs8(s, Bytes(x.pitch, y.pitch, more.pitch if more else 0), zero, SparseTile(1))
    packed, ends = pack_rows_qs8(plan, weights, x.pitch), pack_sparse_ends_qs8(plan, starts, factors, biases, item)
    scratch = aligned_empty((tasks * plan.scratch_bytes + 64,), np.uint8)
    scratch[...] = 0xA5
    call("sparse_rows_qs8", words(x.address, packed, ends, more.address if more else None, y.address, plan.table, scratch, plan.scratch_bytes,
                                  *activation, len(ends) // 3, KINDS[add], ADD_FACTOR, ADD_ZERO, *limits, item, s.height * s.width * x.pitch), tasks)
    assert (scratch[tasks * plan.scratch_bytes:] == 0xA5).all(), "scratch overrun"
    y.check()
    np.testing.assert_array_equal(y.values, want)


@pytest.mark.parametrize("batch", range(1, LANES + 1))
@pytest.mark.parametrize("item", [1, 4])
def test_rows(rng, batch, item):
    run(rng, rows(batch, 70, NR + 7), item=item, tasks=2)
    run(rng, rows(batch, 12, 5), item=item, zero=0, limits=UNSIGNED, extra=4)


@pytest.mark.parametrize("density", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("size", [(1, 1), (3, 2)])
def test_densities_of_images(rng, size, density):
    run(rng, rows(2, 130, 2 * NR, size), density=density)
    run(rng, rows(3, 30, 33, size), density=density, extra=8, tasks=3)


@pytest.mark.parametrize("add", KINDS)
@pytest.mark.parametrize("item", [1, 4])
@pytest.mark.parametrize("activation", [NOTHING, RELU], ids=str)
def test_endings(rng, add, item, activation):
    run(rng, rows(3, 40, NR + 6), item=item, activation=activation, add=add, extra=4)


def test_what_is_an_inner_product_of_a_few_rows():
    assert takes_rows(rows(LANES, 8, 8, (3, 2)))
    assert not takes_rows(rows(LANES + 1, 8, 8))
    assert not takes_rows(conv(8, 8, (1, 1)))
    assert not takes_rows(conv(8, 8, (3, 3), (3, 3), pad=(1, 1), stride=(3, 3)))


def test_shares_grow_with_live_words_and_rows():
    one, two = rows(1, 4096, 4096), rows(2, 4096, 4096)
    assert rows_share(one, 1000, 1e6) < rows_share(one, 100_000, 1e6) < rows_share(two, 100_000, 1e6)


PROGRAM = """
import sys
import numpy as np
sys.path.insert(0, {tests!r})
from cnml.cpu import isa
from cnml_tests.kernels_tests.test_sparse_rows_qs8 import NR, UNSIGNED, rows, run
assert isa().name == {isa!r}, isa()
rng = np.random.default_rng(0)
for item in (1, 4):
    for batch in (1, 3, isa().lanes):
        run(rng, rows(batch, 70, NR + 7, (2, 1)), item=item, tasks=2, add="codes")
        run(rng, rows(batch, 30, 5), item=item, zero=0, limits=UNSIGNED, add="floats", extra=4)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("name", "cpu"), [("avx512", "skylake-avx512"), ("avx2", "haswell"), ("generic", "x86-64")])
def test_other_instruction_sets(name, cpu):
    root = Path(__file__).parents[3]
    program = PROGRAM.format(tests=str(root / "tests"), isa=name)
    subprocess.run([sys.executable, "-c", program], env={**os.environ, "NUMBA_CPU_NAME": cpu, "PYTHONPATH": str(root)}, check=True, timeout=300)
