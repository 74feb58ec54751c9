"""Kernels of the fork operators on guarded memory: the calls that an operator lowers to, walked by hand, must not touch a byte outside their outputs.

Compiled, or in their Python form under NUMBA_DISABLE_JIT=1, where coverage sees every line.
"""
from __future__ import annotations

import importlib
import os

import numpy as np
import pytest
from cnml_tests.compiled import Nhwc
from cnml_tests.kernel_run import KERNEL, Guarded, words

from cnml.emitter import Emitter, ScratchBlock
from cnml.graph import Graph
from cnml.kernels import find
from cnml.kernels.nms import suppress
from cnml.ops.arithmetic import Arithmetic, Axpy, ChannelArithmetic
from cnml.ops.channel_affine import ChannelAffine
from cnml.ops.crelu import CRelu
from cnml.ops.hard_swish import HardSwish
from cnml.ops.interp import Interp, InterpSize
from cnml.ops.normalize import Normalize
from cnml.ops.pad import Pad
from cnml.ops.permute import Permute
from cnml.ops.pool import Pool
from cnml.ops.position_scale import PositionScale
from cnml.ops.prior_box import PriorBox
from cnml.ops.reverse import Reverse
from cnml.ops.roi import PsRoiPooling, RoiAlign, RoiMaxPooling
from cnml.ops.shuffle_channel import ShuffleChannel
from cnml.ops.sqrt import Sqrt
from cnml.ops.unpooling import UnPooling, UnPoolingWindow
from cnml.ops.upsample import UpsampleMask, UpsampleNearest
from cnml.parameter import Parameter
from cnml.reference.nms import nms
from cnml.reference.prior_box import PriorBoxOptions
from cnml.tensor import Layout, Tensor

PYTHON = os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0")
FILES = ("arithmetic_f32", "channel_affine_f32", "crelu_f32", "hard_swish_f32", "normalize_f32", "pad_f32", "permute_x32", "pool_mask_f32",
         "position_scale_f32",
         "resample_f32", "reverse_x32", "roi_f32", "sqrt_f32", "transpose_x32", "upsample_mask_f32")
X, ROIS = (2, 3, 4, 5), np.array([[0, 0, 0, 7, 3], [1, 2, -4, 40, 2], [1, 90, 90, 95, 95]])
MASK = np.arange(120).reshape(X) % 50 - 2
CASES = {
    **{f: (Arithmetic(f), [X, X], []) for f in ("add", "sub", "mul")},
    **{f"channel {f}": (ChannelArithmetic(f), [X, (1, 3, 1, 1)], []) for f in ("add", "sub", "mul")},
    "axpy": (Axpy(), [(2, 3), X, X], []),
    "affine": (ChannelAffine(), [X], [(3,), (3,)]),
    "crelu": (CRelu(1, 0.5), [X], []),
    "crelu batch": (CRelu(0, 0.5), [X], []),
    "hard swish": (HardSwish(), [X], []),
    "sqrt": (Sqrt(), [X], []),
    "normalize position": (Normalize(False), [X], [(3,)]),
    "normalize image": (Normalize(True), [X], [(3,)]),
    "normalize one scale": (Normalize(True), [X], [()]),
    "normalize position one scale": (Normalize(False), [X], [()]),
    "pad": (Pad((0, 1, 2, 0), (0, 0, 1, 3)), [X], []),
    "crop": (Pad((0, 0, -1, -2), (0, 0, -1, 1)), [X], []),
    "permute rows": (Permute((0, 2, 1, 3)), [X], []),
    "permute tiles": (Permute((3, 2, 1, 0)), [X], []),
    "permute gather": (Permute((2, 3, 0, 1, 4)), [(2, 3, 2, 3, 2)], []),
    "permute strided": (Permute((3, 1, 0, 2)), [X], []),
    "shuffle": (ShuffleChannel(3), [(2, 6, 2, 2)], []),
    "pool mask": (Pool("MAX", (3, 2), (2, 1), (1, 0), mask=True), [X], []),
    "position scale": (PositionScale(np.arange(20).reshape(4, 5)), [X], []),
    "prior box": (PriorBox(PriorBoxOptions((2.0,), (4.0,), (1.0, 2.0))), [X, X], []),
    "interp": (Interp(InterpSize(7, 3)), [X], []),
    "interp one row": (Interp(InterpSize(1, 9)), [X], []),
    "nearest": (UpsampleNearest(scale_h=2, scale_w=3), [X], []),
    "unpool rep": (UnPooling("REP", UnPoolingWindow((3, 2), (2, 3), (1, 0))), [X], []),
    "unpool fixed": (UnPooling("FIXED", UnPoolingWindow((3, 3), (2, 2))), [X], []),
    "upsample mask": (UpsampleMask(6, 7), [X, MASK], []),
    **{f"reverse {a}": (Reverse(a), [X], []) for a in range(4)},
    "roi": (RoiMaxPooling(0.5, (3, 2)), [X, ROIS], []),
    "roi align": (RoiAlign(0.5, (3, 2), 2), [X, ROIS], []),
    "psroi": (PsRoiPooling(0.5, 2, 2), [(2, 8, 4, 5), ROIS], []),
    "transpose": (Nhwc(), [X], []),
    "transpose pages": (Nhwc(), [(1, 17, 16, 16)], []),
}


def lowered(op, inputs, parameters, layout):
    """The calls of an operator and its tensors, as the compiler would lay them out."""
    graph = Graph()
    sources = [graph.input(np.shape(v), f"x{i}") for i, v in enumerate(inputs)]
    outs = graph.add(op, sources, parameters)
    node = graph.nodes[-1]
    given = [layout if len(t.shape) == 4 else Layout.PLAIN for t in sources]
    wanted, results = op.choose_layouts(given, [t.shape for t in sources])
    for t, w in zip(sources, wanted, strict=True):
        t.layout = w if len(t.shape) == 4 else Layout.PLAIN
    for i, t in enumerate(outs):
        t.layout = (results[i] if len(results) > 1 else results[0]) if len(t.shape) == 4 else Layout.PLAIN
    emit = Emitter(node)
    op.lower(emit, sources, outs)
    return emit.calls, sources, outs


def stored(value, tensor):
    """A logical array in the order of its tensor's memory."""
    return value.transpose(0, 2, 3, 1) if tensor.layout is Layout.NHWC else value


def run_kernel(name, block, tasks):
    """Every task, the last first."""
    if PYTHON:
        function = next(v for f in FILES for v in vars(importlib.import_module(f"cnml.kernels.{f}")).values()
                        if getattr(v, "kernel_name", "") == name)
    else:
        function = KERNEL(find(name)())
    for task in reversed(range(tasks)):
        function(block.ctypes.data, task, tasks)


@pytest.mark.parametrize("layout", list(Layout))
@pytest.mark.parametrize("tasks", [1, 3])
@pytest.mark.parametrize("case", CASES)
def test_stays_inside_its_outputs(case, tasks, layout, rng):
    op, inputs, shapes = CASES[case]
    values = [np.abs(rng.standard_normal(v)).astype(np.float32) if isinstance(v, tuple) else np.asarray(v, np.float32) for v in inputs]
    parameters = [Parameter(s) for s in shapes]
    for p in parameters:
        p.assign(rng.standard_normal(p.shape))
    with np.errstate(all="ignore"):
        want = op.reference(values, [p.array for p in parameters])
    calls, sources, outs = lowered(op, values, parameters, layout)
    memory = {t: Guarded(t.stored_shape, stored(v, t)) for t, v in zip(sources, values, strict=True)} | {t: Guarded(t.stored_shape) for t in outs}
    for call in calls:
        args: list[object] = []
        for a in call.args:
            if isinstance(a, ScratchBlock):
                args += [np.zeros(a.nbytes * tasks, np.uint8), a.nbytes]
            else:
                args.append(memory[a] if isinstance(a, Tensor) else a.array if isinstance(a, Parameter) else a)
        run_kernel(call.kernel, words(*args), tasks)
    for guarded in memory.values():
        guarded.check()
    if op.view:
        return
    for t, w in zip(outs, want, strict=True):
        np.testing.assert_allclose(memory[t].array, stored(np.asarray(w, np.float32), t), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("limit", [-1, 2])
def test_suppression_in_python_form(limit, rng):
    boxes = rng.random((20, 4)).astype(np.float32)
    boxes[:, 2:] += boxes[:, :2] - np.float32(0.05)
    order, kept = np.argsort(rng.random(20)), np.empty(20, np.int64)
    plain = getattr(suppress, "py_func", suppress)
    count = plain(boxes, order, np.float32(0.7), np.float32(0.9), np.float32(0), 20 if limit < 0 else limit, kept)
    np.testing.assert_array_equal(kept[:count], nms(boxes, order, 0.7, eta=0.9, limit=limit))
