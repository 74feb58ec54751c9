"""The forms of Winograd convolutions, and the register tiles of their products, per vector width."""
from __future__ import annotations

from typing import NamedTuple

from cnml.kernels.conv_tiles import STORED


class Form(NamedTuple):
    """F(my x mx, ry x rx): tiles of my x mx outputs of a convolution with a kernel of ry x rx, stride 1.

    Attributes
    ----------
    my, mx : int
    ry, rx : int
    share : float
        Measured share of the multiply-add limit that its products reach.
    transform : float
        Measured cycles of both transforms for one vector of channels of one tile.
    """

    my: int
    mx: int
    ry: int
    rx: int
    share: float
    transform: float

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of a window of inputs."""
        return self.my + self.ry - 1, self.mx + self.rx - 1

    @property
    def count(self) -> int:
        """Products of a tile."""
        return self.size[0] * self.size[1]

    @property
    def name(self) -> str:
        """As in the literature, F(4x4,3x3)."""
        return f"F({self.my}x{self.mx},{self.ry}x{self.rx})"

    @property
    def tag(self) -> str:
        """Part of the names of its kernels."""
        return f"{self.my}x{self.mx}_{self.ry}x{self.rx}"

    @property
    def halves(self) -> bool:
        """Whether weights may be stored in half precision; with more points the inverse transform would make percents of their rounding."""
        return max(self.size) <= 6


#: kernels of 3x3; of 5x5, 1x7 and 7x1, 1x3 and 3x1
FORMS: tuple[Form, ...] = (
    Form(2, 2, 3, 3, 0.90, 50.0), Form(4, 4, 3, 3, 0.86, 215.0), Form(6, 6, 3, 3, 0.80, 520.0),
    Form(2, 2, 5, 5, 0.86, 180.0), Form(4, 4, 5, 5, 0.80, 450.0),
    Form(1, 4, 1, 7, 0.88, 40.0), Form(4, 1, 7, 1, 0.88, 40.0), Form(1, 4, 1, 3, 0.88, 22.0), Form(4, 1, 3, 1, 0.88, 22.0))

#: lanes of a vector → vectors of outputs, widest first; a run of outputs is cut into these
VECTORS: dict[int, tuple[int, ...]] = {16: (4, 3, 2), 8: (2, 1), 4: (2, 1)}

#: rows of a tile, for every width; any number of rows but 1, 2, 3 and 7 is a sum of these
ROWS: tuple[int, ...] = (6, 5, 4)


def product_name(nv: int, item: int = 4) -> str:
    """Name of the kernel of products with blocks of `nv` vectors and weights of `item` bytes."""
    return f"winograd_product_{STORED[item]}_{nv}"


def input_name(form: Form) -> str:
    """Name of the input transform."""
    return f"winograd_input_f32_{form.tag}"


def output_name(form: Form) -> str:
    """Name of the output transform."""
    return f"winograd_output_f32_{form.tag}"


def drive_name() -> str:
    """Name of what all forms share."""
    return "winograd_drive"


def winograd_name(form: Form, item: int = 4) -> str:
    """Name of the convolution kernel with weights of `item` bytes."""
    return f"winograd_nhwc_{STORED[item]}_{form.tag}"


def whole_rows(rows: int) -> int:
    """The smallest sum of `ROWS` that is at least `rows`."""
    return 4 if rows < 4 else 8 if rows == 7 else rows
