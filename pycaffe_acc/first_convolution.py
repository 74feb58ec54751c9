"""The vendor's first convolution: mean and scale of the input are fields of the layer."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cnml.parameter import Parameter
from pycaffe_acc.errors import CheckError
from pycaffe_acc.mean_file import read_mean_file

#: channels of pixels with a fourth that holds nothing, and those that hold a colour
PIXEL_CHANNELS, COLOURS = 4, 3


@dataclass(frozen=True)
class FirstConvolution:
    """mean_value, mean_file, std and scale of convolution_param: the input becomes (input - mean) * std.

    Attributes
    ----------
    means : tuple of float
        None, one, or one a channel.
    mean_file : str
        Reduced to one mean a channel.
    factor : float
        std, or without it the older scale; 1 when neither is given. It multiplies.
    """

    means: tuple[float, ...]
    mean_file: str
    factor: float

    def channel_means(self, channels: int, name: str) -> np.ndarray:
        """The mean of each channel, (channels,) float64; three for four channels are of B, G and R, and the pixels R, G, B and nothing.

        Raises
        ------
        CheckError
            When the means do not fit the channels.
        """
        means = self.means
        if self.mean_file:
            mean = read_mean_file(self.mean_file)
            means = tuple(float(m) for m in mean.reshape(mean.shape[0] if mean.ndim != 2 else 1, -1).mean(axis=1))
        if channels == PIXEL_CHANNELS and len(means) == COLOURS:
            means = (*means[::-1], 0.0)
        if len(means) not in (0, 1, channels):
            raise CheckError(f"layer '{name}': {len(means)} mean values for an input of {channels} channels; "
                             "there must be one, or one for each channel")
        return np.broadcast_to(np.array(means or (0.0,)), (channels,))

    def parameters(self, channels: int, name: str) -> list[Parameter]:
        """Factor and shift a channel: input * factor - mean * factor.

        Raises
        ------
        CheckError
            When the means do not fit the channels.
        """
        shift = -self.channel_means(channels, name) * self.factor
        made = []
        for what, values in (("factor", np.full(channels, self.factor)), ("shift", shift)):
            parameter = Parameter((channels,), f"{name}/{what} of the input")
            parameter.assign(values)
            made.append(parameter)
        return made


def pixel_weights(weights: np.ndarray) -> np.ndarray:
    """Weights for B, G and R as weights for pixels of R, G, B and nothing: (O, 3, KH, KW) → (O, 4, KH, KW)."""
    return np.concatenate([weights[:, ::-1], np.zeros_like(weights[:, :PIXEL_CHANNELS - COLOURS])], axis=1)


def first_convolution(p: Any) -> FirstConvolution | None:
    """Read a ConvolutionParameter; None when it has none of the four fields."""
    if not (p.mean_value or p.mean_file or p.HasField("std") or p.HasField("scale")):
        return None
    factor = p.std if p.HasField("std") else p.scale if p.HasField("scale") else 1.0
    return FirstConvolution(tuple(p.mean_value), p.mean_file, float(factor))
