"""Kernels over rows, lines and time steps by their instructions, bound and walked by hand for one task and for three.

They run in their Python form, so that coverage sees the lines under NUMBA_DISABLE_JIT=1; those whose registers exist only compiled run compiled.
"""
from __future__ import annotations

import ctypes
import importlib
from collections.abc import Callable

import numba
import numpy as np
import pytest

from cnml.emitter import Emitter, ScratchBlock
from cnml.graph import Graph
from cnml.ops.arg_max import ArgMax
from cnml.ops.embed import Embed
from cnml.ops.lstm import LSTM
from cnml.ops.lstm_unit import LSTMUnit
from cnml.ops.mvn import MVN
from cnml.ops.reduction import Reduction
from cnml.ops.rnn import RNN
from cnml.ops.tile import Tile
from cnml.parameter import Parameter
from cnml.tensor import Tensor
from cnrt import kernel_table

FILES = {"arg_max_k_f32": "arg_max_f32", "embed_f32": "embed_f32", "mvn_f32": "mvn_f32", "reduction_f32": "reduction_f32", "tile_x32": "tile_x32"}

#: how the names of kernels begin that stand around register tiles, which have no Python form
COMPILED = ("arg_max_f32", "lstm_f32", "lstm_unit_f32", "rnn_f32")

CASES = {
    "sum": (Reduction(1, "SUM", 2.0), [(3, 5)], []),
    "asum": (Reduction(0, "ASUM"), [(3, 5)], []),
    "sumsq": (Reduction(1, "SUMSQ"), [(3, 5)], []),
    "mvn": (MVN(), [(2, 2, 3, 3)], []),
    "mvn mean": (MVN(normalize_variance=False), [(2, 2, 3, 3)], []),
    "tile": (Tile(1, 3), [(2, 2, 3)], []),
    "embed": (Embed(), [(2, 3)], [(4, 5), (5,)]),
    "embed without bias": (Embed(False), [(2, 3)], [(4, 5)]),
    "argmax": (ArgMax(1), [(3, 7)], []),
    "argmax value": (ArgMax(1, 1, True), [(3, 7)], []),
    "argmax both": (ArgMax(1, None, True), [(3, 7)], []),
    "argmax columns": (ArgMax(1, 1), [(2, 3, 5)], []),
    "argmax column values": (ArgMax(1, 1, True), [(2, 3, 5)], []),
    "argmax 3": (ArgMax(3), [(2, 7)], []),
    "argmax 2 both": (ArgMax(2, None, True), [(2, 7)], []),
    "argmax 2 column values": (ArgMax(2, 1, True), [(2, 3, 5)], []),
    "lstm unit": (LSTMUnit(), [(1, 2, 3), (1, 2, 12), (1, 2)], []),
    "lstm": (LSTM(static=True), [(2, 2, 20), (2, 2), (2, 20)], [(20, 5), (2, 5), (2, 5)]),
    "lstm exposed": (LSTM(exposed=True), [(2, 2, 12), (2, 2), (1, 2, 3), (1, 2, 3)], [(12, 3)]),
    "rnn": (RNN(static=True), [(2, 2, 5), (2, 2), (2, 5)], [(5, 5), (5, 5), (5,), (2, 5)]),
    "rnn exposed": (RNN(exposed=True), [(2, 2, 3), (2, 2), (1, 2, 3)], [(3, 3), (3, 3), (3,)]),
}


def block_of(args, memory, tasks, keep):
    """The argument block of a call; arrays that must live as long are appended to `keep`."""
    words, floats = [], {}
    for a in args:
        if isinstance(a, ScratchBlock):
            keep.append(np.zeros(a.nbytes * tasks, np.uint8))
            words += [keep[-1].ctypes.data, a.nbytes]
        elif isinstance(a, float):
            floats[len(words)] = a
            words.append(0)
        else:
            array = memory[a] if isinstance(a, Tensor) else a.array if isinstance(a, Parameter) else a
            words.append(0 if array is None else array.ctypes.data if isinstance(array, np.ndarray) else int(array))
            keep.append(array)
    block = np.array(words, np.int64)
    for at, value in floats.items():
        block[at:at + 1].view(np.float64)[0] = value
    return block


def form_of(name: str) -> Callable[[int, int, int], None]:
    """A kernel as a function of the address of its block, task and tasks."""
    if name.startswith(COMPILED):
        if numba.config.DISABLE_JIT:
            pytest.skip(f"the registers of {name} exist only compiled")
        return ctypes.CFUNCTYPE(None, *[ctypes.c_int64] * 3)(kernel_table.address(name))
    return getattr(importlib.import_module(f"cnml.kernels.{FILES[name]}"), name).py_func


@pytest.mark.parametrize("tasks", [1, 3])
@pytest.mark.parametrize("name", CASES)
def test_by_hand(name, tasks, rng):
    op, shapes, parameter_shapes = CASES[name]
    graph, memory, parameters = Graph(), {}, []
    inputs = [graph.input(s, f"x{i}") for i, s in enumerate(shapes)]
    for t in inputs:
        memory[t] = (rng.integers(-1, 5, t.shape) if op.kind == "Embed" else rng.standard_normal(t.shape)).astype(np.float32)
    for i, s in enumerate(parameter_shapes):
        p = Parameter(s, f"p{i}")
        p.assign(rng.standard_normal(s))
        parameters.append(p)
    want = op.reference([memory[t] for t in inputs], [p.array.copy() for p in parameters])
    outputs = graph.add(op, inputs, parameters)
    for t in outputs:
        memory[t] = np.full(t.shape, 99, np.float32)
    emit = Emitter(graph.nodes[-1])
    op.lower(emit, inputs, outputs)
    keep: list = []
    for call in emit.calls:
        form, block = form_of(call.kernel), block_of(call.args, memory, tasks, keep)
        for task in range(tasks):
            form(block.ctypes.data, task, tasks)
    for t, w in zip(outputs, want, strict=True):
        np.testing.assert_allclose(memory[t], w, rtol=1e-4, atol=1e-5)
