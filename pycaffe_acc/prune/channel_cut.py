"""Cutting channels out of a net: fewer outputs in the description, smaller blobs."""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pycaffe_acc.prune.channel_spaces import Space
from pycaffe_acc.prune.weight_rows import WeightRows
from pycaffe_acc.quantize.dtype_fields import LIMITS


class ChannelCut:
    """Which channels stay, seen from each layer.

    Parameters
    ----------
    spaces : sequence of Space
    keep : mapping of int to (channels,) bool
        By the spaces' places in `spaces`; others stay whole.
    """

    def __init__(self, spaces: Sequence[Space], keep: Mapping[int, np.ndarray]):
        self.outputs: dict[int, np.ndarray] = {}
        self.inputs: dict[int, np.ndarray] = {}
        self.own: dict[int, np.ndarray] = {}
        for table, pieces in ((self.inputs, [s.readers for s in spaces]), (self.own, [s.followers for s in spaces])):
            found: dict[int, dict[int, np.ndarray]] = {}
            for k, (space, at) in enumerate(zip(spaces, pieces, strict=True)):
                for place, begin in at:
                    found.setdefault(place, {})[begin] = keep.get(k, np.ones(space.size, bool))
            for place, parts in found.items():
                table[place] = np.concatenate([parts[begin] for begin in sorted(parts)])
        for k, mask in keep.items():
            for place in spaces[k].makers:
                self.outputs[place] = mask

    def places(self) -> set[int]:
        """Layers whose parameters change."""
        return {place for table in (self.outputs, self.inputs, self.own) for place, mask in table.items() if not mask.all()}

    def column_mask(self, place: int, view: WeightRows) -> np.ndarray:
        """The inputs of a reader that stay: (columns,) bool in the order of `WeightRows`."""
        mask = self.inputs.get(place)
        if mask is None:
            return np.ones(view.columns, bool)
        if view.places > 1:
            return np.tile(mask, view.places)
        return np.repeat(mask, view.columns // len(mask))

    def blobs(self, place: int, layer: Any, blobs: Sequence[np.ndarray]) -> list[np.ndarray]:
        """A layer's blobs without what was cut: new arrays."""
        if place in self.own:
            mask = self.own[place]
            return [b[mask].copy() if b.shape[:1] == mask.shape else b.copy() for b in blobs]
        view = WeightRows.of(layer, blobs[0].shape)
        rows = view.rows(blobs[0])[0]
        outputs = self.outputs.get(place, np.ones(len(rows), bool))
        rows = rows[outputs][:, self.column_mask(place, view)]
        if len(view.shape) > 2:
            shape = (len(rows), rows.shape[1] // view.places, *view.shape[2:])
        else:
            shape = rows.shape[::-1] if view.transposed else rows.shape
        smaller = WeightRows(shape, 1, view.transposed)
        return [smaller.weights(rows), *(b[..., outputs].copy() for b in blobs[1:])]

    def describe(self, place: int, layer: Any) -> None:
        """Change a layer's message: fewer outputs, fewer groups of a depthwise convolution, ranges of the outputs that stay."""
        if layer.type == "InnerProduct" and place in self.outputs:
            layer.inner_product_param.num_output = int(self.outputs[place].sum())
        elif layer.type == "Convolution" and place in self.own:
            layer.convolution_param.num_output = layer.convolution_param.group = int(self.own[place].sum())
        elif layer.type == "Convolution" and place in self.outputs:
            layer.convolution_param.num_output = int(self.outputs[place].sum())
        mask = self.outputs.get(place, self.own.get(place))
        if mask is not None and layer.blobs_dtype and layer.blobs_dtype[0].type in LIMITS:
            for field in (layer.blobs_dtype[0].position, layer.blobs_dtype[0].scale):
                if len(field) == len(mask) > 1:
                    field[:] = [value for value, stays in zip(field, mask, strict=True) if stays]
