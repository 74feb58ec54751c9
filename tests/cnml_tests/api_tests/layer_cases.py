"""Convolutions, products, pooling, padding, normalisation."""
from __future__ import annotations

import numpy as np
from cnml_tests.api_tests.api_case import Case, values

from cnml.api.enums import ActiveFunction, Dimension, LrnType, PoolMode, PoolStrategyMode, SoftmaxDim, SparseMode, UnpoolMode

DENSE = SparseMode.NO_SPARSE


def correlate(x, w, stride=(1, 1), pads=(0, 0, 0, 0), dilation=(1, 1), group=1):
    """Convolution by its definition, one output element after the other; pads top, bottom, left, right."""
    x = np.pad(x.astype(np.float64), ((0, 0), (0, 0), pads[:2], pads[2:]))
    n, c, h, wide = x.shape
    o, part, kh, kw = w.shape
    rows, columns = (h - dilation[0] * (kh - 1) - 1) // stride[0] + 1, (wide - dilation[1] * (kw - 1) - 1) // stride[1] + 1
    y = np.zeros((n, o, rows, columns))
    for k in range(o):
        first = k // (o // group) * part
        for i in range(rows):
            for j in range(columns):
                top, left = i * stride[0], j * stride[1]
                window = x[:, first:first + part, top:, left:][:, :, :dilation[0] * (kh - 1) + 1:dilation[0], :dilation[1] * (kw - 1) + 1:dilation[1]]
                y[:, k, i, j] = (window * w[k]).sum(axis=(1, 2, 3))
    return y



def _conv(label, stride=(1, 1), dilation=(1, 1), pad=(0, 0), bias=True) -> Case:
    x, w, b = values("conv x", 2, 3, 9, 8), values("conv w", 4, 3, 3, 3), values("conv b", 1, 4, 1, 1)
    pads = (pad[0] // 2, pad[0] - pad[0] // 2, pad[1] // 2, pad[1] - pad[1] // 2)
    y = correlate(x, w, stride, pads, dilation) + (b if bias else 0)
    return Case("ConvOp", {"input": x, "filter": w, **({"bias": b} if bias else {})}, [y.astype(np.float32)],
                {"param": ("ConvOpParam", *stride, *dilation, *pad, DENSE)}, label=label)


def _conv_first(full: bool, stdt: bool) -> Case:
    x, w, b = values("first x", 2, 3, 8, 7, low=0, high=255), values("first w", 4, 3, 3, 3), values("first b", 1, 4, 1, 1)
    mean, s = values("first m", 1, 3, *((8, 7) if full else (1, 1)), low=90, high=130), values("first s", 1, 3, 1, 1, low=40, high=60)
    y = correlate((x - mean) / (s if stdt else 1), w, (2, 1), (0, 2, 1, 0)) + b
    return Case("ConvFirstOp", {"input": x, "filter": w, "bias": b, "mean": mean, **({"stdt": s} if stdt else {})}, [y.astype(np.float32)],
                {"param": ("ConvFirstOpParam", 2, 1, 1, 0, 0, 2, DENSE)}, atol=1e-3, label=f"{'full' if full else 'channel'} mean, stdt {stdt}")


def _conv_group() -> Case:
    x, w, b = values("group x", 1, 4, 6, 6), values("group w", 6, 2, 3, 3), values("group b", 1, 6, 1, 1)
    y = correlate(x, w, pads=(1, 1, 1, 1), group=2) + b
    return Case("ConvGroupOp", {"input": x, "filter": w, "bias": b}, [y.astype(np.float32)],
                {"param": ("ConvOpParam", 1, 1, 1, 1, 2, 2, DENSE), "group": 2})


def _depthwise(maker: str, flipped: bool) -> Case:
    x, w, b = values("dw x", 2, 5, 7, 6), values("dw w", 5, 1, 3, 3), values("dw b", 1, 5, 1, 1)
    padded = maker.endswith("V3")
    y = correlate(x, w, (2, 2), (1, 1, 1, 1) if padded else (0, 0, 0, 0), group=5) + b
    return Case("ConvDepthwiseOp", {"input": x, "filter": w.reshape(1, 5, 3, 3) if flipped else w, "bias": b}, [y.astype(np.float32)],
                {"param": (maker, 2, 2, *([2, 2] if padded else []))}, label=f"{maker} {flipped}")


def _deconv(crops) -> Case:
    x, w, b = values("de x", 2, 3, 4, 5), values("de w", 3, 2, 3, 4), values("de b", 1, 2, 1, 1)
    full = np.zeros((2, 2, 3 * 2 + 3, 4 * 3 + 4))
    for i in range(4):
        for j in range(5):
            full[:, :, 2 * i:2 * i + 3, 3 * j:3 * j + 4] += np.einsum("nc,cohw->nohw", x[:, :, i, j].astype(np.float64), w)
    y = (full + b)[:, :, crops[0]:full.shape[2] - crops[1], crops[2]:full.shape[3] - crops[3]]
    return Case("DeconvOp", {"input": x, "filter": w, "bias": b}, [y.astype(np.float32)],
                {"param": ("DeconvOpParam", 2, 3, *crops), "opt": ("DeconvOptLevel", 0)}, label=str(crops))


def _mlp(bias: bool) -> Case:
    x, w, b = values("mlp x", 3, 2, 2, 4), values("mlp w", 5, 2, 2, 4), values("mlp b", 1, 5, 1, 1)
    y = x.reshape(3, 16).astype(np.float64) @ w.reshape(5, 16).T + (b.reshape(5) if bias else 0)
    return Case("MlpOp", {"input": x, "filter": w, **({"bias": b} if bias else {})}, [y.astype(np.float32).reshape(3, 5, 1, 1)], {"sparse": DENSE},
                label=f"bias {bias}")


def _xw_plus_b() -> Case:
    x, w, b = values("xw x", 3, 6, 1, 1), values("xw w", 6, 5, 1, 1), values("xw b", 1, 5, 1, 1)
    y = x.reshape(3, 6).astype(np.float64) @ w.reshape(6, 5) + b.reshape(5)
    return Case("XwPlusBOp", {"input": x, "filter": w, "bias": b}, [y.astype(np.float32).reshape(3, 5, 1, 1)], {"sparse": DENSE})


def _matrix_mult() -> Case:
    a, b, c = values("mm a", 3, 6, 1, 1), values("mm b", 6, 4, 1, 1), values("mm c", 1, 4, 1, 1)
    y = a.reshape(3, 6).astype(np.float64) @ b.reshape(6, 4) + c.reshape(4)
    return Case("MatrixMultOp", {"lhs": a, "rhs": b, "bias": c}, [y.astype(np.float32).reshape(3, 4, 1, 1)])


def _batch_dot(ta: bool, tb: bool) -> Case:
    a, b = values("bd a", 2, 3, *((5, 4) if ta else (4, 5))), values("bd b", 2, 3, *((6, 5) if tb else (5, 6)))
    y = np.einsum("ncki,nckj->ncij" if ta else "ncik,nckj->ncij", a.astype(np.float64), b.transpose(0, 1, 3, 2) if tb else b)
    return Case("BatchDotOp", {"input_1": a, "input_2": b}, [y.astype(np.float32)], {"trans_a": ta, "trans_b": tb}, label=f"{ta} {tb}")


def _rnn() -> Case:
    x, s = values("rnn x", 2, 4, 1, 1), values("rnn s", 2, 3, 1, 1)
    w, u, b = values("rnn w", 3, 4, 1, 1), values("rnn u", 3, 3, 1, 1), values("rnn b", 1, 3, 1, 1)
    y = np.tanh(x.reshape(2, 4) @ w.reshape(3, 4).T + b.reshape(3) + s.reshape(2, 3) @ u.reshape(3, 3).T).astype(np.float32).reshape(2, 3, 1, 1)
    return Case("BasicRNNOp", {"input": x, "weight": w, "bias": b, "state_input": s, "state_weight": u}, [y, y], {"active_func": ActiveFunction.TANH})


def _svdf() -> Case:
    x, f, t = values("sv x", 2, 5, 1, 1), values("sv f", 6, 5, 1, 1), values("sv t", 6, 4, 1, 1)
    b, s = values("sv b", 1, 3, 1, 1), values("sv s", 2, 6, 4, 1)
    new = np.zeros((2, 6, 4))
    new[:, :, :3] = s[:, :, 1:, 0]
    new[:, :, 3] = x.reshape(2, 5) @ f.reshape(6, 5).T
    y = np.zeros((2, 3))
    for unit in range(3):
        for rank in range(2):
            y[:, unit] += new[:, 2 * unit + rank] @ t.reshape(6, 4)[2 * unit + rank]
    y += b.reshape(3)
    return Case("SvdfOp", {"input": x, "weights_feature": f, "weights_time": t, "bias": b, "state_in": s},
                [new.astype(np.float32)[..., None], y.astype(np.float32).reshape(2, 3, 1, 1)])


def windows(x, kernel, stride, pads, ceil):
    """Row and column ranges of the windows, clipped to the image, and how many elements each has with its padding."""
    found = []
    for size, k, s, p in zip(x.shape[2:], kernel, stride, pads, strict=True):
        span = size + 2 * p - k
        count = (-(-span // s) if ceil else span // s) + 1
        if p and (count - 1) * s >= size + p:
            count -= 1
        found.append([(max(i * s - p, 0), min(i * s - p + k, size), min(i * s - p + k, size + p) - (i * s - p)) for i in range(count)])
    return found


def _pool(label, mode, strategy=PoolStrategyMode.KFULL, kernel=(3, 2), stride=(2, 2), pad=(0, 0), real=True) -> Case:
    x = values("pool", 2, 3, 8, 7)
    rows, columns = windows(x, kernel, stride, (pad[0] // 2, pad[1] // 2), strategy == PoolStrategyMode.KFULL)
    y = np.zeros((2, 3, len(rows), len(columns)))
    for i, (a, b, down) in enumerate(rows):
        for j, (c, d, across) in enumerate(columns):
            w = x[:, :, a:b, c:d].astype(np.float64)
            if mode == PoolMode.MAX:
                y[:, :, i, j] = w.max(axis=(2, 3))
            elif mode == PoolMode.AVG:
                y[:, :, i, j] = w.sum(axis=(2, 3)) / ((b - a) * (d - c) if real else down * across)
            else:
                at = w.reshape(2, 3, -1).argmax(axis=2)
                y[:, :, i, j] = (a + at // (d - c)) * 7 + c + at % (d - c)
    return Case("PoolOp", {"input": x}, [y.astype(np.float32)], {"param": ("PoolOpParam", *kernel, *stride, *pad, 1, 1, mode, strategy, real)},
                label=label)


def _l2_pool(mode: PoolMode) -> Case:
    x = values("l2", 1, 2, 6, 6)
    tiles = x.reshape(1, 2, 3, 2, 3, 2).astype(np.float64) ** 2
    y = np.sqrt(tiles.mean(axis=(3, 5)) if mode == PoolMode.AVG else tiles.max(axis=(3, 5)))
    return Case("L2_PoolOp", {"input": x}, [y.astype(np.float32)], {"param": ("L2_PoolOpParam", 2, 2, 2, 2, 0, 0, mode)}, label=mode.name)


def _unpool(mode: UnpoolMode) -> Case:
    x, index = values("unpool", 1, 2, 3, 3), np.zeros((1, 2, 3, 3), np.float32)
    y = np.zeros((1, 2, 6, 6), np.float32)
    for i in range(3):
        for j in range(3):
            index[:, :, i, j] = (2 * i + 1) * 6 + 2 * j
            window = y[:, :, 2 * i:2 * i + 2, 2 * j:2 * j + 2]
            if mode in (UnpoolMode.UNPOOL, UnpoolMode.MAXPOOLBP):
                window[:, :, 1, 0] = x[:, :, i, j]
            elif mode == UnpoolMode.MIDUNPOOL:
                window[:, :, 0, 0] = x[:, :, i, j]
            else:
                window[...] = x[:, :, i, j, None, None] / (1 if mode == UnpoolMode.REP else 4)
    return Case("UnpoolOp", {"input": x, "index": index}, [y], {"unpool_param": ("UnpoolOpParam", 2, 2, 2, 2, mode)}, label=mode.name)


def _fractional(mode: PoolMode, overlapping: bool) -> Case:
    x, rows, columns = values("fractional", 2, 2, 5, 6), (0, 2, 3, 5), (0, 1, 4, 6)
    y = np.zeros((2, 2, 3, 3))
    for i in range(3):
        for j in range(3):
            w = x[:, :, rows[i]:rows[i + 1] + overlapping, columns[j]:columns[j + 1] + overlapping].astype(np.float64)
            y[:, :, i, j] = w.max(axis=(2, 3)) if mode == PoolMode.MAX else w.mean(axis=(2, 3))
    return Case("FractionalPoolOp", {"input": x}, [y.astype(np.float32)],
                {"param": ("FractionalPoolOpParam", mode, rows, 4, columns, 4, overlapping)}, label=f"{mode.name} {overlapping}")


def _add_pad(four: bool) -> Case:
    x = values("pad", 2, 3, 4, 5)
    sides = (1, 2, 0, 3) if four else (1, 2, 2, 2)  # sums 3 and 4: the far side gets more
    y = np.pad(x, ((0, 0), (0, 0), sides[:2], sides[2:]), constant_values=1.5)
    return Case("AddPadOp", {"input": x}, [y], {"param": ("AddPadOp4Param", *sides, 1.5) if four else ("AddPadOpParam", 3, 4, 1.5)}, label=str(four))


def _channels(name: str, maker: str, front: int, back: int) -> Case:
    x = values(name, 2, 5, 2, 3)
    add = name.startswith("Add")
    y = np.pad(x, ((0, 0), (front, back), (0, 0), (0, 0)), constant_values=0.5) if add else x[:, front:5 - back]
    numbers = [front, back] if maker.endswith(("4Param", "2Param")) else [back]
    return Case(name, {"input": x}, [np.ascontiguousarray(y)], {"param": (maker, *numbers, *([0.5] if add else []))}, label=maker)


def _lrn(kind: LrnType, channels: int) -> Case:
    x, size, alpha, beta, k = values("lrn", 2, channels, 3, 3), 5, 0.5, 0.75, 2.0
    y = np.zeros(x.shape)
    m = {LrnType.V1: min(size, 2 * channels - 1), LrnType.V2: 1, LrnType.V3: size}[kind]
    for c in range(channels):
        total = (x[:, max(c - 2, 0):c + 3].astype(np.float64) ** 2).sum(axis=1)
        y[:, c] = x[:, c] / (k + alpha * total / m) ** beta
    return Case("LrnOp", {"input": x}, [y.astype(np.float32)], {"param": ("LrnOpParam", kind, size, alpha, beta, k)}, label=f"{kind.name} {channels}")


def _batch_norm() -> Case:
    x, mean, var = values("bn", 2, 3, 4, 4), values("bn mean", 1, 3, 1, 1), values("bn var", 1, 3, 1, 1, low=0.5, high=2)
    return Case("BatchNormOp", {"input": x, "mean": mean, "var": var}, [(x - mean) * var])


def _normalize(across: bool, scaled: bool) -> Case:
    x, s = values("norm", 2, 3, 4, 4), values("norm s", 1, 3, 1, 1)
    norm = np.sqrt((x.astype(np.float64) ** 2).sum(axis=(1, 2, 3) if across else 1, keepdims=True))
    return Case("NormalizeOp", {"input": x, **({"scale": s} if scaled else {})}, [(x / norm * (s if scaled else 1.5)).astype(np.float32)],
                {"param": ("NormalizeOpParam", 2, int(scaled), int(across), 1.5)}, label=f"{across} {scaled}")


def _mean_var(variance: bool, across: bool) -> Case:
    x = values("mvn", 2, 3, 4, 4)
    axes = (1, 2, 3) if across else (2, 3)
    y = x - x.mean(axis=axes, keepdims=True, dtype=np.float64)
    if variance:
        y = y / (np.sqrt((y * y).mean(axis=axes, keepdims=True)) + 0.01)
    return Case("MeanVarNormOp", {"input": x}, [y.astype(np.float32)], {"use_variance": variance, "across_spatial": across, "eps": 0.01},
                label=f"{variance} {across}")


def _softmax(dim, axis: int, name: str) -> Case:
    x = values(name, 2, 3, 4, 5)
    e = np.exp(x.astype(np.float64))
    y = e / e.sum(axis=axis, keepdims=True)
    return Case(name, {"input": x}, [(np.log(y) if name == "LogSoftmaxOp" else y).astype(np.float32)], {"dim": dim}, label=dim.name)


AVG, MAX = PoolMode.AVG, PoolMode.MAX
CASES = [
    _conv("plain"), _conv("stride and sums of pads", (2, 1), pad=(2, 3)), _conv("dilation", dilation=(2, 2), bias=False),
    _conv("no bias", bias=False),
    *[_conv_first(full, stdt) for full in (False, True) for stdt in (False, True)], _conv_group(),
    _depthwise("ConvDepthwiseOpParam", False), _depthwise("ConvDepthwiseOpParam_V3", True),
    _deconv((0, 0, 0, 0)), _deconv((1, 2, 0, 3)),
    _mlp(True), _mlp(False), _xw_plus_b(), _matrix_mult(), *[_batch_dot(a, b) for a in (False, True) for b in (False, True)], _rnn(), _svdf(),
    _pool("max", MAX), _pool("mean", AVG), _pool("floor", MAX, PoolStrategyMode.KVALID), _pool("padded max", MAX, pad=(2, 2)),
    _pool("real mean", AVG, pad=(2, 2)), _pool("padded mean", AVG, pad=(2, 2), real=False), _pool("position", PoolMode.MAXINDEX),
    _l2_pool(AVG), _l2_pool(MAX),
    *[_unpool(m) for m in UnpoolMode if m != UnpoolMode.ROWWISE], _fractional(AVG, False), _fractional(MAX, False), _fractional(MAX, True),
    _add_pad(False), _add_pad(True),
    _channels("AddPadChannelOp", "AddPadChannelOpParam", 0, 2), _channels("AddPadChannelOp", "AddPadChannelOp4Param", 1, 2),
    _channels("GrepChannelOp", "GrepChannelOpParam", 0, 2), _channels("GrepChannelOp", "GrepChannelOp2Param", 1, 2),
    *[_lrn(k, c) for k in LrnType for c in (2, 7)], _batch_norm(),
    *[_normalize(a, s) for a in (False, True) for s in (False, True)], *[_mean_var(v, a) for v in (False, True) for a in (False, True)],
    _softmax(SoftmaxDim.C, 1, "SoftmaxOp"), _softmax(SoftmaxDim.W, 3, "SoftmaxOp"), _softmax(SoftmaxDim.H, 2, "SoftmaxOp"),
    _softmax(SoftmaxDim.N, 0, "SoftmaxOp"), _softmax(Dimension.C, 1, "LogSoftmaxOp"), _softmax(Dimension.W, 3, "LogSoftmaxOp"),
]
