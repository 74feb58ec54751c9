"""Weights in the order the convolution tiles read them."""
from __future__ import annotations

from math import ceil

import numpy as np

from cnml.cpu import isa
from cnml.kernels.conv_plan_f32 import ConvPlan, Phase
from cnml.parameter import aligned_empty


def pack_conv2d_f32(plan: ConvPlan, weights: np.ndarray, bias: np.ndarray | None = None, group: int = 1, scale: np.ndarray | None = None,
                    shift: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Pack a convolution's weights and bias, with a per-channel affine map of the output folded in.

    Parameters
    ----------
    plan : ConvPlan
    weights : (Cout, Cin / group, KH, KW) float
    bias : (Cout,) float, optional
    group : int
    scale, shift : (Cout,) float, optional
        The layer gives scale * (conv + bias) + shift.

    Returns
    -------
    packed : float32
        [phase][group and block of nr channels][tap][depth][nr], 64-byte aligned, missing channels zero.
    bias : float32
        [group and block][nr].
    """
    cout, cin, kh, kw = weights.shape
    return _pack(plan, np.asarray(weights).reshape(group, cout // group, cin, kh, kw), bias, scale, shift)


def pack_deconv2d_f32(plan: ConvPlan, weights: np.ndarray, bias: np.ndarray | None = None, group: int = 1, scale: np.ndarray | None = None,
                      shift: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """As `pack_conv2d_f32` for a deconvolution, whose weights are (Cin, Cout / group, KH, KW)."""
    cin, cout, kh, kw = weights.shape
    return _pack(plan, np.asarray(weights).reshape(group, cin // group, cout, kh, kw).transpose(0, 2, 1, 3, 4), bias, scale, shift)


def _pack(plan: ConvPlan, weights: np.ndarray, bias: np.ndarray | None, scale: np.ndarray | None,
          shift: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """`weights` is (group, Cout / group, Cin / group, KH, KW)."""
    total = np.zeros(weights.shape[0] * weights.shape[1]) if bias is None else np.asarray(bias, np.float64).ravel()
    if scale is not None:
        factor = np.asarray(scale, np.float64).reshape(weights.shape[:2])
        weights = (weights * factor[:, :, None, None, None]).astype(np.float32)
        total = total * factor.ravel()
    if shift is not None:
        total = total + np.asarray(shift, np.float64).ravel()
    total = total.reshape(weights.shape[:2])
    if plan.variant in ("depthwise", "sliding"):  # the outputs of one rank side by side, as their inputs lie
        weights, total = weights.transpose(1, 0, 2, 3, 4), total.T
    rows, cout = weights.shape[:2]
    blocks = ceil(cout / plan.nr)
    depth = ceil(weights.shape[2] / isa().lanes) * isa().lanes if plan.variant == "narrow" else weights.shape[2]
    sizes = [rows * blocks * plan.nr * depth * phase_taps(plan, phase, weights) for phase in plan.phases]
    packed = aligned_empty((sum(sizes),))
    at = 0
    for phase, size in zip(plan.phases, sizes, strict=True):
        _pack_phase(plan, phase, weights, packed[at:at + size])
        at += size
    padded = aligned_empty((rows, blocks * plan.nr))
    padded[...] = 0
    padded[:, :cout] = total
    return packed, padded.reshape(-1)


def phase_taps(plan: ConvPlan, phase: Phase, weights: np.ndarray) -> int:
    """Kernel positions of a phase."""
    return int(weights.shape[3] * weights.shape[4]) if plan.variant in ("first", "rows") else len(phase.source)


def _pack_phase(plan: ConvPlan, phase: Phase, weights: np.ndarray, out: np.ndarray) -> None:
    """Fill `out`, the (rows, block, tap, depth, nr) of one phase."""
    rows, cout, cin = weights.shape[:3]
    if plan.variant in ("first", "rows"):  # a tap is (kernel column, channel)
        taps = weights.transpose(0, 1, 3, 4, 2).reshape(rows, cout, weights.shape[3], -1)
    else:
        ys, xs = [y for y, _ in phase.source], [x for _, x in phase.source]
        taps = weights[:, :, :, ys, xs].transpose(0, 1, 3, 2)
    if plan.variant == "narrow":
        _pack_narrow(plan, taps, out)
        return
    view = out.reshape(rows, ceil(cout / plan.nr), *taps.shape[2:], plan.nr)
    for block in range(view.shape[1]):
        part = taps[:, block * plan.nr:(block + 1) * plan.nr].transpose(0, 2, 3, 1)
        view[:, block, :, :, :part.shape[3]] = part
        view[:, block, :, :, part.shape[3]:] = 0


def _pack_narrow(plan: ConvPlan, taps: np.ndarray, out: np.ndarray) -> None:
    """Fill `out`, the (rows, block, tap, vector of channels, nq, lanes) of one phase, from (rows, outputs, tap, channels)."""
    rows, cout, nt, cin = taps.shape
    lanes = isa().lanes
    blocks, vectors = ceil(cout / plan.nr), ceil(cin / lanes)
    full = np.zeros((rows, blocks * plan.nr, nt, vectors * lanes), np.float32)
    full[:, :cout, :, :cin] = taps
    out.reshape(rows, blocks, nt, vectors, plan.nr, lanes)[...] = full.reshape(rows, blocks, plan.nr, nt, vectors, lanes).transpose(0, 1, 3, 4, 2, 5)
