"""Orders, reductions, selections, images."""
from __future__ import annotations

import numpy as np
from cnml_tests.api_tests.api_case import Case, values, whole

from cnml.api.enums import ArgmaxAxis, ConcatMode, DataOrder, Dimension, ReduceMaxMode, ReverseAxis, RgbType, SplitMode, YuvType

SHAPE = (2, 3, 4, 5)


def _same_bytes(a: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(a, np.float32)


def _transpose(order: DataOrder, dims) -> Case:
    x = values("transpose", *SHAPE)
    cpu = ["NCHW".index(letter) for letter in order.name]
    y = x.transpose(cpu).transpose(dims).transpose([cpu.index(a) for a in range(4)])
    return Case("TransposeProOp", {"input": x}, [_same_bytes(y)], {"param": ("TransposeOpParam", order, *dims)}, label=f"{order.name} {dims}")


def _reshape(order: DataOrder) -> Case:
    x = values("reshape", *SHAPE)
    cpu = ["NCHW".index(letter) for letter in order.name]
    out = (1, 4, 6, 5)
    y = x.transpose(cpu).reshape([out[a] for a in cpu]).transpose([cpu.index(a) for a in range(4)])
    return Case("ReshapeOp", {"input": x}, [_same_bytes(y)], {"param": ("ReshapeOpParam", *out, order)}, label=order.name)


def _reverse(axis: ReverseAxis) -> Case:
    x = values("reverse", *SHAPE)
    y = x[:, :, ::-1, ::-1] if axis == ReverseAxis.HW else np.flip(x, int(axis))
    return Case("ReverseOp", {"input": x}, [_same_bytes(y)], {"reverse_axis": axis}, label=axis.name)


def _concat(mode: ConcatMode) -> Case:
    axis = {"FEAT": 1, "BATCH": 0, "HIGHT": 2, "WIDTH": 3}[mode.name]
    shapes = [tuple(k if a == axis else d for a, d in enumerate(SHAPE)) for k in (2, 1, 3)]
    parts = [values(f"concat {i}", *s) for i, s in enumerate(shapes)]
    return Case("ConcatOp", {"inputs": parts}, [np.concatenate(parts, axis)], {"param": ("ConcatOpParam", 3, 1, mode)}, label=mode.name)


def _split(mode: SplitMode) -> Case:
    axis = {"FEAT": 1, "BATCH": 0, "HIGHT": 2, "WIDTH": 3}[mode.name]
    x = values("split", 5, 5, 5, 5)
    return Case("SplitOp", {"inputs": [x]}, [_same_bytes(p) for p in np.split(x, [2, 3], axis)], {"param": ("SplitOpParam", 1, 3, mode)},
                label=mode.name)


def _shuffle() -> Case:
    xs = [values("shuffle a", 2, 6, 2, 2), values("shuffle b", 1, 4, 3, 2)]
    ys = [_same_bytes(x[:, [g * (x.shape[1] // 2) + j for j in range(x.shape[1] // 2) for g in range(2)]]) for x in xs]
    return Case("ShuffleChannelOp", {"inputs": xs}, ys, {"group": 2})


def _grep() -> Case:
    x = values("grep", 3, 3, 6, 7)
    return Case("GrepOp", {"input": x}, [_same_bytes(x[1:3, :, 2:5, 3:7])], {"param": ("GrepOpParam", 1, 2, 3, 0.0)})


def _strided() -> Case:
    x = values("strided", 3, 4, 6, 7)
    return Case("StridedSliceOp", {"input": x}, [_same_bytes(x[0:3:2, 1:4:1, 1:6:2, 0:-1:3])],
                {"param": ("StridedSliceOpParam", 0, 1, 1, 0, 3, 4, 6, -1, 2, 1, 2, 3)})


def _blocks(name: str) -> Case:
    x = values(name, 2, 3, 4, 6) if name == "Space2batchOp" else values(name, 12, 3, 2, 2)
    if name == "Space2batchOp":
        y = np.concatenate([x[:, :, i::2, j::3] for i in range(2) for j in range(3)])
    else:
        y = np.zeros((2, 3, 4, 6), np.float32)
        for i in range(2):
            for j in range(3):
                y[:, :, i::2, j::3] = x[2 * (3 * i + j):2 * (3 * i + j) + 2]
    return Case(name, {"input": x}, [_same_bytes(y)], {"w_block_size": 3, "h_block_size": 2})


def _reorg(reverse: bool) -> Case:
    """Darknet's loop over the flat elements."""
    n, c, h, w, s = 2, 8, 4, 6, 2
    x = values("reorg", n, c, h, w)
    k, flat = c // (s * s), x.reshape(-1)
    y = np.zeros(x.size, np.float32)
    for b in range(n):
        for ch in range(c):
            for j in range(h):
                for i in range(w):
                    here = i + w * (j + h * (ch + c * b))
                    part = ch % k
                    offset = ch // k
                    there = i * s + offset % s + w * s * (j * s + offset // s + h * s * (part + k * b))
                    if reverse:
                        y[there] = flat[here]
                    else:
                        y[here] = flat[there]
    shape = (n, k, h * s, w * s) if reverse else (n, c * s * s, h // s, w // s)
    return Case("ReorgOp", {"input": x}, [y.reshape(shape)], {"param": ("ReorgOpParam", s, s, reverse)}, label=str(reverse))


def _gather(axis: Dimension) -> Case:
    x, index = values("gather", *SHAPE), np.array([1, 0, 9, 1], np.float32).reshape(1, 4, 1, 1)
    y = np.take(x, [1, 0, 0, 1], axis=int(axis))
    y[tuple(slice(2, 3) if a == int(axis) else slice(None) for a in range(4))] = 0
    return Case("GatherV2Op", {"input": x, "indexTensor": index}, [_same_bytes(y)], {"axies": axis}, label=axis.name)


def _nonzero() -> Case:
    x = whole("where", *SHAPE, low=-1, high=1)
    found = [i for i, v in enumerate(x.reshape(-1)) if v]
    y = np.zeros(x.size, np.float32)
    y[:len(found)] = found
    return Case("WhereOp", {"input": x}, [y.reshape(SHAPE), np.full((1, 1, 1, 1), len(found), np.float32)])


def _unary_select() -> Case:
    c, x = whole("us c", *SHAPE, low=0, high=1), values("us x", *SHAPE)
    found = [v for k, v in zip(c.reshape(-1), x.reshape(-1), strict=True) if k]
    y = np.zeros(x.size, np.float32)
    y[:len(found)] = found
    return Case("UnarySelectOp", {"input_1": c, "input_2": x}, [y.reshape(SHAPE), np.full((1, 1, 1, 1), len(found), np.float32)])


def _dyadic_select() -> Case:
    c, a, b = whole("ds c", *SHAPE, low=0, high=1), values("ds a", *SHAPE), values("ds b", *SHAPE)
    return Case("DyadicSelectOp", {"input_1": c, "input_2": a, "input_3": b}, [np.where(c != 0, a, b)])


def _extreme(name: str, function, position) -> Case:
    x = values(name, *SHAPE)
    return Case(name, {"input": x}, [function(x, axis=1, keepdims=True), np.expand_dims(position(x, axis=1), 1).astype(np.float32)])


def _reduce(name: str, key: str, mode, axis: int, function) -> Case:
    x = values(name, *SHAPE)
    return Case(name, {"input": x}, [function(x.astype(np.float64), axis=axis, keepdims=True).astype(np.float32)], {key: mode}, label=mode.name)


def _by_output(name: str, axes) -> Case:
    x = values(name, *SHAPE).astype(np.float64)
    y = x.mean(axis=axes, keepdims=True) if name == "AvgOp" else np.sqrt((x * x).sum(axis=axes, keepdims=True))
    return Case(name, {"input": x.astype(np.float32)}, [y.astype(np.float32)], label=str(axes))


def _top_k(axis: Dimension) -> Case:
    x = whole("top", 2, 6, 5, 5)
    order = np.argsort(-x, axis=int(axis), kind="stable").take(range(3), axis=int(axis))
    best = np.take_along_axis(x, order, axis=int(axis))
    return Case("TopkOp", {"input": x}, [best, order.astype(np.float32)], {"k": 3, "ch": axis}, label=axis.name)


def _bilinear(x: np.ndarray, height: int, width: int, corners: bool) -> np.ndarray:
    y = np.zeros((*x.shape[:2], height, width))
    h, w = x.shape[2:]
    for i in range(height):
        for j in range(width):
            a = i * (h - 1) / (height - 1) if corners else max((i + 0.5) * h / height - 0.5, 0)
            b = j * (w - 1) / (width - 1) if corners else max((j + 0.5) * w / width - 0.5, 0)
            t, left = min(int(a), h - 1), min(int(b), w - 1)
            u, v = min(t + 1, h - 1), min(left + 1, w - 1)
            p, q = a - t, b - left
            above = (1 - q) * x[:, :, t, left] + q * x[:, :, t, v]
            y[:, :, i, j] = (1 - p) * above + p * ((1 - q) * x[:, :, u, left] + q * x[:, :, u, v])
    return y.astype(np.float32)


def _interp(maker: str, corners: bool) -> Case:
    x = values("interp", 1, 2, 4, 5)
    ratio = maker.endswith("Ratio")
    size = (8, 10) if ratio else (7, 9)
    return Case("InterpOp", {"input": x}, [_bilinear(x, *size, corners)], {"param": (maker, 2, corners) if ratio else (maker, 9, 7, corners)},
                label=f"{maker} {corners}")


def _resize() -> Case:
    x = values("resize", 1, 2, 6, 5)
    return Case("ResizeOp", {"input": x}, [_bilinear(x, 4, 9, False)], {"param": ("ResizeOpParam", 6, 5, 4, 9)})


def _nearest(maker: str) -> Case:
    x = values("nearest", 1, 2, 4, 5)
    h, w = (12, 15) if maker.endswith("Ratio") else (6, 7)
    y = x[:, :, [i * 4 // h for i in range(h)]][:, :, :, [j * 5 // w for j in range(w)]]
    return Case("NearestNeighborOp", {"input": x}, [_same_bytes(y)], {"param": (maker, 3) if maker.endswith("Ratio") else (maker, 7, 6)}, label=maker)


def _yuv(kind: YuvType, form: RgbType) -> Case:
    x = whole("yuv", 2, 1, 6, 6, low=0, high=255)
    y = np.zeros((2, 4, 4, 6))
    for i in range(4):
        for j in range(6):
            pair = x[:, 0, 4 + i // 2, 2 * (j // 2):2 * (j // 2) + 2]
            u, v = (pair[:, 0], pair[:, 1]) if kind == YuvType.NV12 else (pair[:, 1], pair[:, 0])
            luma = 1.164 * (x[:, 0, i, j] - 16.0)
            r, g, b = luma + 1.596 * (v - 128), luma - 0.813 * (v - 128) - 0.391 * (u - 128), luma + 2.018 * (u - 128)
            r, g, b = (np.clip(np.floor(p + 0.5), 0, 255) for p in (r, g, b))
            zero, full = np.zeros(2), np.full(2, 255.0)
            y[:, :, i, j] = np.stack({RgbType.RGB0: [r, g, b, zero], RgbType.BGR0: [b, g, r, zero], RgbType.ARGB: [full, r, g, b]}[form], axis=1)
    return Case("YUVtoRGBOp", {"input": x}, [y.astype(np.float32)], {"yuv_type": kind, "rgb_type": form}, label=f"{kind.name} {form.name}")


def _gray() -> Case:
    x = whole("gray", 2, 1, 6, 6, low=0, high=255)
    return Case("YUVtoGrayOp", {"input": x}, [_same_bytes(x[:, :, :4])], {"yuv_type": YuvType.NV21})


CASES = [
    _transpose(DataOrder.NCHW, (0, 2, 3, 1)), _transpose(DataOrder.NHWC, (0, 3, 1, 2)), _transpose(DataOrder.NHWC, (2, 0, 3, 1)),
    _reshape(DataOrder.NCHW), _reshape(DataOrder.NHWC), *[_reverse(a) for a in ReverseAxis], *[_concat(m) for m in ConcatMode],
    *[_split(m) for m in SplitMode], _shuffle(), _grep(), _strided(), _blocks("Space2batchOp"), _blocks("Batch2spaceOp"), _reorg(False), _reorg(True),
    *[_gather(a) for a in Dimension], _nonzero(), _unary_select(), _dyadic_select(),
    _extreme("MaxOp", np.max, np.argmax), _extreme("MinOp", np.min, np.argmin),
    *[_reduce("ReduceMaxOp", "mode", m, {"BATCH": 0, "FEAT": 1, "HIGHT": 2, "WIDTH": 3}[m.name], np.max) for m in ReduceMaxMode],
    *[_reduce("ReduceSumOp", "mode", m, int(m), np.sum) for m in Dimension],
    *[_reduce("ReduceMeanOp", "mode", m, int(m), np.mean) for m in Dimension],
    *[_reduce("ArgmaxOp", "argmax_mode", m, int(m), lambda x, axis, keepdims: np.expand_dims(x.argmax(axis), axis)) for m in ArgmaxAxis],
    _by_output("AvgOp", (2, 3)), _by_output("AvgOp", (1,)), _by_output("Vector2NormOp", (1, 2, 3)), _by_output("Vector2NormOp", (3,)),
    _top_k(Dimension.C), _top_k(Dimension.W),
    *[_interp(m, c) for m in ("InterpOpParam", "InterpOpParamByRatio") for c in (False, True)], _resize(),
    _nearest("NearestNeighborOpParam"), _nearest("NearestNeighborOpParamByRatio"),
    *[_yuv(k, f) for k in YuvType for f in RgbType], _gray(),
]
