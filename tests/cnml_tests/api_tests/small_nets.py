"""Handles for the tests of operators and chains."""
from __future__ import annotations

from typing import Any

import numpy as np

from cnml import api
from cnml.api.enums import DataOrder, DataType, SparseMode, TensorType


def tensor(shape: tuple[int, ...], dtype: DataType = DataType.FLOAT32) -> Any:
    """A device tensor."""
    return api.cnmlCreateTensor(TensorType.TENSOR, dtype, *shape)


def host(shape: tuple[int, ...]) -> Any:
    """A float32 host tensor in Caffe's order."""
    return api.cnmlCreateCpuTensor(TensorType.TENSOR, DataType.FLOAT32, DataOrder.NCHW, *shape)


def constant(values: np.ndarray, dtype: DataType = DataType.FLOAT32, kind: TensorType = TensorType.CONST) -> Any:
    """A device tensor with data."""
    made = api.cnmlCreateTensor(kind, dtype, *values.shape)
    api.cnmlBindConstData(made, host(values.shape), np.ascontiguousarray(values, np.float32))
    return made


def loaded(t: Any, values: np.ndarray, parallel: int = 1) -> Any:
    """Device memory with values."""
    memory = api.cnmlMallocBatchBuffer(t, parallel)
    api.cnmlMemcpyBatchTensorToDevice(host(t.shape), np.ascontiguousarray(values, np.float32), t, memory, parallel)
    return memory


def read(t: Any, memory: Any, parallel: int = 1) -> np.ndarray:
    """Values in device memory."""
    out = np.zeros((parallel, *t.shape) if parallel > 1 else t.shape, np.float32)
    api.cnmlMemcpyBatchTensorToHost(t, memory, host(t.shape), out, parallel)
    return out


def conv_param(stride: int = 1, pad: int = 0) -> Any:
    """A ConvOpParam; `pad` is the sum of both sides."""
    return api.cnmlCreateConvOpParam(stride, stride, 1, 1, pad, pad, SparseMode.NO_SPARSE)
