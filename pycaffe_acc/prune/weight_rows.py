"""Weights as rows: one row an output, neighbouring input channels at one kernel position beside each other."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pycaffe_acc.quantize.adaptive_rounding import patches

_POSITIONS = 64  # places of an image that are looked at: neighbours say almost the same


@dataclass(frozen=True)
class WeightRows:
    """How blob 0 of a Convolution or InnerProduct layer becomes rows, and what it multiplies.

    Attributes
    ----------
    shape : tuple of int
        Of the blob.
    group : int
    transposed : bool
        An InnerProduct whose blob has one column an output.
    """

    shape: tuple[int, ...]
    group: int
    transposed: bool

    @staticmethod
    def of(layer: Any, shape: tuple[int, ...]) -> WeightRows:
        """For a layer's message and its blob's shape."""
        if layer.type == "InnerProduct":
            return WeightRows(shape, 1, bool(layer.inner_product_param.transpose))
        return WeightRows(shape, int(layer.convolution_param.group), False)

    @property
    def channels(self) -> int:
        """Input channels of a group."""
        return self.shape[0] if self.transposed else self.shape[1]

    @property
    def places(self) -> int:
        """Kernel positions."""
        return 1 if len(self.shape) < 3 else int(np.prod(self.shape[2:]))

    @property
    def columns(self) -> int:
        """Inputs of an output: kernel positions times channels, in that order."""
        return self.channels * self.places

    def rows(self, weights: np.ndarray) -> np.ndarray:
        """(groups, outputs of a group, columns), a copy."""
        plain = weights.T if self.transposed else weights
        parts = plain.reshape(self.group, -1, self.channels, self.places)
        return np.ascontiguousarray(parts.transpose(0, 1, 3, 2)).reshape(self.group, -1, self.columns)

    def weights(self, rows: np.ndarray) -> np.ndarray:
        """What `rows` was made of: the blob's shape, float32."""
        parts = rows.reshape(self.group, -1, self.places, self.channels).transpose(0, 1, 3, 2)
        plain = parts.reshape(-1, self.columns) if self.transposed else parts.reshape(self.shape)
        return np.ascontiguousarray(plain.T if self.transposed else plain, np.float32)

    def inputs(self, engine: Any, values: np.ndarray) -> np.ndarray:
        """What the rows are multiplied with, at evenly spread places of each image.

        Parameters
        ----------
        engine : pycaffe_acc.layer.Layer
        values : ndarray of float32
            A bottom of the layer.

        Returns
        -------
        (groups, samples, columns) float32
        """
        if len(self.shape) < 3:
            return values.reshape(1, -1, self.columns)
        found = patches(values, engine.geometry(values.shape), _POSITIONS).reshape(-1, self.group, self.channels, self.places)
        return np.ascontiguousarray(found.transpose(1, 0, 3, 2)).reshape(self.group, -1, self.columns)
