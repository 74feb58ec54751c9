"""Region proposals: py-faster-rcnn's, and the vendor's with a fixed number of rows."""
from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cnml.errors import expect
from cnml.operator import Operator
from cnml.ops.compiled_nms import compiled_nms
from cnml.reference.proposal import ProposalOptions, proposal
from cnml.reference.proposal_mlu import MluProposalOptions, mlu_anchors, mlu_proposal
from cnml.tensor import Shape, count


class Proposal(Operator):
    """Inputs: scores (1, 2 A, H, W), offsets (1, 4 A, H, W), image info. Outputs: rois (R, 5) and, if asked for, their scores (R, 1).

    Parameters
    ----------
    options : ProposalOptions
    outputs : int
        1 or 2.
    name : str
    """

    kind = "Proposal"
    results = "kept"
    dynamic = True
    host_reason = "the number of proposals depends on the data"

    def __init__(self, options: ProposalOptions, outputs: int = 1, name: str = ""):
        super().__init__(name)
        self.options = options
        self.outputs = outputs

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """One image; 2 and 4 channels an anchor."""
        scores, offsets, info = inputs
        anchors = len(self.options.ratios) * len(self.options.scales)
        _check(self, scores, offsets, anchors)
        expect(count(info) >= 3, self, f"image info {info}", "it needs height, width and scale")
        return [(1, 5), (1, 1)][:self.outputs]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.proposal`."""
        return proposal(inputs[0], inputs[1], inputs[2], self.options, compiled_nms)[:self.outputs]


class MluProposal(Operator):
    """The vendor's: inputs as above, the info may be missing; output (results, 5) with zeros after the last box.

    Parameters
    ----------
    options : MluProposalOptions
    name : str
    """

    kind = "MluProposal"
    results = "kept"
    host_reason = "sorting and suppression, data dependent"

    def __init__(self, options: MluProposalOptions, name: str = ""):
        super().__init__(name)
        self.options = options

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """A fixed number of rows."""
        o = self.options
        _check(self, inputs[0], inputs[1], o.anchors)
        expect(len(mlu_anchors(o)) >= o.anchors, self, f"anchor_num {o.anchors}", f"the ratios and scales give only {len(mlu_anchors(o))} anchors")
        expect(o.results > 0, self, f"nms_num {o.results}", "it must be positive")
        return [(o.results, 5)]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.proposal_mlu`."""
        return [mlu_proposal(inputs[0], inputs[1], inputs[2] if len(inputs) > 2 else None, self.options, compiled_nms)]


def _check(op: Operator, scores: Shape, offsets: Shape, anchors: int) -> None:
    expect(len(scores) == 4 and len(offsets) == 4 and scores[0] == offsets[0] == 1, op, f"scores {scores} and offsets {offsets}",
           "both need four axes and a batch of 1")
    expect(scores[1] == 2 * anchors and offsets[1] == 4 * anchors and scores[2:] == offsets[2:], op,
           f"scores {scores} and offsets {offsets} for {anchors} anchors",
           "there must be 2 scores and 4 offsets for each anchor on the same cells")
