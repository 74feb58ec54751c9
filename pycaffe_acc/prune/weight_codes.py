"""Ranges of quantized weights that pruning has moved."""
from __future__ import annotations

from typing import Any

import numpy as np

from cnml.quantization import QuantParam
from pycaffe_acc.quantize.dtype_fields import LIMITS, read_param, write_param
from pycaffe_acc.quantize.value_range import reach
from pycaffe_acc.quantize.weight_ranges import absmax_weights

_ROUNDING = 0.5  # of a code: what is rounded to the largest one fits


def widen_weight_range(layer: Any, weights: np.ndarray) -> bool:
    """Write new ranges of weights into the message of a quantized layer if the weights reach further than its own.

    Parameters
    ----------
    layer : LayerParameter
        Convolution or InnerProduct; one without INT8 or INT16 weights stays as it is.
    weights : ndarray of float32
        Blob 0.

    Returns
    -------
    bool
        Whether ranges were written: of the same kind, one or one per output channel, with or without scales.
    """
    param = read_param(layer.blobs_dtype[0], f"layer '{layer.name}' ({layer.type}): blobs_dtype 0") if layer.blobs_dtype else None
    if param is None or not weights.any():
        return False
    field = layer.blobs_dtype[0]
    limit = LIMITS[field.type]
    each = isinstance(param.position, tuple) or isinstance(param.scale, tuple)
    axis = 1 if layer.type == "InnerProduct" and layer.inner_product_param.transpose else 0
    largest = np.abs(weights).max(axis=tuple(a for a in range(weights.ndim) if a != axis) if each else None)
    if (largest <= reach(param, limit) * (1 + _ROUNDING / limit)).all():
        return False
    fitted, dtype, scaled = absmax_weights(weights, axis if each else None, limit), field.type, bool(field.scale)
    write_param(field, fitted if scaled else QuantParam(fitted.position, 1.0), dtype, scaled)
    return True
