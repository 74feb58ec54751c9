"""The edge of a graph: a logical shape and how it lies in memory."""
from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from cnml.codes import WORD, Codes

if TYPE_CHECKING:
    from cnml.graph import Node

Shape = tuple[int, ...]


class Layout(Enum):
    """Order of a tensor in memory."""

    PLAIN = "plain"  # C order of the logical shape
    NHWC = "nhwc"    # logical (N, C, H, W) stored with the channels innermost


def count(shape: Shape) -> int:
    """Number of elements of a shape, in Python integers (1 for a scalar)."""
    n = 1
    for d in shape:
        n *= int(d)
    return n


def same_bytes(shape: Shape) -> bool:
    """Whether PLAIN and NHWC are the same bytes for this shape."""
    return len(shape) != 4 or shape[1] == 1 or shape[2] * shape[3] == 1 or count(shape) == 0


class Tensor:
    """A value in a graph: float32, or codes of quantized values.

    Parameters
    ----------
    shape : tuple of int
        The logical (Caffe) shape; () is a scalar.
    name : str
        For messages and tables.
    producer : Node or None
        None for an input of the graph.

    Attributes
    ----------
    layout : Layout
    pitch, offset : int
        For an NHWC tensor that is a band of channels of a wider one: elements from one pixel to the next, and its first channel there. A pitch of 0
        is a tensor of its own.
    codes : Codes or None
        How the values are held as unsigned bytes, of two axes or of four and channels last; None for float32.
    """

    __slots__ = ("shape", "name", "producer", "layout", "pitch", "offset", "codes")

    def __init__(self, shape: Shape, name: str, producer: Node | None = None, codes: Codes | None = None):
        self.shape: Shape = tuple(int(d) for d in shape)
        self.name = name
        self.producer = producer
        self.codes = codes
        self.layout = Layout.PLAIN
        self.pitch = self.offset = 0

    @property
    def count(self) -> int:
        """Number of elements."""
        return count(self.shape)

    @property
    def item(self) -> int:
        """Bytes of an element."""
        return 4 if self.codes is None else 1

    @property
    def width(self) -> int:
        """Elements from one pixel (a row of two axes) to the next in storage of its own; of codes a multiple of `WORD`."""
        return self.shape[1] if self.codes is None else -(-self.shape[1] // WORD) * WORD

    @property
    def pixels(self) -> int:
        """Pixels of all images, or rows."""
        return count(self.shape[:1] + self.shape[2:])

    @property
    def nbytes(self) -> int:
        """Bytes of storage."""
        return 4 * self.count if self.codes is None else self.pixels * self.width

    @property
    def stored_shape(self) -> Shape:
        """Shape of the C-ordered array in memory."""
        if self.layout is Layout.NHWC:
            n, c, h, w = self.shape
            return (n, h, w, c)
        return self.shape

    def __repr__(self) -> str:
        return f"Tensor({self.name!r}, {self.shape}, {self.layout.value})"
