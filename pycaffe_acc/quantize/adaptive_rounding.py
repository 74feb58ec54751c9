"""Weights rounded one input at a time, each rounding error made good by the weights that are still free.

To nearest is the best way to round a weight alone, not a row of them: where inputs are correlated, as neighbouring pixels are, errors of one sign add
up. Column by column the codes are fixed, and what a column's rounding does to the outputs of typical inputs is taken back by the later columns
(Frantar et al., "GPTQ", ICLR 2023; in the form with the factors of the covariance itself: Chee et al., "QuIP", NeurIPS 2023, section 3). Codes move
by a few units, and the scales stay.
"""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from cnml.ops.convolution import ConvolutionGeometry
from cnml.quantization import INT8_LIMIT, QuantParam
from pycaffe_acc.quantize.dtype_fields import DT_INT8, read_param
from pycaffe_acc.quantize.observed_net import ObservedNet

#: columns that hear of earlier blocks' errors together
_BLOCK = 128
_POSITIONS = 64  # places of an image that are looked at: neighbours say almost the same
_DAMPING = 0.01  # of the mean variance, added to each
_LEAST = 1e-20  # variance of inputs that never vary
_SHRINKAGE = 0.1  # added to the damping, times inputs over samples: with few samples correlations are mostly chance


class AdaptiveRounding:
    """Collects how the inputs of layers vary together, and rounds the layers' weights.

    Convolutions on images, each group by its own inputs, and inner products take part.

    Parameters
    ----------
    observed : ObservedNet
    layers : mapping of int to LayerParameter
        Quantized, by their places in `observed.layers`.
    centred : bool
        Leave the mean of the inputs out, because biases take its share back (`pycaffe_acc.quantize.bias_correction`).
    """

    def __init__(self, observed: ObservedNet, layers: Mapping[int, Any], centred: bool):
        self._observed, self._layers, self._centred = observed, layers, centred
        self._places = [i for i, layer in layers.items() if _takes_part(layer)]
        self._products: dict[int, np.ndarray] = {}
        self._sums: dict[int, np.ndarray] = {}
        self._samples: dict[int, int] = {}

    def see(self) -> None:
        """Look at the net after a forward."""
        for i in self._places:
            for values in self._observed.bottoms(i):
                samples = self._inputs(i, values)
                if samples is not None:
                    self._products[i] = self._products.get(i, np.float32(0)) + samples.transpose(0, 2, 1) @ samples
                    self._sums[i] = self._sums.get(i, 0.0) + samples.sum(1, dtype=np.float64)
                    self._samples[i] = self._samples.get(i, 0) + samples.shape[1]

    def _inputs(self, index: int, values: np.ndarray) -> np.ndarray | None:
        """(groups, samples, inputs) float32; None for a convolution that is none of images."""
        if self._layers[index].type == "InnerProduct":
            return values.reshape(1, -1, _rows(self._layers[index], self._observed.weights(index)[0]).shape[1])
        if values.ndim != 4:
            return None
        geometry = self._observed.engine(index).geometry(values.shape)
        if geometry.axis != 1:
            return None
        rows = patches(values, geometry, _POSITIONS)
        return np.ascontiguousarray(rows.reshape(len(rows), geometry.group, -1).transpose(1, 0, 2))

    def result(self) -> dict[int, np.ndarray]:
        """Weights that are codes times their unit, in the shape of blob 0, by the layer's place."""
        rounded = {}
        for i, products in self._products.items():
            layer, weights = self._layers[i], self._observed.weights(i)[0]
            covariances = products / np.float32(self._samples[i])
            if self._centred:
                mean = (self._sums[i] / self._samples[i]).astype(np.float32)
                covariances -= mean[:, :, None] * mean[:, None, :]
            param = read_param(layer.blobs_dtype[0], f"layer '{layer.name}': blobs_dtype 0")
            if param is None:
                continue
            rows = _rows(layer, weights)
            parts = zip(np.split(rows, len(covariances)), np.split(units(param, len(rows)), len(covariances)), covariances, strict=True)
            done = np.concatenate([round_rows(part, unit, covariance, self._samples[i]) for part, unit, covariance in parts])
            rounded[i] = np.ascontiguousarray(done.T if _transposed(layer) else done).reshape(weights.shape)
        return rounded


def units(param: QuantParam, rows: int) -> np.ndarray:
    """What a code is worth, row by row: (rows,) float32."""
    unit = np.ldexp(1 / np.asarray(param.scale, np.float32).astype(np.float64), param.position)
    return np.array(np.broadcast_to(unit, (rows,)), np.float32)


def round_rows(rows: np.ndarray, unit: np.ndarray, covariance: np.ndarray, samples: int) -> np.ndarray:
    """Round a matrix.

    Parameters
    ----------
    rows : (O, K) float32
        One row an output.
    unit : (O,) float32
    covariance : (K, K) float32
        Of the inputs.
    samples : int
        From how many it was found.

    Returns
    -------
    (O, K) float32
        Multiples of the units. Zeros stay zeros, since sparse kernels leave them out.
    """
    inputs, variances = rows.shape[1], np.diag(covariance)
    order = np.argsort(-variances, kind="stable")  # the inputs that vary most first: their errors have most others to make them good
    damped = covariance[np.ix_(order, order)]
    damped[np.diag_indices(inputs)] += max(float(variances.mean()), _LEAST) * (_DAMPING + _SHRINKAGE * inputs / samples)
    triangle = np.linalg.cholesky(damped[::-1, ::-1])[::-1, ::-1]  # upper: damped = triangle triangle^T
    feedback = triangle / np.diag(triangle)
    wanted, rounded = rows[:, order], np.empty_like(rows)
    errors = np.zeros_like(rows)
    for start in range(0, inputs, _BLOCK):
        end = min(start + _BLOCK, inputs)
        shifted = wanted[:, start:end] + errors[:, :start] @ feedback[:start, start:end]
        for k in range(start, end):
            target = shifted[:, k - start] + errors[:, start:k] @ feedback[start:k, k]
            done = np.where(wanted[:, k] == 0, np.float32(0), np.clip(np.rint(target / unit), -INT8_LIMIT, INT8_LIMIT) * unit)
            errors[:, k] = wanted[:, k] - done
            rounded[:, order[k]] = done
    return rounded


def patches(values: np.ndarray, geometry: ConvolutionGeometry, most: int) -> np.ndarray:
    """What a convolution multiplies its weights with, at evenly spread places.

    Parameters
    ----------
    values : (N, C, H, W) float32
    geometry : ConvolutionGeometry
    most : int
        Places in an image.

    Returns
    -------
    (N * places, C * KH * KW) float32
    """
    (kh, kw), (sh, sw), (dh, dw) = geometry.kernel, geometry.stride, geometry.dilation
    padded = np.pad(values, ((0, 0), (0, 0), *zip(geometry.pad, geometry.pad_end, strict=True)))
    views = np.lib.stride_tricks.sliding_window_view(padded, (dh * (kh - 1) + 1, dw * (kw - 1) + 1), axis=(2, 3))[:, :, ::sh, ::sw, ::dh, ::dw]
    n, c, oh, ow = views.shape[:4]
    places = ((np.arange(min(most, oh * ow)) + 0.5) * (oh * ow / min(most, oh * ow))).astype(np.int64)
    chosen = views[:, :, places // ow, places % ow]
    return np.ascontiguousarray(chosen.transpose(0, 2, 1, 3, 4)).reshape(n * len(places), c * kh * kw)


def _takes_part(layer: Any) -> bool:
    """Whether a layer's weights are its own, in INT8, and of a kind that the inputs are known for."""
    return bool(layer.type in ("Convolution", "InnerProduct") and layer.blobs_dtype and layer.blobs_dtype[0].type == DT_INT8
                and not any(spec.name for spec in layer.param))


def _transposed(layer: Any) -> bool:
    return layer.type == "InnerProduct" and bool(layer.inner_product_param.transpose)


def _rows(layer: Any, weights: np.ndarray) -> np.ndarray:
    """(outputs, inputs)."""
    return weights.T if _transposed(layer) else weights.reshape(len(weights), -1)
