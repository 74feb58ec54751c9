"""BN: normalization with slope and bias in one layer (SegNet, ENet, PSPNet, vendor)."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnml.graph import Graph
from cnml.ops.batch_affine import BatchAffine
from cnml.ops.channel_affine import ChannelAffine
from cnml.tensor import Shape, Tensor
from pycaffe_acc.layer import Layer, layer

#: SegNet's constant, added to the standard deviation rather than to the variance
SEGNET_EPS = 1e-9


@dataclass(frozen=True)
class BNParams:
    """bn_param.

    Attributes
    ----------
    segnet : bool
        Two blobs (scale, shift) as in SegNet and ENet; else four (slope, bias, mean, variance) as in PSPNet and the vendor's fork.
    learn : bool
        SegNet's mode LEARN: statistics of the batch, also at TEST.
    eps : float
    slope_filler, bias_filler : FillerParameter or None
        None: 1 and 0.
    """

    segnet: bool
    learn: bool
    eps: float
    slope_filler: Any
    bias_filler: Any


@layer("BN")
class BN(Layer):
    """top = slope * (bottom - mean) / sqrt(variance + eps) + bias, or in SegNet's INFERENCE mode scale * bottom + shift.

    SegNet's form is taken when scale_filler, shift_filler or bn_mode is given. Its blobs, and those of the other form, have the shape (1, C, 1, 1);
    (1, C) with vendor_exact.
    """

    @classmethod
    def parse(cls, message: Any) -> BNParams:
        """Read bn_param."""
        p = message.bn_param
        segnet = any(p.HasField(f) for f in ("scale_filler", "shift_filler", "bn_mode"))
        slope, bias = ("scale_filler", "shift_filler") if segnet else ("slope_filler", "bias_filler")
        return BNParams(segnet, segnet and p.bn_mode == p.LEARN, p.eps, getattr(p, slope) if p.HasField(slope) else None,
                        getattr(p, bias) if p.HasField(bias) else None)

    def setup(self, bottoms: list[Shape]) -> None:
        """Two or four blobs of C elements."""
        self.check(len(bottoms[0]) >= 2, f"the bottom has the shape {bottoms[0]}; it needs a batch and a channel axis")
        channels = bottoms[0][1]
        shape = (1, channels) if self.context.vendor_exact else (1, channels, 1, 1)
        p = self.params
        blobs = [self.add_blob(shape, p.slope_filler), self.add_blob(shape, p.bias_filler)]
        ones = [blobs[0]] if p.slope_filler is None and not self.context.vendor_exact else []
        if not p.segnet:
            self.add_blob(shape)
            ones.append(self.add_blob(shape))
        for blob in ones:
            blob.array[...] = 1
            blob.touch()

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """ChannelAffine, or BatchAffine for statistics of the batch."""
        if self.params.learn:
            return graph.add(BatchAffine(SEGNET_EPS, self.name), bottoms, self.blobs)
        return graph.add(ChannelAffine(self.params.eps, self.name), bottoms, self.blobs)
