"""Which channels of a net's blobs are the same channel, so that they can only be cut together.

A space is a set of channels that convolutions or inner products make. Through most layers channels stay what they are; a Concat puts spaces behind
each other, and a sum makes one space of those that it adds. What reads channels in another way (a Slice, a grouped convolution, the net's output)
holds its spaces: they cannot be cut, and the space says why.
"""
from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pycaffe_acc.errors import CheckError
from pycaffe_acc.quantize.observed_net import ObservedNet

#: each channel of the top depends on the same channel of the bottom alone
_PASSING = frozenset(("ReLU", "Dropout", "Pooling", "Sigmoid", "TanH", "ELU", "Power", "AbsVal", "BNLL", "Exp", "Log", "Clip", "Swish", "HardSwish",
                      "Threshold", "Split", "BatchNorm", "Sqrt", "Interp", "Upsample"))


@dataclass
class Space:
    """Channels that live and die together wherever they are.

    Attributes
    ----------
    size : int
    held : str
        Why none can be cut; "" if they can.
    makers : list of int
        Places of the layers whose outputs they are.
    followers : list of (int, int)
        Places of layers with parameters of their own for each channel (BatchNorm, Scale, Bias, PReLU, depthwise convolutions), and where among their
        channels the space begins.
    readers : list of (int, int)
        Places of the layers that weigh them as inputs, and where among the inputs the space begins.
    """

    size: int
    held: str = ""
    makers: list[int] = field(default_factory=list)
    followers: list[tuple[int, int]] = field(default_factory=list)
    readers: list[tuple[int, int]] = field(default_factory=list)


class ChannelSpaces:
    """The spaces of a net.

    Parameters
    ----------
    observed : ObservedNet

    Attributes
    ----------
    spaces : list of Space
        All of them, those that are held too.
    """

    def __init__(self, observed: ObservedNet):
        self._observed = observed
        self._merged: dict[int, Space] = {}
        self._blobs: dict[str, list[Space]] = {}
        self._all: list[Space] = []
        read: set[str] = set()
        for place, layer in enumerate(observed.layers):
            read.update(observed.bottom_names(place))
            self._visit(place, layer)
        for name in self._blobs:
            if name not in read:
                self._hold(self._blobs[name], "an output of the net")
        self.spaces = [s for s in self._all if self._root(s) is s]

    def _root(self, space: Space) -> Space:
        while id(space) in self._merged:
            space = self._merged[id(space)]
        return space

    def _new(self, size: int, held: str = "") -> Space:
        self._all.append(Space(size, held))
        return self._all[-1]

    def _hold(self, spaces: list[Space], why: str) -> None:
        for space in spaces:
            root = self._root(space)
            root.held = root.held or why

    def _of(self, name: str) -> list[Space]:
        return [self._root(s) for s in self._blobs.get(name, [])]

    def _visit(self, place: int, layer: Any) -> None:
        observed = self._observed
        bottoms, tops = observed.bottom_names(place), observed.top_names(place)
        sources = [self._of(name) for name in bottoms]
        made: list[Space] | None = None
        if not bottoms:
            self._outside(tops)
            return
        shared = any(spec.name for spec in layer.param)
        if layer.type in ("Convolution", "InnerProduct") and len(bottoms) == 1 and not shared:
            made = self._weighted(place, layer, sources[0])
        elif layer.type in _PASSING and len(bottoms) == 1 and not shared:
            made = sources[0]
            if observed.weights(place):
                self._follow(place, made)
        elif layer.type in ("Scale", "Bias", "PReLU") and len(bottoms) == 1 and not shared and self._per_channel(layer):
            made = sources[0]
            if not (layer.type == "PReLU" and layer.prelu_param.channel_shared):
                self._follow(place, made)
        elif layer.type == "Eltwise":
            made = self._joined(sources)
        elif layer.type == "Concat" and self._along_channels(layer):
            made = [s for source in sources for s in source]
        if made is None:
            for source in sources:
                self._hold(source, f"read by '{layer.name}' ({layer.type})")
            self._outside(tops)
            return
        for top in tops:
            self._blobs[top] = list(made)

    def _outside(self, tops: list[str]) -> None:
        """Blobs whose channels nobody here makes."""
        for top in tops:
            shape = self._observed.net.blobs[top].shape
            self._blobs[top] = [self._new(shape[1] if len(shape) > 1 else 1, "not made by a layer that can be cut")]

    def _weighted(self, place: int, layer: Any, source: list[Space]) -> list[Space] | None:
        """A layer with weights: it reads one set of spaces and makes a new one; a depthwise one only follows."""
        shape = self._observed.weights(place)[0].shape
        if layer.type == "InnerProduct":
            bottom = self._observed.net.blobs[self._observed.bottom_names(place)[0]].shape
            if layer.inner_product_param.axis != 1 or len(bottom) < 2:
                return None
            outputs = shape[1] if layer.inner_product_param.transpose else shape[0]
        else:
            group = int(layer.convolution_param.group)
            if len(shape) != 4 or layer.convolution_param.axis != 1:
                return None
            if group > 1:
                if shape[1] != 1 or shape[0] != group:
                    return None
                self._follow(place, source)
                return source
            outputs = shape[0]
        begin = 0
        for space in source:
            space.readers.append((place, begin))
            begin += space.size
        made = self._new(outputs)
        made.makers.append(place)
        return [made]

    def _follow(self, place: int, spaces: list[Space]) -> None:
        begin = 0
        for space in spaces:
            space.followers.append((place, begin))
            begin += space.size

    def _joined(self, sources: list[list[Space]]) -> list[Space] | None:
        """Sums: the first source's spaces, with those of the others in them; None where they are cut differently."""
        if any([s.size for s in source] != [s.size for s in sources[0]] for source in sources):
            return None
        for source in sources[1:]:
            for mine, theirs in zip(sources[0], source, strict=True):
                self._merge(self._root(mine), self._root(theirs))
        return [self._root(s) for s in sources[0]]

    def _merge(self, into: Space, gone: Space) -> None:
        if into is gone:
            return
        into.held = into.held or gone.held
        into.makers += gone.makers
        into.followers += gone.followers
        into.readers += gone.readers
        self._merged[id(gone)] = into

    @staticmethod
    def _per_channel(layer: Any) -> bool:
        if layer.type == "PReLU":
            return True
        p = layer.scale_param if layer.type == "Scale" else layer.bias_param
        return bool(p.axis == 1 and p.num_axes == 1)

    @staticmethod
    def _along_channels(layer: Any) -> bool:
        p = layer.concat_param
        return bool((p.concat_dim if p.HasField("concat_dim") else p.axis) == 1)


def check_cuttable(spaces: list[Space], model: str) -> None:
    """Refuse a net without any channel that can be cut.

    Raises
    ------
    CheckError
        With the reasons.
    """
    if not any(not s.held for s in spaces):
        why = "; ".join(sorted({s.held for s in spaces})) or "no layer makes channels"
        raise CheckError(f"{model}: no channel can be cut: {why}")
