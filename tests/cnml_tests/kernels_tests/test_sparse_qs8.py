"""INT8 convolutions that skip words of weights: every geometry, tile and ending against NumPy and the dense kernels, bit by bit."""
from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from cnml_tests.kernel_run import call, words
from cnml_tests.kernels_tests.int8_case import (
    ADD_FACTOR,
    ADD_ZERO,
    CLIP,
    KINDS,
    LEAKY,
    NOTHING,
    RELU,
    SIGNED,
    UNSIGNED,
    int8_case,
    random_codes,
    random_weights,
)
from cnml_tests.kernels_tests.test_conv_qs8 import GEOMETRIES, conv

from cnml.cpu import dot_kind, isa
from cnml.kernels.conv_pack_qs8 import pack_ends_qs8, pack_weights_qs8
from cnml.kernels.conv_plan_qs8 import Bytes, plan_conv2d_qs8
from cnml.kernels.sparse_pack_qs8 import live_words, pack_sparse_ends_qs8, pack_sparse_qs8, scale_of_codes
from cnml.kernels.sparse_plan_qs8 import MOST_VECTORS, PART_WORDS, SparseTile, part_of, plan_sparse_qs8, sparse_tiles
from cnml.ukernels.simd.vec_x8 import SCALE

NR, TILE = 4 * isa().lanes, SparseTile(2)


def pruned(rng, s, density):
    """Random weights, zero in words of four input channels but for a share of them; one output has none, one has all."""
    weights = random_weights(rng, s)
    kept = rng.random((s.outputs, -(-weights.shape[1] // 4), *s.kernel)) < density
    kept[0], kept[-1] = False, True
    weights[~np.repeat(kept, 4, 1)[:, :weights.shape[1]]] = 0
    return weights


def run(rng, s, *, density=0.3, tile=TILE, item=1, zero=128, limits=SIGNED, activation=RELU, add="", extra=0, tasks=1, large=None, dense=False):
    """One convolution of random codes against its definition; `dense`: against the dense kernel too."""
    weights = pruned(rng, s, density)
    case = int8_case(rng, s, random_codes(rng, s, zero), weights, item=item, zero=zero, limits=limits, activation=activation, add=add, extra=extra,
                     large=large, density=density)

    def check(plan, name, packed, ends, *last):
        case.check(plan.scratch_bytes, tasks, lambda y, scratch: call(name, words(
            case.x.address, packed, ends, case.added, y.address, plan.table, scratch, plan.scratch_bytes, *activation, len(ends) // 3, KINDS[add],
            ADD_FACTOR, ADD_ZERO, *limits, *last), tasks))

    plan, rest = plan_sparse_qs8(s, case.pixels, zero, tile), (case.starts, case.factors, case.biases)
    check(plan, "sparse_nhwc_qs8", pack_sparse_qs8(plan, weights, s.group), pack_sparse_ends_qs8(plan, *rest, item, s.group), item)
    if dense:
        full = plan_conv2d_qs8(s, case.pixels, zero)
        check(full, f"conv2d_nhwc_qs8_{'x8' if item == 1 else 'f32'}_{full.tile.mr}x{full.nr}", pack_weights_qs8(full, weights, s.group),
              pack_ends_qs8(full, *rest, s.group))


@pytest.mark.parametrize("vectors", range(1, MOST_VECTORS + 1))
@pytest.mark.parametrize("item", [1, 4])
def test_tiles(rng, vectors, item):
    for pixels in (1, vectors * isa().lanes, vectors * isa().lanes + 3):
        run(rng, conv(20, NR + 3, (1, 1), (1, pixels)), tile=SparseTile(vectors), item=item)
        run(rng, conv(20, 5, (1, 1), (1, pixels)), tile=SparseTile(vectors), item=item, add="codes", extra=4)


@pytest.mark.parametrize("outputs", [1, 3, NR - 1, NR, NR + 1, 2 * NR + 6])
@pytest.mark.parametrize("add", KINDS)
@pytest.mark.parametrize("item", [1, 4])
def test_outputs(rng, outputs, add, item):
    run(rng, conv(8, outputs, (1, 1), (3, 7)), add=add, item=item, limits=UNSIGNED, extra=4)
    run(rng, conv(8, outputs, (1, 1), (3, 7)), add=add, item=item)


@pytest.mark.parametrize("depth", [1, 3, 4, 5, 12, 15, 16, 17, 64, 70])
def test_depths(rng, depth):
    for limits in (SIGNED, UNSIGNED):
        run(rng, conv(depth, NR + 3, (2, 2), (5, 4)), limits=limits, extra=4)


@pytest.mark.parametrize("tasks", [1, 3])
@pytest.mark.parametrize("item", [1, 4])
@pytest.mark.parametrize("name", GEOMETRIES)
def test_geometry(rng, name, item, tasks):
    run(rng, GEOMETRIES[name], item=item, tasks=tasks, dense=True)
    run(rng, GEOMETRIES[name], item=item, tasks=tasks, zero=0, limits=UNSIGNED, extra=4)


@pytest.mark.parametrize("name", [n for n, s in GEOMETRIES.items() if any(t.lines for t in sparse_tiles(s, True))])
def test_tiles_of_lines(rng, name):
    for tile in (t for t in sparse_tiles(GEOMETRIES[name], True) if t.lines):
        run(rng, GEOMETRIES[name], tile=tile, tasks=2)
        run(rng, GEOMETRIES[name], tile=tile, zero=0, limits=UNSIGNED, add="codes")


def test_tiles_that_there_are():
    lanes = isa().lanes
    assert [t.vectors for t in sparse_tiles(conv(8, 8, (1, 1), (1, 2 * lanes + 1)), True)] == [1, 2, 3]
    shape = conv(8, 8, pad=(1, 1), size=(3, lanes + 1))
    assert [t for t in sparse_tiles(shape, True) if t.lines] == [SparseTile(2, 1), SparseTile(3, 2), SparseTile(4, 3)]
    assert not [t for t in sparse_tiles(shape, False) if t.lines]
    assert not [t for t in sparse_tiles(shape._replace(width=MOST_VECTORS * lanes + 1), True) if t.lines]


PARTED = {
    "words of a tap": conv(2000, 40, (1, 1), (2, 9)),
    "several taps": conv(200, 40, (3, 3), (5, 6), pad=(1, 1)),
    "several taps of groups": conv(128, 70, (3, 5), (6, 8), pad=(1, 2), group=2),
}


@pytest.mark.parametrize("name", PARTED)
@pytest.mark.parametrize("density", [0.0, 0.05, 1.0])
def test_panels_in_parts(rng, name, density):
    shape = PARTED[name]
    taps, depth = shape.kernel[0] * shape.kernel[1], shape.channels // shape.group // 4
    assert part_of(taps, depth) != (taps, depth)
    run(rng, shape, density=density, tasks=2)


def test_parts_are_not_larger_than_they_may_be():
    for taps in (1, 3, 9, 25, 49):
        for depth in (1, 2, 16, 37, 64, 145, 146, 147, 500, 6272):
            block, words_ = part_of(taps, depth)
            assert 1 <= block <= taps and 1 <= words_ <= depth
            assert block * words_ <= PART_WORDS + 3
            assert block == 1 or words_ == depth


@pytest.mark.parametrize("add", KINDS)
@pytest.mark.parametrize("item", [1, 4])
@pytest.mark.parametrize("limits", [SIGNED, UNSIGNED, (-3.5, 17.5, 128)])
@pytest.mark.parametrize("activation", [NOTHING, RELU, LEAKY, CLIP], ids=str)
def test_endings(rng, add, item, limits, activation):
    run(rng, conv(12, 70, pad=(1, 1), size=(5, 5)), item=item, limits=limits, activation=activation, add=add, tasks=2, extra=8)


@pytest.mark.parametrize("large", [1e9, -1e9, 3e38, np.inf, -np.inf])
@pytest.mark.parametrize("activation", [NOTHING, RELU, CLIP], ids=str)
def test_results_that_no_integer_holds(rng, large, activation):
    for limits in (SIGNED, UNSIGNED):
        run(rng, conv(12, 70, (1, 1)), limits=limits, activation=activation, large=large)


def test_nan_becomes_the_least_result(rng):
    run(rng, conv(12, 70, (1, 1)), activation=NOTHING, large=np.nan)
    run(rng, conv(12, 70, (1, 1)), activation=RELU, limits=UNSIGNED, large=np.nan)


def test_a_word_lives_while_one_of_its_weights_does():
    weights = np.zeros((2, 6, 1, 2), np.int8)
    assert live_words(weights) == (0, 8)
    weights[0, 5, 0, 1] = weights[0, 4, 0, 1] = weights[1, 0, 0, 0] = 1
    assert live_words(weights) == live_words(weights.astype(np.float32)) == (2, 8)


def test_lists_hold_the_words_that_live(rng):
    s = conv(40, NR + 3, (3, 3), pad=(1, 1))
    plan, weights = plan_sparse_qs8(s, Bytes(40, NR + 4), 128, SparseTile(4)), pruned(rng, s, 0.2)
    empty, full = (pack_sparse_qs8(plan, w).nbytes for w in (np.zeros_like(weights), weights))
    entry = 4 * (1 + {"vnni": 1, "pairs": 2, "plain": 4}[dot_kind()])
    assert 0 <= full - empty - entry * live_words(weights)[0] < 64 * 2


def test_scale():
    assert scale_of_codes() == SCALE


def test_groups_must_be_whole_words():
    with pytest.raises(ValueError, match="12 channels in 2 groups: a group must have a multiple of 4 channels"):
        plan_sparse_qs8(conv(12, 12, group=2), Bytes(12, 12), 128, SparseTile(4))


PROGRAM = """
import sys
import numpy as np
sys.path.insert(0, {tests!r})
from cnml.cpu import isa
from cnml_tests.kernels_tests.test_sparse_qs8 import CLIP, GEOMETRIES, LEAKY, RELU, UNSIGNED, SparseTile, conv, run
assert isa().name == {isa!r}, isa()
rng = np.random.default_rng(0)
for item in (1, 4):
    for tile in (*map(SparseTile, (1, 3, 7, 8)), SparseTile(-(-24 // isa().lanes), 3)):
        run(rng, GEOMETRIES["3x3"], tile=tile, item=item, add="codes", tasks=2)
    for shape in GEOMETRIES.values():
        run(rng, shape, item=item, zero=0, limits=UNSIGNED, extra=4)
    for activation in (RELU, LEAKY, CLIP):
        run(rng, conv(12, 70, pad=(1, 1)), item=item, activation=activation, add="floats", extra=8)
run(rng, conv(12, 70, (1, 1)), large=np.inf)
run(rng, conv(12, 70, (1, 1)), large=-1e9, limits=UNSIGNED)
run(rng, conv(200, 40, (3, 3), (5, 6), pad=(1, 1)), density=0.1, dense=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("name", "cpu"), [("avx512", "skylake-avx512"), ("avx2", "haswell"), ("generic", "x86-64")])
def test_other_instruction_sets(name, cpu):
    root = Path(__file__).parents[3]
    program = PROGRAM.format(tests=str(root / "tests"), isa=name)
    subprocess.run([sys.executable, "-c", program], env={**os.environ, "NUMBA_CPU_NAME": cpu, "PYTHONPATH": str(root)}, check=True, timeout=300)
