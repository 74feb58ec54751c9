"""The register tiles themselves: compiled, called on hand-made operands, and looked at in assembly."""
from __future__ import annotations

import re

import numba
import numpy as np
import pytest
from numba.core import types
from numba.core.errors import TypingError

from cnml.cpu import isa
from cnml.kernels.conv_tiles import DEPTHWISE_TILES, NARROW_TILES, TILES
from cnml.parameter import aligned_empty
from cnml.ukernels.conv_f32 import LANES, TileWords, conv_tile
from cnml.ukernels.depthwise_f32 import DepthwiseWords, depthwise_tile
from cnml.ukernels.epilogue_f32 import CLIP, LEAKY, NONE, RELU
from cnml.ukernels.narrow_f32 import NarrowWords, narrow_tile
from cnml.ukernels.peak_f32 import CHAINS, peak

NAMED = {NONE: lambda y: y, RELU: lambda y: np.maximum(y, 0), LEAKY: lambda y: np.where(y < 0, 0.5 * y, y), CLIP: lambda y: np.clip(y, 0.5, 2.0)}


def compiled(tile, mr, nv, count, item=4):
    """A dispatcher for one tile with its words as a tuple and weights of `item` bytes."""
    def function(words, low, high):
        tile(mr, nv, item, words, low, high)

    signature = types.void(types.UniTuple(types.int64, count), types.float32, types.float32)
    return numba.njit(signature)(function)


def data(rng, *shape):
    """Random aligned floats."""
    a = aligned_empty(shape)
    a[...] = rng.standard_normal(shape)
    return a


@pytest.mark.parametrize("tile", TILES[LANES], ids=str)
def test_conv_tile(tile, rng):
    mr, nr, depth, taps = tile.mr, tile.nv * LANES, 7, 3
    f = compiled(conv_tile, mr, tile.nv, len(TileWords._fields))
    x, w, bias, add = data(rng, mr + taps, depth + 2), data(rng, taps, depth, nr), data(rng, nr), data(rng, mr, nr)
    row, pixels, offsets = 4 * (depth + 2), np.arange(mr)[::-1].copy(), np.array([0, 1, 2]) * 4 * (depth + 2)
    pointers = x.ctypes.data + row * np.arange(mr)
    each = pointers[None, :] + offsets[:, None]
    sums = sum(x[t:t + mr, 2:].astype(np.float64) @ w[t].astype(np.float64) for t in range(taps)) + bias
    for mode, activation in NAMED.items():
        for with_add in (False, True):
            for step in (0, 8 * mr):  # one pointer a pixel, or one a pixel and tap
                y = np.zeros((mr, nr), np.float32)
                words = TileWords((each if step else pointers).ctypes.data, step, offsets.ctypes.data, taps, 8, depth, w.ctypes.data,
                                  pixels.ctypes.data, bias.ctypes.data, 0, add.ctypes.data if with_add else 0, 4 * nr, y.ctypes.data, 4 * nr, mode,
                                  nr * depth * 4)
                f(tuple(words), np.float32(0.5), np.float32(2.0))
                want = activation(sums[::-1] + (add if with_add else 0))
                np.testing.assert_allclose(y, want, rtol=1e-5, atol=1e-5)


def test_conv_tile_without_taps_gives_the_start(rng):
    tile = TILES[LANES][0]
    f, nr = compiled(conv_tile, tile.mr, tile.nv, len(TileWords._fields)), tile.nv * LANES
    bias, y, pixels = data(rng, nr), np.zeros((tile.mr, nr), np.float32), np.arange(tile.mr)
    words = (0, 0, pixels.ctypes.data, 0, 0, 5, 0, pixels.ctypes.data, bias.ctypes.data, 0, 0, 0, y.ctypes.data, 4 * nr, NONE, 0)
    f(words, np.float32(0), np.float32(0))
    np.testing.assert_array_equal(y, np.broadcast_to(bias, y.shape))


@pytest.mark.parametrize("tile", DEPTHWISE_TILES[LANES], ids=str)
def test_depthwise_tile(tile, rng):
    mr, nr, taps = tile.mr, tile.nv * LANES, 4
    f = compiled(depthwise_tile, mr, tile.nv, len(DepthwiseWords._fields))
    x, w, bias, add = data(rng, mr + taps, nr + 3), data(rng, taps, nr), data(rng, nr), data(rng, mr, nr)
    pointers, offsets, pixels = x.ctypes.data + 4 * (nr + 3) * np.arange(mr), 4 * (nr + 3) * np.arange(taps), np.arange(mr)
    for columns in (1, LANES - 1, LANES, nr - 1, nr):
        y = np.full((mr, nr), 99, np.float32)
        words = DepthwiseWords(pointers.ctypes.data, 0, offsets.ctypes.data, taps, 12, columns, w.ctypes.data, pixels.ctypes.data, bias.ctypes.data,
                               add.ctypes.data, 4 * nr, y.ctypes.data, 4 * nr, RELU)
        f(tuple(words), np.float32(0), np.float32(0))
        want = np.maximum(sum(x[t:t + mr, 3:] * w[t] for t in range(taps)) + bias + add, 0)
        np.testing.assert_allclose(y[:, :columns], want[:, :columns], rtol=1e-5, atol=1e-5)
        assert (y[:, columns:] == 99).all()


@pytest.mark.parametrize("tile", NARROW_TILES[LANES], ids=str)
@pytest.mark.parametrize("depth", [LANES, LANES + 3, 2])
def test_narrow_tile(tile, depth, rng):
    mr, nq, taps, vectors = tile.mr, tile.nv, 3, -(-depth // LANES)
    f = compiled(narrow_tile, mr, nq, len(NarrowWords._fields))
    x, w, bias, add = data(rng, mr + taps, depth), data(rng, taps, depth, nq), data(rng, nq), data(rng, mr, nq)
    packed = aligned_empty((taps, vectors, nq, LANES))
    packed[...] = np.pad(w, [(0, 0), (0, vectors * LANES - depth), (0, 0)]).reshape(taps, vectors, LANES, nq).transpose(0, 1, 3, 2)
    pointers, offsets, pixels = x.ctypes.data + 4 * depth * np.arange(mr), 4 * depth * np.arange(taps), np.arange(mr)
    y = np.full((mr, nq), 99, np.float32)
    words = NarrowWords(pointers.ctypes.data, 0, offsets.ctypes.data, taps, 0, depth, packed.ctypes.data, pixels.ctypes.data, 1, bias.ctypes.data,
                        add.ctypes.data, 4 * nq, y.ctypes.data, 4 * nq, RELU)
    f(tuple(words), np.float32(0), np.float32(0))
    want = np.maximum(sum(x[t:t + mr] @ w[t] for t in range(taps)) + bias + add, 0)
    np.testing.assert_allclose(y[:, :1], want[:, :1], rtol=1e-5, atol=1e-5)
    assert (y[:, 1:] == 99).all()  # only the first output was asked for


@pytest.mark.parametrize("tile", [conv_tile, depthwise_tile, narrow_tile])
def test_tile_size_must_be_constant(tile):
    def function(mr, words):
        tile(mr, 1, 4, words, np.float32(0), np.float32(0))

    with pytest.raises(TypingError, match="needs its tile as constants"):
        numba.njit(types.void(types.int64, types.UniTuple(types.int64, 15)))(function)


@pytest.mark.skipif(isa().name != "avx512", reason="the register count and names are those of AVX-512")
@pytest.mark.parametrize("tile", TILES[LANES], ids=str)
def test_inner_loop_keeps_its_sums_in_registers(tile):
    f = compiled(conv_tile, tile.mr, tile.nv, len(TileWords._fields))
    asm = next(iter(f.inspect_asm().values()))
    blocks = re.split(r"\n\.LBB[^\n]*:", asm)
    inner = max(blocks, key=lambda b: b.count("vfmadd"))
    assert inner.count("vfmadd") == 4 * tile.mr * tile.nv
    assert not re.search(r"zmm\d+, [^\n]*\(%rsp\)|\(%rsp\)[^\n]*zmm", inner), "a sum lives on the stack"


def test_peak_runs_every_chain():
    out = aligned_empty((CHAINS * LANES,))
    out[...] = 0.5
    numba.njit(types.void(types.int64, types.int64))(lambda n, address: peak(n, address))(3, out.ctypes.data)
    np.testing.assert_allclose(out, 0.9375)  # x -> x / 2 + 1/2 three times from 1/2
