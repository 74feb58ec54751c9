"""The same values in another order or shape."""
from __future__ import annotations

from cnml.api.assembly import Assembly
from cnml.api.constructor import row
from cnml.api.enums import ConcatMode, ReverseAxis, SplitMode
from cnml.api.forms import order_axes
from cnml.ops.concat import Concat
from cnml.ops.elementwise import Elementwise
from cnml.ops.permute import Permute
from cnml.ops.reverse import Reverse
from cnml.ops.selection_by_value import Compress, Gather, NonzeroPositions
from cnml.ops.shuffle_channel import ShuffleChannel
from cnml.ops.slice import Slice
from cnml.tensor import Shape, Tensor

CONCAT_AXES = {ConcatMode.FEAT: 1, ConcatMode.BATCH: 0, ConcatMode.HIGHT: 2, ConcatMode.WIDTH: 3}
SPLIT_AXES = {SplitMode.FEAT: 1, SplitMode.BATCH: 0, SplitMode.HIGHT: 2, SplitMode.WIDTH: 3}


def _around(b: Assembly, x: Tensor, inner: Shape, order: tuple[int, ...], outer: Shape) -> Tensor:
    """A view, a permutation of its axes, and a view."""
    return b.view(b.add(Permute(order), b.view(x, inner)), outer)


def _transpose(b: Assembly) -> Tensor:
    p = b.param
    axes, dims = order_axes(p.cpu_data_order), (p.dim_id_0, p.dim_id_1, p.dim_id_2, p.dim_id_3)
    b.expect(sorted(dims) == [0, 1, 2, 3], f"axes {dims}", "they must name 0 to 3 once each")
    return b.add(Permute(tuple(axes[dims[axes.index(a)]] for a in range(4))), b.x())


def _reshape(b: Assembly) -> Tensor:
    p, axes = b.param, order_axes(b.param.df)
    out = (p.no, p.co, p.ho, p.wo)
    x = b.x()
    if axes != (0, 1, 2, 3):
        x = b.add(Permute(axes), x)
    y = b.view(x, tuple(out[a] for a in axes))
    return y if axes == (0, 1, 2, 3) else b.add(Permute(tuple(axes.index(a) for a in range(4))), y)


def _reverse(b: Assembly) -> Tensor:
    axis = b["reverse_axis"]
    if axis == ReverseAxis.HW:
        return b.add(Reverse(3), b.add(Reverse(2), b.x()))
    return b.add(Reverse(int(axis)), b.x())


def _numbers(b: Assembly) -> None:
    p = b.param
    b.expect(p.input_num == b["input_num"] and p.output_num == b["output_num"], f"{b['input_num']} inputs and {b['output_num']} outputs",
             f"the parameter object says {p.input_num} and {p.output_num}")


def _concat(b: Assembly) -> list[Tensor]:
    _numbers(b)
    return [b.add(Concat(CONCAT_AXES[b.param.mode]), b.xs())]


def _split(b: Assembly) -> list[Tensor]:
    _numbers(b)
    b.expect(b["input_num"] == 1, f"{b['input_num']} inputs", "there must be one")
    axis = SPLIT_AXES[b.param.mode]
    return b.add_all(Slice(axis, [s[axis] for s in b.shapes("outputs")]), b.xs())


def _shuffle(b: Assembly) -> list[Tensor]:
    return [b.add(ShuffleChannel(b["group"]), x) for x in b.xs()]


def _blocks(b: Assembly, height: int, width: int) -> tuple[int, int, int, int, int, int]:
    """N, C, H, W and a block's height and width, which divide H and W."""
    n, c, h, w = b.shape("input")
    b.expect(min(height, width) > 0, f"blocks of {height} x {width}", "both must be positive")
    return n, c, h, w, height, width


def _whole(b: Assembly, value: int, part: int, what: str) -> int:
    b.expect(value % part == 0, f"{value} {what}", f"they must be a multiple of {part}")
    return value // part


def _space_to_batch(b: Assembly) -> Tensor:
    n, c, h, w, s, t = _blocks(b, b["h_block_size"], b["w_block_size"])
    rows, columns = _whole(b, h, s, "rows"), _whole(b, w, t, "columns")
    return _around(b, b.x(), (n, c, rows, s, columns, t), (3, 5, 0, 1, 2, 4), (s * t * n, c, rows, columns))


def _batch_to_space(b: Assembly) -> Tensor:
    n, c, h, w, s, t = _blocks(b, b["h_block_size"], b["w_block_size"])
    images = _whole(b, n, s * t, "items")
    return _around(b, b.x(), (s, t, images, c, h, w), (2, 3, 4, 0, 5, 1), (images, c, h * s, w * t))


def _reorg(b: Assembly) -> Tensor:
    n, c, h, w, s, t = _blocks(b, b.param.reorg_h, b.param.reorg_w)
    k = _whole(b, c, s * t, "channels")
    if b.param.reverse:
        return _around(b, b.x(), (n, s, t, k, h, w), (0, 3, 4, 1, 5, 2), (n, k, h * s, w * t))
    rows, columns = _whole(b, h, s, "rows"), _whole(b, w, t, "columns")
    return _around(b, b.x(), (n, k, h, s, w, t), (0, 3, 5, 1, 2, 4), (n, c * s * t, rows, columns))


def _gather(b: Assembly) -> Tensor:
    return b.add(Gather(int(b["axies"])), [b.x(), b.x("indexTensor")])


ROWS = [
    row("TransposeProOp", "<input >output param:TransposeOpParam", _transpose, "axes in another order; axis i is axis dim_id_i, in cpu_data_order"),
    row("TransposeOp", "<input >output", None, "the vendor does not say which axes it exchanges; use TransposeProOp"),
    row("GatherV2Op", "<input <indexTensor >output axies:Dimension", _gather, "slices along an axis by index; zeros for an index outside"),
    row("ReverseOp", "<input >output reverse_axis:ReverseAxis", _reverse, "an axis, or rows and columns, read backwards"),
    row("ConcatOp", "param:ConcatOpParam <inputs[] #input_num=inputs >outputs[] #output_num=outputs", _concat, "tensors one after the other"),
    row("SplitOp", "param:SplitOpParam <inputs[] #input_num=inputs >outputs[] #output_num=outputs", _split, "consecutive pieces"),
    row("ShuffleChannelOp", "<inputs[] >outputs[] group:int", _shuffle, "channels of the groups in turn"),
    row("UnarySelectOp", "<input_1 <input_2 >output >count_cnml",
        lambda b: b.add_all(Compress(), [b.x("input_1"), b.x("input_2")]), "the elements of input_2 where input_1 is not 0, and their number"),
    row("DyadicSelectOp", "<input_1 <input_2 <input_3 >output",
        lambda b: b.add(Elementwise("choose"), [b.x("input_1"), b.x("input_2"), b.x("input_3")]), "input_2 where input_1 is not 0, else input_3"),
    row("ReorgOp", "param:ReorgOpParam <input >output", _reorg, "darknet's exchange of pixels and channels"),
    row("ReshapeOp", "param:ReshapeOpParam <input >output", _reshape, "another shape of the elements in the order df"),
    row("Space2batchOp", "w_block_size:int h_block_size:int <input >output", _space_to_batch, "pixels of blocks as items"),
    row("Batch2spaceOp", "w_block_size:int h_block_size:int <input >output", _batch_to_space, "items as pixels of blocks"),
    row("WhereOp", "<input >output >count", lambda b: b.add_all(NonzeroPositions(), [b.x()]), "flat positions of what is not 0, and their number"),
]
