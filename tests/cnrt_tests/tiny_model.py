"""A model of one function, y = relu(x + w) with a step in between, from kernels registered for the test."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from cnml.jit import kernel_cfunc
from cnml.kernels.argblock import f32_at, word
from cnrt import Constant, Function, Instruction, Scratch, get, kernel_table
from cnrt.data_desc import TensorSpec
from cnrt.enums import DataType, DimOrder
from cnrt.model import Model, ModelFunction

SHAPE = (1, 3, 2, 5)
WEIGHTS = np.linspace(-2, 2, 30).astype(np.float32)


def add(args, task_id, task_dim):
    """z = x + w through the task's own working memory."""
    n = word(args, 3)
    x, w, z = f32_at(word(args, 0), n), f32_at(word(args, 1), n), f32_at(word(args, 2), n)
    work = f32_at(word(args, 4) + task_id * word(args, 5), n)
    for i in range(n * task_id // task_dim, n * (task_id + 1) // task_dim):
        work[i] = x[i] + w[i]
        z[i] = work[i]


def relu(args, task_id, task_dim):
    """y = max(x, 0)."""
    n = word(args, 2)
    x, y = f32_at(word(args, 0), n), f32_at(word(args, 1), n)
    for i in range(n * task_id // task_dim, n * (task_id + 1) // task_dim):
        y[i] = max(x[i], np.float32(0))


_addresses: dict[str, int] = {}


@contextmanager
def kernels() -> Iterator[None]:
    """Register `tiny_add` and `tiny_relu`."""
    for name, function in (("tiny_add", add), ("tiny_relu", relu)):
        if name not in _addresses:
            _addresses[name] = kernel_cfunc(function)
        kernel_table.register(name, lambda name=name: _addresses[name])
    try:
        yield
    finally:
        kernel_table.unregister("tiny_add")
        kernel_table.unregister("tiny_relu")


def model(model_parallelism: int = 1, stack_mb: int = 1) -> Model:
    """The model; its weights have the device's order NHWC."""
    host = get("host")
    x, between, y = (host.malloc(120) for _ in range(3))
    f = Function("subnet0", [Instruction("tiny_add", (x, Constant(WEIGHTS), between, 30, Scratch(120))), Instruction("tiny_relu", (between, y, 30))])
    spec = TensorSpec("data", SHAPE, DataType.FLOAT32, DimOrder.NHWC)
    captured = ModelFunction.capture(f, [(spec, x)], [(TensorSpec("prob", SHAPE, DataType.FLOAT32, DimOrder.NHWC), y)])
    return Model.of([captured], model_parallelism, stack_mb)


def expected(x: np.ndarray) -> np.ndarray:
    """For NCHW input of any batch."""
    w = WEIGHTS.reshape(1, 2, 5, 3).transpose(0, 3, 1, 2)
    return np.maximum(x + w, 0)
