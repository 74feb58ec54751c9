"""Forks' spellings of a convolution whose group is the number of channels."""
from __future__ import annotations

from pycaffe_acc.layer import layer
from pycaffe_acc.layer_types.convolution import Convolution


@layer("ConvolutionDepthwise", "DepthwiseConvolution", "ConvolutionDepthWise", "DepthwiseConv")
class ConvolutionDepthwise(Convolution):
    """A Convolution with one group for each channel of the bottom; the group field is not read."""

    def groups(self, channels: int) -> int:
        """One for each channel."""
        return channels
