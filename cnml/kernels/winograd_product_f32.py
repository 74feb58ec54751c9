"""The products of a Winograd convolution: rows of transformed inputs times a block of transformed weights.

These are not called by an executor but by `cnml.kernels.winograd_f32`: compiled once, they serve every form.
"""
from __future__ import annotations

from functools import partial

from cnml.jit import kernel_cfunc
from cnml.kernels.conv_tiles import stored_items
from cnml.kernels.winograd_tiles import VECTORS, product_name
from cnml.ukernels.winograd_f32 import FETCH, LANES, winograd_product
from cnrt import kernel_table

_WORDS = 9

#: bytes of other memory that a row of products asks for with every four of depth
FETCHED = 64 * FETCH


def _product(nv, item):
    """The kernel of one width of blocks; closes over integers only, see `cnml.kernels.conv_f32`."""
    def winograd_product_f32(rows, row, n, depth, weights, out, out_row, ahead, limit):
        """out[i] = rows[i] @ weights for i < n, with n a sum of sixes, fives and fours; strides in bytes.

        Meanwhile the `limit` bytes from `ahead` on are brought near.
        """
        groups = (n + 5) // 6
        each, longer = n // groups, n % groups
        share = depth // 4 * FETCHED
        for group in range(groups):
            soon = ahead + min(group * share, limit)
            some = each + 1 if group < longer else each
            if some == 6:
                winograd_product(6, nv, item, (rows, row, depth, weights, out, out_row, soon))
            elif some == 5:
                winograd_product(5, nv, item, (rows, row, depth, weights, out, out_row, soon))
            else:
                winograd_product(4, nv, item, (rows, row, depth, weights, out, out_row, soon))
            rows += some * row
            out += some * out_row

    return winograd_product_f32


for _nv in VECTORS[LANES]:
    for _item in stored_items():
        kernel_table.register(product_name(_nv, _item), partial(kernel_cfunc, _product(_nv, _item), words=_WORDS))
