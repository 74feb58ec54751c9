"""Initial values of parameter blobs."""
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pycaffe_acc.errors import CheckError

_generator = np.random.default_rng()


def set_random_seed(seed: int) -> None:
    """Seed everything random in this package: fillers, DummyData, mirroring, shuffling."""
    global _generator
    _generator = np.random.default_rng(int(seed))


def generator() -> np.random.Generator:
    """The package's random generator."""
    return _generator


def _fan(message: Any, shape: tuple[int, ...]) -> float:
    n = int(np.prod(shape, dtype=np.int64))
    fan_in = n / shape[0] if shape else 1.0
    fan_out = n / shape[1] if len(shape) > 1 else float(n)
    mode = message.variance_norm
    return {0: fan_in, 1: fan_out}.get(mode, (fan_in + fan_out) / 2)


def _constant(message: Any, shape: tuple[int, ...]) -> np.ndarray:
    return np.full(shape, message.value, np.float32)


def _uniform(message: Any, shape: tuple[int, ...]) -> np.ndarray:
    return _generator.uniform(message.min, message.max, shape).astype(np.float32)


def _gaussian(message: Any, shape: tuple[int, ...]) -> np.ndarray:
    values = _generator.normal(message.mean, message.std, shape).astype(np.float32)
    if message.sparse >= 0:
        outputs = shape[0] if shape else 1
        keep = _generator.random(shape) < min(1.0, message.sparse / max(outputs, 1))
        values = values * keep
    return values


def _positive_unitball(message: Any, shape: tuple[int, ...]) -> np.ndarray:
    values = _generator.random(shape).astype(np.float32)
    rows = values.reshape(shape[0] if shape else 1, -1)
    return (rows / rows.sum(axis=1, keepdims=True)).reshape(shape)


def _xavier(message: Any, shape: tuple[int, ...]) -> np.ndarray:
    scale = np.sqrt(3.0 / _fan(message, shape))
    return _generator.uniform(-scale, scale, shape).astype(np.float32)


def _msra(message: Any, shape: tuple[int, ...]) -> np.ndarray:
    return _generator.normal(0.0, np.sqrt(2.0 / _fan(message, shape)), shape).astype(np.float32)


def _bilinear(message: Any, shape: tuple[int, ...]) -> np.ndarray:
    if len(shape) != 4 or shape[2] != shape[3]:
        raise CheckError(f"filler 'bilinear' on a blob of shape {shape}: it needs four axes and a square kernel")
    k = shape[3]
    f = np.ceil(k / 2.0)
    c = (k - 1) / (2 * f)
    line = 1 - np.abs(np.arange(k) / f - c)
    return np.broadcast_to(np.outer(line, line), shape).astype(np.float32)


FILLERS: dict[str, Callable[[Any, tuple[int, ...]], np.ndarray]] = {
    "constant": _constant, "uniform": _uniform, "gaussian": _gaussian, "positive_unitball": _positive_unitball, "xavier": _xavier, "msra": _msra,
    "bilinear": _bilinear,
}


def fill(message: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Values for a new parameter blob.

    Parameters
    ----------
    message : FillerParameter
    shape : tuple of int

    Returns
    -------
    float32 ndarray of `shape`

    Raises
    ------
    CheckError
        For a filler type Caffe does not have.
    """
    make = FILLERS.get(message.type)
    if make is None:
        raise CheckError(f"unknown filler type '{message.type}': Caffe has {', '.join(sorted(FILLERS))}")
    return make(message, tuple(shape))
