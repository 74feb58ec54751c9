"""Weights in the order the convolution tiles read them."""
from __future__ import annotations

from math import ceil

import numpy as np

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


def _pack(plan: ConvPlan, weights: np.ndarray, bias: np.ndarray | None, scale: np.ndarray | None, shift: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """`weights` is (group, Cout / group, Cin / group, KH, KW)."""
    group, cout = weights.shape[:2]
    blocks = ceil(cout / plan.nr)
    total = np.zeros(group * cout) if bias is None else np.asarray(bias, np.float64).ravel()
    if scale is not None:
        factor = np.asarray(scale, np.float64).reshape(group, cout)
        weights = (weights * factor[:, :, None, None, None]).astype(np.float32)
        total = total * factor.ravel()
    if shift is not None:
        total = total + np.asarray(shift, np.float64).ravel()
    parts = [_pack_phase(plan, phase, weights, blocks) for phase in plan.phases]
    packed = aligned_empty((sum(p.size for p in parts),))
    np.concatenate([p.ravel() for p in parts], out=packed)
    padded = aligned_empty((group, blocks * plan.nr))
    padded[...] = 0
    padded[:, :cout] = total.reshape(group, cout)
    return packed, padded.reshape(-1)


def _pack_phase(plan: ConvPlan, phase: Phase, weights: np.ndarray, blocks: int) -> np.ndarray:
    group, cout, cin = weights.shape[:3]
    if plan.staged:  # a tap is (kernel column, channel)
        taps = weights.transpose(0, 1, 3, 4, 2).reshape(group, cout, weights.shape[3], -1)
    else:
        ys, xs = [y for y, _ in phase.source], [x for _, x in phase.source]
        taps = weights[:, :, :, ys, xs].transpose(0, 1, 3, 2)
    full = np.zeros((group, blocks * plan.nr, *taps.shape[2:]), np.float32)
    full[:, :cout] = taps
    return full.reshape(group, blocks, plan.nr, *taps.shape[2:]).transpose(0, 1, 3, 4, 2)
