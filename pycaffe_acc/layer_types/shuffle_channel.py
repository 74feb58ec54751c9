"""ShuffleChannel: channels of all groups mixed (ShuffleNet)."""
from __future__ import annotations

from typing import Any

from cnml.graph import Graph
from cnml.ops.shuffle_channel import ShuffleChannel as ShuffleChannelOp
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer, layer


@layer("ShuffleChannel")
class ShuffleChannel(Layer):
    """The channels, seen as (group, C / group), transposed."""

    @classmethod
    def parse(cls, message: Any) -> int:
        """The group."""
        return int(message.shuffle_channel_param.group)

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One ShuffleChannel operator."""
        return graph.add(ShuffleChannelOp(self.params, self.name), bottoms)
