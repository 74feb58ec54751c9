"""The packages onnx and onnxruntime, imported when they are needed."""
from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from pycaffe_acc.errors import MissingExtraError


def onnx_module() -> Any:
    """The package onnx.

    Raises
    ------
    MissingExtraError
    """
    try:
        return importlib.import_module("onnx")
    except ImportError as e:
        raise MissingExtraError("exporting to ONNX needs the package onnx: pip install 'pycaffe-acc[onnx]'") from e


def onnxruntime_module() -> Any | None:
    """The package onnxruntime, or None where it is not installed."""
    return importlib.import_module("onnxruntime") if importlib.util.find_spec("onnxruntime") is not None else None
