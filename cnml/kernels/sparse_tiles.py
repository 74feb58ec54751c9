"""The tiles of the sparse kernels."""
from __future__ import annotations

from cnml.kernels.conv_tiles import STORED

#: vectors of pixels whose sums are in registers together
SPARSE_VECTORS: tuple[int, ...] = (4, 7)

#: lanes of a vector → rows of inputs that sparse inner products take together
SPARSE_ROWS: dict[int, tuple[int, ...]] = {16: (1, 4, 8, 16), 8: (1, 4, 8), 4: (1, 4)}


def sparse_name(nv: int) -> str:
    """Name of the sparse convolution kernel with `nv` vectors of pixels."""
    return f"sparse_nhwc_f32_{nv}"


def sparse_inner_name(mr: int, item: int = 4) -> str:
    """Name of the sparse inner product for blocks of `mr` rows, with weights of `item` bytes."""
    return f"sparse_inner_{STORED[item]}_{mr}"


def sparse_rows_for(rows: int, lanes: int) -> int:
    """Rows of the blocks for a product with that many rows."""
    return min((mr for mr in SPARSE_ROWS[lanes] if mr >= rows), default=SPARSE_ROWS[lanes][-1])
