"""Normalisation and softmax."""
from __future__ import annotations

from cnml.api.assembly import Assembly
from cnml.api.constructor import row
from cnml.api.enums import LrnType, SoftmaxDim
from cnml.errors import Status
from cnml.ops.log_softmax import LogSoftmax
from cnml.ops.lrn import Lrn
from cnml.ops.mvn import MVN
from cnml.ops.normalize import Normalize
from cnml.ops.scale import Scale
from cnml.ops.softmax import Softmax
from cnml.tensor import Tensor, count

AXES = {SoftmaxDim.C: 1, SoftmaxDim.W: 3, SoftmaxDim.H: 2, SoftmaxDim.N: 0}


def _lrn(b: Assembly) -> Tensor:
    p, channels = b.param, b.shape("input")[1]
    b.expect(p.local_size > 0 and p.local_size % 2 == 1, f"local_size {p.local_size}", "it must be odd and positive")
    divisor = {LrnType.V1: min(p.local_size, 2 * channels - 1), LrnType.V2: 1, LrnType.V3: p.local_size}[p.type]
    return b.add(Lrn("ACROSS_CHANNELS", p.local_size, p.alpha * p.local_size / divisor, p.beta, p.k), b.x())


def _batch_norm(b: Assembly) -> Tensor:
    channels = b.shape("input")[1]
    for slot in ("mean", "var"):
        b.expect(count(b.shape(slot)) == channels, f"{slot} {b.shape(slot)}", f"it must have one value for each of the {channels} channels")
    factor = b.parameter("var", (channels,))
    shift = b.parameter(("mean", "var"), (channels,), lambda mean, var: -mean.reshape(channels) * var.reshape(channels))
    return b.add(Scale(1, 1, True), b.x(), [factor, shift])


def _normalize(b: Assembly) -> Tensor:
    p, channels = b.param, b.shape("input")[1]
    b.expect(p.p == 2, f"p {p.p}", "only the Euclidean norm is supported", Status.UNSUPPORT)
    if not p.scale:
        return b.add(Normalize(bool(p.across_spatial)), b.x(), [b.parameter((), (1,), lambda: p.weight)])
    b.expect(b.has("scale") and count(b.shape("scale")) in (1, channels), "its scale tensor",
             f"there must be one with one value or {channels}, since the parameter object asks for it")
    return b.add(Normalize(bool(p.across_spatial)), b.x(), [b.parameter("scale", (count(b.shape("scale")),))])


ROWS = [
    row("NormalizeOp", "param:NormalizeOpParam <input >output =scale?", _normalize,
        "x / norm over the channels or (across_spatial) over the item, times the scale tensor if `scale` is not 0, else times `weight`"),
    row("LrnOp", "param:LrnOpParam <input >output", _lrn, "x / (k + alpha · sum of squares / m) to the power of beta over neighbouring channels"),
    row("BatchNormOp", "<input >output =mean =var", _batch_norm, "(x - mean) var, where var holds 1 / standard deviation"),
    row("MeanVarNormOp", "<input >output use_variance:bool across_spatial:bool eps:float",
        lambda b: b.add(MVN(b["across_spatial"], b["use_variance"], b["eps"]), b.x()),
        "(x - mean) / (standard deviation + eps) of a channel or (across_spatial) of the item"),
    row("SoftmaxOp", "dim:SoftmaxDim <input >output", lambda b: b.add(Softmax(AXES[b["dim"]]), b.x()), "softmax along an axis"),
    row("LogSoftmaxOp", "<input >output dim:Dimension", lambda b: b.add(LogSoftmax(int(b["dim"])), b.x()), "logarithm of the softmax along an axis",
        golden="dim input output"),
]
