"""Proposal: regions of interest from an RPN's scores and offsets (Faster R-CNN)."""
from __future__ import annotations

from typing import Any

from cnml.graph import Graph
from cnml.ops.proposal import MluProposal
from cnml.ops.proposal import Proposal as ProposalOp
from cnml.reference.proposal import ProposalOptions
from cnml.reference.proposal_mlu import MluProposalOptions
from cnml.tensor import Tensor
from pycaffe_acc.layer import Layer, layer

#: fields that only the vendor's form of the layer reads
VENDOR_FIELDS = ("stride", "im_min_w", "im_min_h", "top_num", "nms_num", "anchor_num", "im_h", "im_w", "pvanet_mode", "nproposal_mode")


@layer("Proposal")
class Proposal(Layer):
    """top 0: rows (0, x1, y1, x2, y2); top 1, if any: their scores.

    Two forms of the layer exist. py-faster-rcnn's (feat_stride, base_size, ratio, scale, min_size, pre_nms_topn, post_nms_topn, nms_thresh) gives as
    many rows as remain; the vendor's (stride, anchor_num, top_num, nms_num, …) always gives nms_num rows, zeros at the end. The second is taken with
    vendor_exact or when one of its own fields is given.
    """

    exact_bottoms = None
    min_bottoms = 2
    max_bottoms = 3
    exact_tops = None
    min_tops = 1
    max_tops = 2

    @classmethod
    def parse(cls, message: Any) -> Any:
        """Keep proposal_param; it becomes options when the context is known."""
        return message.proposal_param

    def __init__(self, message: Any, context: Any):
        super().__init__(message, context)
        p = self.params
        self.vendor = self.context.vendor_exact or any(p.HasField(f) for f in VENDOR_FIELDS)
        self.dynamic = not self.vendor  # type: ignore[misc]
        if self.vendor:
            self.check(len(p.scale) <= 1, f"scale is given {len(p.scale)} times; the vendor's form of this layer takes it once")
            self.check(self.num_tops == 1, "the vendor's form of this layer has one top")
            self.params = MluProposalOptions(
                p.anchor_num, p.stride, p.im_min_w, p.im_min_h, int(p.top_num), p.nms_num, p.nms_thresh,
                (p.im_h, p.im_w, p.scale[0] if p.scale else 1.0),
                tuple(p.anchor_ratio), tuple(p.anchor_scale), int(p.base_size), p.pvanet_mode, p.nproposal_mode)
        else:
            self.check(self.num_bottoms == 3, "it needs three bottoms: scores, offsets and image info")
            self.params = ProposalOptions(
                float(p.feat_stride), int(p.base_size), tuple(p.ratio) or tuple(p.anchor_ratio) or (0.5, 1.0, 2.0),
                tuple(p.scale) or tuple(p.anchor_scale) or (8.0, 16.0, 32.0),
                float(p.min_size), int(p.pre_nms_topn), int(p.post_nms_topn), p.nms_thresh)

    def emit(self, graph: Graph, bottoms: list[Tensor]) -> list[Tensor]:
        """One Proposal or MluProposal operator."""
        if self.vendor:
            return graph.add(MluProposal(self.params, self.name), bottoms)
        return graph.add(ProposalOp(self.params, self.num_tops, self.name), bottoms)
