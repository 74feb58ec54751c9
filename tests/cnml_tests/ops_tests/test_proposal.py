"""Region proposals of both forms."""
from __future__ import annotations

import numpy as np
import pytest

from cnml.errors import CnmlError
from cnml.ops.proposal import MluProposal, Proposal
from cnml.reference.proposal import ProposalOptions, generate_anchors, moved_boxes
from cnml.reference.proposal_mlu import DEFAULT_ANCHORS, MluProposalOptions, mlu_anchors


def test_anchors_are_those_of_the_paper():
    """The nine anchors that py-faster-rcnn's documentation lists."""
    want = [(-83, -39, 100, 56), (-175, -87, 192, 104), (-359, -183, 376, 200), (-55, -55, 72, 72), (-119, -119, 136, 136), (-247, -247, 264, 264),
            (-35, -79, 52, 96), (-79, -167, 96, 184), (-167, -343, 184, 360)]
    np.testing.assert_allclose(generate_anchors(16, (0.5, 1, 2), (8, 16, 32)) + 1, want)
    np.testing.assert_allclose(DEFAULT_ANCHORS, np.array(want) - 1)


def test_moved_boxes():
    np.testing.assert_allclose(moved_boxes(np.array([[0, 0, 9, 19]]), np.array([[0.1, 0.2, np.log(2), 0]])), [[-4, 4, 16, 24]], rtol=1e-5, atol=1e-5)


def case(rng, anchors=9, height=5, width=6):
    """Scores, offsets, image info."""
    return [rng.random((1, 2 * anchors, height, width)).astype(np.float32),
            (0.3 * rng.standard_normal((1, 4 * anchors, height, width))).astype(np.float32),
            np.array([[80, 96, 1]], np.float32)]


def test_proposals_lie_in_the_image_and_fall_in_score(rng):
    op = Proposal(ProposalOptions(results=20), 2)
    inputs = case(rng)
    assert op.reshape([x.shape for x in inputs], []) == [(1, 5), (1, 1)]
    rois, scores = op.reference(inputs, [])
    assert 0 < len(rois) <= 20 and len(rois) == len(scores)
    assert (rois[:, 0] == 0).all() and rois[:, 1:].min() >= 0 and (rois[:, 3] <= 95).all() and (rois[:, 4] <= 79).all()
    assert ((rois[:, 3:] - rois[:, 1:3] + 1) >= 16).all()
    assert (np.diff(scores[:, 0]) <= 0).all()


def test_min_size_is_scaled_with_the_image(rng):
    scores, offsets, info = case(rng)
    few = Proposal(ProposalOptions()).reference([scores, offsets, info * [1, 1, 4]], [])[0]
    assert ((few[:, 3:] - few[:, 1:3] + 1) >= 64).all()


@pytest.mark.parametrize("options", [MluProposalOptions(results=20), MluProposalOptions(results=400, nproposal=True, ratios=(0.5, 1.0, 2.0),
                                                                                        scales=(2.0, 4.0, 8.0)),
                                     MluProposalOptions(results=20, pvanet=True, ratios=(0.5, 1.0, 2.0), scales=(2.0, 4.0, 8.0))])
def test_the_vendors_form_has_a_fixed_number_of_rows(options, rng):
    op, inputs = MluProposal(options), case(rng)
    assert op.reshape([x.shape for x in inputs], []) == [(options.results, 5)]
    rows = op.reference(inputs, [])[0]
    assert rows.shape == (options.results, 5) and rows[0].any()


def test_the_vendors_form_takes_the_image_from_its_fields_when_the_info_is_zero(rng):
    scores, offsets, info = case(rng)
    op = MluProposal(MluProposalOptions(results=10, image=(80.0, 96.0, 1.0), min_width=16.0, min_height=16.0))
    want = op.reference([scores, offsets, info], [])[0]
    np.testing.assert_array_equal(op.reference([scores, offsets, info * 0], [])[0], want)
    np.testing.assert_array_equal(op.reference([scores, offsets], [])[0], want)


def test_anchor_forms_agree_in_number():
    for options in (MluProposalOptions(), MluProposalOptions(ratios=(1.0, 2.0), scales=(1.0, 2.0, 3.0)),
                    MluProposalOptions(ratios=(1.0, 2.0), scales=(1.0, 2.0, 3.0), pvanet=True)):
        assert len(mlu_anchors(options)) == (6 if options.ratios else 9)


@pytest.mark.parametrize(("op", "shapes"), [
    (Proposal(ProposalOptions()), [(2, 18, 3, 3), (2, 36, 3, 3), (1, 3)]), (Proposal(ProposalOptions()), [(1, 16, 3, 3), (1, 36, 3, 3), (1, 3)]),
    (Proposal(ProposalOptions()), [(1, 18, 3, 3), (1, 36, 3, 3), (1, 2)]),
    (MluProposal(MluProposalOptions(anchors=12)), [(1, 24, 3, 3), (1, 48, 3, 3)]),
    (MluProposal(MluProposalOptions(results=0)), [(1, 18, 3, 3), (1, 36, 3, 3)])])
def test_shapes_that_do_not_fit_are_refused(op, shapes):
    with pytest.raises(CnmlError):
        op.reshape(shapes, [])
