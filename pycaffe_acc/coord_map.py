"""Where the pixels of one top of a net specification lie in another one, and the Crop layer that aligns them.

A map is (axis, a, b): coordinate x of a bottom is coordinate a * x + b of the top. `axis` is the first axis it applies to, None for all; a and b are
scalars or one value for each spatial axis.
"""
from __future__ import annotations

from typing import Any

import numpy as np

from pycaffe_acc.errors import CheckError
from pycaffe_acc.net_spec import Top, layers

Map = tuple[Any, Any, Any]

#: types that leave coordinates alone
PASS_THROUGH_LAYERS = [
    "AbsVal", "BatchNorm", "Bias", "BNLL", "Clip", "Dropout", "ELU", "Eltwise", "Exp", "LRN", "Log", "MVN", "PReLU", "Power", "ReLU", "Scale",
    "Sigmoid", "Split", "Swish", "TanH", "Threshold",
]
_BY_SIDE = ("kernel_h", "kernel_w", "pad_h", "pad_w", "stride_h", "stride_w")


class UndefinedMapException(Exception):
    """A layer type that has no coordinate map."""


class AxisMismatchException(Exception):
    """Two maps that apply to different axes."""


class CropMapError(CheckError, AssertionError):
    """Tops that a Crop layer cannot align (pycaffe raises AssertionError, so this is one too)."""


def conv_params(fn: Any) -> tuple[int, np.ndarray, np.ndarray, np.ndarray]:
    """First axis, stride, extent of the dilated kernel, and pad of a Convolution, Deconvolution, Pooling or Im2col.

    Raises
    ------
    CropMapError
        When the sides are given one by one (kernel_h …), or there is no kernel_size.
    """
    params = fn.params.get("convolution_param", fn.params.get("pooling_param", fn.params))
    by_side = sorted(set(_BY_SIDE) & (set(fn.params) | set(params)))
    if by_side:
        raise CropMapError(f"cropping does not support the legacy parameters {', '.join(by_side)} ({fn.type_name} layer); write kernel_size=[h, w] "
                           "and so on")
    if "kernel_size" not in params:
        raise CropMapError(f"a {fn.type_name} layer without kernel_size has no coordinate map")
    kernel, dilation = (np.array(v, ndmin=1) for v in (params["kernel_size"], params.get("dilation", 1)))
    return params.get("axis", 1), np.array(params.get("stride", 1), ndmin=1), (kernel - 1) * dilation + 1, np.array(params.get("pad", 0), ndmin=1)


def crop_params(fn: Any) -> tuple[int, np.ndarray]:
    """Axis and offset of a Crop."""
    params = fn.params.get("crop_param", fn.params)
    return params.get("axis", 2), np.array(params.get("offset", 0), ndmin=1)


def coord_map(fn: Any) -> Map:
    """The map from a layer's bottom to its top.

    Parameters
    ----------
    fn : pycaffe_acc.net_spec.Function

    Returns
    -------
    (axis, a, b)

    Raises
    ------
    UndefinedMapException
        For types without one.
    """
    if fn.type_name in ("Convolution", "Pooling", "Im2col"):
        axis, stride, kernel, pad = conv_params(fn)
        return axis, 1 / stride, (pad - (kernel - 1) / 2) / stride
    if fn.type_name == "Deconvolution":
        axis, stride, kernel, pad = conv_params(fn)
        return axis, stride, (kernel - 1) / 2 - pad
    if fn.type_name in PASS_THROUGH_LAYERS:
        return None, 1, 0
    if fn.type_name == "Crop":
        axis, offset = crop_params(fn)
        return axis - 1, 1, -offset
    raise UndefinedMapException(f"layer type {fn.type_name} has no coordinate map")


def compose(base_map: Map, next_map: Map) -> Map:
    """The map that applies `next_map`, then `base_map`.

    Raises
    ------
    AxisMismatchException
    """
    ax1, a1, b1 = base_map
    ax2, a2, b2 = next_map
    if ax1 is not None and ax2 is not None and ax1 != ax2:
        raise AxisMismatchException(f"one map applies from axis {ax1} on, the other from axis {ax2}")
    return ax2 if ax1 is None else ax1, a1 * a2, a1 * b2 + b1


def inverse(coord_map: Map) -> Map:
    """The map in the other direction."""
    ax, a, b = coord_map
    return ax, 1 / a, -b / a


def _bottoms(top: Top) -> tuple[Top, ...]:
    # the second bottom of a Crop gives only the size
    return tuple(top.fn.inputs[:1] if top.fn.type_name == "Crop" else top.fn.inputs)


def _maps_below(start: Top, stop_at: dict[Top, Map] | None = None) -> tuple[dict[Top, Map], Top | None]:
    """Maps from `start` to the tops below it, and the first of them that is in `stop_at`."""
    maps: dict[Top, Map] = {start: (None, 1, 0)}
    frontier = [start]
    while frontier:
        top = frontier.pop()
        if stop_at is not None and top in stop_at:
            return maps, top
        try:
            for bottom in _bottoms(top):
                maps[bottom] = compose(maps[top], coord_map(top.fn))
                frontier.append(bottom)
        except UndefinedMapException:
            # nothing is known below this layer; other branches may still lead on
            continue
    return maps, None


def coord_map_from_to(top_from: Top, top_to: Top) -> Map:
    """The map from coordinates of one top to those of another one that has a common ancestor with it.

    Parameters
    ----------
    top_from, top_to : Top

    Returns
    -------
    (axis, a, b)

    Raises
    ------
    CaffeError
        (a RuntimeError) when no path of layers with maps connects them.
    AxisMismatchException
    """
    from_maps, _ = _maps_below(top_from)
    to_maps, common = _maps_below(top_to, from_maps)
    if common is None:
        raise CheckError("Could not compute map between tops; are they connected by spatial layers?")
    return compose(to_maps[common], inverse(from_maps[common]))


def crop(top_from: Top, top_to: Top) -> Top:
    """A Crop layer that cuts `top_from` to the pixels that `top_to` covers.

    Parameters
    ----------
    top_from, top_to : Top

    Returns
    -------
    Top

    Raises
    ------
    CropMapError
        When the scales differ, or the offset is negative or no whole number.
    """
    axis, a, b = coord_map_from_to(top_from, top_to)
    if not np.all(np.equal(a, 1)):
        raise CropMapError(f"scale mismatch on crop (a = {a}): one top is a shrunk version of the other; a Deconvolution must bring them to one "
                           "scale first")
    if not np.all(np.less_equal(b, 0)):
        raise CropMapError(f"cannot crop negative offset (b = {b}): the first top begins inside the second one; pad more below it")
    if not np.all(np.equal(np.round(b), b)):
        raise CropMapError(f"cannot crop noninteger offset (b = {b}): the two tops are shifted by a part of a pixel; change kernel sizes or pads")
    offset = [int(v) for v in np.atleast_1d(-np.round(b))]
    top: Top = layers.Crop(top_from, top_to, crop_param={"axis": axis + 1, "offset": offset})
    return top
