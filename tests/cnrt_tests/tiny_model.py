"""A model of one function, y = relu(x + w) with a step in between, in a language and from kernels registered for the test."""
from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from cnml.jit import kernel_cfunc
from cnml.kernels.argblock import f32_at, word
from cnrt import Constant, Function, Instruction, Scratch, get, kernel_table, program_table
from cnrt.data_desc import TensorSpec
from cnrt.enums import DataType, DimOrder
from cnrt.model import Model, ModelFunction
from cnrt.program import Program

LANGUAGE = "tiny"
SHAPE = (1, 3, 2, 5)
DATA = TensorSpec("data", SHAPE, DataType.FLOAT32, DimOrder.NHWC)
PROB = TensorSpec("prob", SHAPE, DataType.FLOAT32, DimOrder.NHWC)
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
    """Register `tiny_add` and `tiny_relu`, and the language of the program."""
    for name, function in (("tiny_add", add), ("tiny_relu", relu)):
        if name not in _addresses:
            _addresses[name] = kernel_cfunc(function)
        kernel_table.register(name, lambda name=name: _addresses[name])
    program_table.register(LANGUAGE, lower)
    try:
        yield
    finally:
        kernel_table.unregister("tiny_add")
        kernel_table.unregister("tiny_relu")
        program_table.unregister(LANGUAGE)


def lower(program: Program) -> ModelFunction:
    """The loader of the language: the body names the number of elements."""
    n, weights = program.body["n"], np.array(program.constants[0])
    host = get("host")
    x, between, y = (host.malloc(4 * n) for _ in range(3))
    add_call = Instruction("tiny_add", (x, Constant(weights), between, n, Scratch(4 * n)))
    f = Function(program.name, [add_call, Instruction("tiny_relu", (between, y, n))])
    return ModelFunction.capture(f, [(DATA, x)], [(PROB, y)])


def program(name: str = "subnet0") -> Program:
    """The program; its weights have the device's order NHWC."""
    return Program(name, LANGUAGE, {"n": 30}, (WEIGHTS,), (DATA,), (PROB,))


def model(model_parallelism: int = 1, stack_mb: int = 1) -> Model:
    """The model."""
    return Model.of([program()], model_parallelism, stack_mb)


def expected(x: np.ndarray) -> np.ndarray:
    """For NCHW input of any batch."""
    w = WEIGHTS.reshape(1, 2, 5, 3).transpose(0, 3, 1, 2)
    return np.maximum(x + w, 0)
