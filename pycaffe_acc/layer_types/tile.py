"""Tile: repetition along one axis."""
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cnml.graph import Graph
from cnml.ops.tile import Tile as TileOp
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer, layer


@dataclass(frozen=True)
class TileParams:
    """tile_param."""

    axis: int
    tiles: int | None


@layer("Tile")
class Tile(Layer):
    """top = `tiles` copies of the bottom behind one another along `axis`."""

    @classmethod
    def parse(cls, message: Any) -> TileParams:
        """Read tile_param."""
        p = message.tile_param
        return TileParams(int(p.axis), int(p.tiles) if p.HasField("tiles") else None)

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One Tile operator."""
        tiles = self.params.tiles
        self.check(tiles is not None, "tile_param has no `tiles`; say how many copies to make")
        self.check(tiles is None or tiles > 0, f"tiles is {tiles}; it must be positive")
        return graph.add(TileOp(self.axis(self.params.axis, len(bottoms[0].shape)), tiles or 1, self.name), bottoms)
