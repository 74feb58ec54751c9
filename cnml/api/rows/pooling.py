"""Pooling and unpooling. Paddings are sums of both sides."""
from __future__ import annotations

import numpy as np

from cnml.api.assembly import Assembly
from cnml.api.constructor import row
from cnml.api.enums import PoolMode, PoolStrategyMode, UnpoolMode
from cnml.errors import Status
from cnml.ops.arithmetic import Arithmetic
from cnml.ops.fractional_pool import FractionalPool
from cnml.ops.pool import Pool
from cnml.ops.position_scale import PositionScale
from cnml.ops.sqrt import Sqrt
from cnml.ops.unpooling import UnPooling, UnPoolingWindow
from cnml.ops.upsample import UpsampleMask
from cnml.reference.pool import windows
from cnml.tensor import Tensor


def _pool_op(b: Assembly, method: str, ceil: bool, mask: bool = False) -> Pool:
    p = b.param
    b.expect(p.pad_height % 2 == 0 and p.pad_width % 2 == 0, f"paddings {p.pad_height} and {p.pad_width}",
             "the sums of both sides must be even", Status.UNSUPPORT)
    b.expect(max(p.get("dilation_height", 1), p.get("dilation_width", 1)) <= 1, "a dilation above 1", "windows have none", Status.UNSUPPORT)
    return Pool(method, (p.window_height, p.window_width), (p.stride_height, p.stride_width), (p.pad_height // 2, p.pad_width // 2), ceil, mask)


def _counts(size: int, out: int, kernel: int, stride: int, pad: int) -> np.ndarray:
    """How much larger the windows of one axis are, paddings counted, than what they hold."""
    return np.array([extent / max(last - first, 1) for first, last, extent in windows(size, out, kernel, stride, pad)])


def _pool(b: Assembly) -> Tensor:
    p, x = b.param, b.x()
    ceil = p.strategy_mode == PoolStrategyMode.KFULL
    if p.pool_mode == PoolMode.MAXINDEX:
        return b.add_all(_pool_op(b, "MAX", ceil, mask=True), [x])[1]
    op = _pool_op(b, "MAX" if p.pool_mode == PoolMode.MAX else "AVE", ceil)
    y = b.add(op, x)
    if op.method == "AVE" and p.real and any(op.pad):
        assert op.kernel is not None
        rows, columns = (_counts(x.shape[2 + i], y.shape[2 + i], op.kernel[i], op.stride[i], op.pad[i]) for i in (0, 1))
        y = b.add(PositionScale(np.outer(rows, columns)), y)
    return y


def _l2_pool(b: Assembly) -> Tensor:
    x = b.x()
    b.expect(b.param.pool_mode in (PoolMode.AVG, PoolMode.MAX), f"mode {b.param.pool_mode.name}", "it must be AVG or MAX")
    squares = b.add(Arithmetic("mul"), [x, x])
    return b.add(Sqrt(), b.add(_pool_op(b, "MAX" if b.param.pool_mode == PoolMode.MAX else "AVE", True), squares))


def _unpool(b: Assembly) -> Tensor:
    p, x, (h, w) = b["unpool_param"], b.x(), b.shape("output")[2:]
    window, stride = (p.window_height, p.window_width), (p.stride_height, p.stride_width)
    apart = stride[0] >= window[0] and stride[1] >= window[1]
    if p.unpool_mode == UnpoolMode.UNPOOL or p.unpool_mode == UnpoolMode.MAXPOOLBP and apart:
        return b.add(UpsampleMask(h, w), [x, b.x("index")])
    methods = {UnpoolMode.MIDUNPOOL: "FIXED", UnpoolMode.DIV: "DIV", UnpoolMode.REP: "REP"}
    if p.unpool_mode == UnpoolMode.AVGPOOLBP and apart:
        methods[UnpoolMode.AVGPOOLBP] = "DIV"
    if p.unpool_mode not in methods:
        raise b.refuse(f"mode {p.unpool_mode.name}, window {window} and stride {stride}",
                       "ROWWISE is not built, and MAXPOOLBP and AVGPOOLBP only for windows that do not overlap", Status.UNSUPPORT)
    return b.add(UnPooling(methods[p.unpool_mode], UnPoolingWindow(window, stride)), x)


def _fractional(b: Assembly) -> Tensor:
    p = b.param
    b.expect(p.mode in (PoolMode.AVG, PoolMode.MAX), f"mode {p.mode.name}", "it must be AVG or MAX")
    b.expect(len(p.row_sequence) == p.row_num and len(p.col_sequence) == p.col_num, f"{p.row_num} rows and {p.col_num} columns",
             f"the sequences have {len(p.row_sequence)} and {len(p.col_sequence)}")
    return b.add(FractionalPool("MAX" if p.mode == PoolMode.MAX else "AVE", p.row_sequence, p.col_sequence, p.overlapping), b.x())


ROWS = [
    row("PoolOp", "param:PoolOpParam <input >output", _pool,
        "maximum, mean (`real`: of the elements inside the image) or, for MAXINDEX, position row * width + column of the maximum"),
    row("L2_PoolOp", "param:L2_PoolOpParam <input >output", _l2_pool, "square root of the pooled squares"),
    row("UnpoolOp", "<input <index >output unpool_param:UnpoolOpParam", _unpool,
        "values to the positions row * width + column in `index` (UNPOOL), or to the middle or all of their window",
        golden="unpool_param input index output"),
    row("FractionalPoolOp", "param:FractionalPoolOpParam <input >output", _fractional, "maximum or mean between given borders"),
]
