"""Weights that are not zero, in the order in which sparse convolutions walk them.

An array of int32. First the word at which each (group, part of the outputs) begins; there, for each block of channels: the number of runs, and for
each run how many weights a row has, how many rows there are, and the rows: the output's rank in its part, then for each weight the bytes from
the block's share of a panel to its input, and its bits. Rows of as many weights make a run, so that the end of a row is no surprise to the CPU. In
the first block every output has a row; in the others those that have weights.
"""
from __future__ import annotations

from math import ceil

import numpy as np

from cnml.cpu import isa
from cnml.kernels.conv_shape import Conv2dShape
from cnml.kernels.sparse_plan_f32 import SparsePlan
from cnml.parameter import aligned_empty


def pack_sparse_f32(plan: SparsePlan, shape: Conv2dShape, weights: np.ndarray, bias: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Pack a convolution's weights and bias.

    Parameters
    ----------
    plan : SparsePlan
    shape : Conv2dShape
    weights : (Cout, Cin / group, KH, KW) float
    bias : (Cout,) float, optional

    Returns
    -------
    packed : int32
        As above, 64-byte aligned.
    bias : float32
        [group][outputs of a group, padded to whole vectors].
    """
    lanes, (cout, depth, kh, kw) = isa().lanes, weights.shape
    outputs = cout // shape.group
    by_group = np.asarray(weights, np.float32).reshape(shape.group, outputs, depth, kh, kw)
    streams, words = [], shape.group * ceil(outputs / plan.part)
    starts = []
    for group in by_group:
        for first in range(0, outputs, plan.part):
            starts.append(words)
            for c in range(0, depth, plan.depth_block):
                streams.append(_pack_block(plan, shape, group[first:first + plan.part, c:c + plan.depth_block], c == 0))
                words += streams[-1].size
    packed = aligned_empty((words,), np.int32)
    np.concatenate([np.array(starts, np.int32), *streams], out=packed)
    padded = aligned_empty((shape.group, ceil(outputs / lanes) * lanes))
    padded[...] = 0
    if bias is not None:
        padded[:, :outputs] = np.reshape(bias, (shape.group, outputs))
    return packed, padded.reshape(-1)


def places(plan: SparsePlan, shape: Conv2dShape, channel: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Bytes from the beginning of a panel, or a block's share of one, to the inputs of kernel position (y, x) of a channel for vector 0."""
    vector = 0 if plan.cut.wide == 0 else y * shape.dilation[0] * shape.kernel[1] + x
    found: np.ndarray = 4 * isa().lanes * (channel * plan.vectors + vector)
    return found


def _pack_block(plan: SparsePlan, shape: Conv2dShape, weights: np.ndarray, first: bool) -> np.ndarray:
    """The words of a block of channels, for the outputs of a part."""
    counts = np.count_nonzero(weights.reshape(weights.shape[0], -1), axis=1)
    order = np.argsort(counts, kind="stable")
    order = order if first else order[counts[order] > 0]
    ordered = counts[order]
    output, channel, y, x = np.nonzero(weights[order])
    heads, rows = np.unique(ordered, return_counts=True)
    run = np.repeat(np.arange(heads.size), rows)                         # of each row
    starts = 1 + 2 * (run + 1) + np.arange(order.size) + 2 * (np.cumsum(ordered) - ordered)  # word of each row
    words = np.empty(1 + 2 * heads.size + order.size + 2 * output.size, np.int32)
    words[0] = heads.size
    run_starts = starts[np.cumsum(rows) - rows] - 2
    words[run_starts], words[run_starts + 1] = heads, rows
    words[starts] = order
    pairs = starts[output] + 1 + 2 * (np.arange(output.size) - (np.cumsum(ordered) - ordered)[output])
    words[pairs] = places(plan, shape, channel, y, x)
    words[pairs + 1] = weights[order][output, channel, y, x].view(np.int32)
    return words
