"""The register tiles of the Winograd products, per vector width."""
from __future__ import annotations

from cnml.kernels.conv_tiles import STORED

#: lanes of a vector → vectors of outputs, widest first; a run of outputs is cut into these
VECTORS: dict[int, tuple[int, ...]] = {16: (4, 3, 2), 8: (2, 1), 4: (2, 1)}

#: rows of a tile, for every width; any number of rows but 1, 2, 3 and 7 is a sum of these
ROWS: tuple[int, ...] = (6, 5, 4)


def product_name(nv: int, item: int = 4) -> str:
    """Name of the kernel of products with blocks of `nv` vectors and weights of `item` bytes."""
    return f"winograd_product_{STORED[item]}_{nv}"


def input_name(m: int) -> str:
    """Name of the input transform for tiles of `m` x `m` outputs."""
    return f"winograd_input_f32_{m}"


def output_name(m: int) -> str:
    """Name of the output transform for tiles of `m` x `m` outputs."""
    return f"winograd_output_f32_{m}"


def winograd_name(m: int, item: int = 4) -> str:
    """Name of the convolution kernel with tiles of `m` x `m` outputs and weights of `item` bytes."""
    return f"winograd_nhwc_{STORED[item]}_{m}"


def whole_rows(rows: int) -> int:
    """The smallest sum of `ROWS` that is at least `rows`."""
    return 4 if rows < 4 else 8 if rows == 7 else rows
