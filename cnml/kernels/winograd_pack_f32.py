"""Weights of a Winograd convolution, transformed and in the order the products read them."""
from __future__ import annotations

import numpy as np

from cnml.cpu import isa
from cnml.kernels.winograd_plan_f32 import WinogradPlan
from cnml.parameter import aligned_empty
from cnml.ukernels.winograd_points import weight_transform


def pack_winograd_f32(plan: WinogradPlan, weights: np.ndarray, bias: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Transform in float64, round once to float32.

    Parameters
    ----------
    plan : WinogradPlan
    weights : (Cout, Cin / group, ry, rx) float
    bias : (Cout,) float, optional

    Returns
    -------
    packed : float32
        [block of outputs][product][depth][outputs of the block], 64-byte aligned, missing outputs zero.
    bias : float32
        [block of outputs][outputs of the block].
    """
    lanes, depth = isa().lanes, weights.shape[1]
    form, area = plan.form, plan.form.ry * plan.form.rx
    both = np.kron(weight_transform(form.my, form.ry), weight_transform(form.mx, form.rx))  # row e of the product (i, j), column of the tap (y, x)
    columns = sum(b.vectors for b in plan.blocks) * lanes
    packed, starts, at = aligned_empty((len(both) * depth * columns,)), aligned_empty((columns,)), 0
    total = np.zeros(len(weights)) if bias is None else np.asarray(bias, np.float64).reshape(-1)
    starts[...] = 0
    for b in plan.blocks:
        width = b.vectors * lanes
        taps = np.zeros((area, depth, width))
        taps[:, :, :b.columns] = np.asarray(weights[b.output:b.output + b.columns]).reshape(b.columns, depth, area).transpose(2, 1, 0)
        out = packed[at * depth * len(both):(at + width) * depth * len(both)]
        out.reshape(len(both), -1)[...] = both @ taps.reshape(area, -1)
        starts[at:at + b.columns] = total[b.output:b.output + b.columns]
        at += width
    return packed, starts
