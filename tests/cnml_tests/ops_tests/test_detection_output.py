"""DetectionOutput and its suppression."""
from __future__ import annotations

import time

import numpy as np
import pytest
from cnml_tests.compiled import run_operator

from cnml.errors import CnmlError
from cnml.ops.compiled_nms import compiled_nms
from cnml.ops.detection_output import DetectionOutput
from cnml.reference.detection_output import CENTER_SIZE, CORNER, CORNER_SIZE, DetectionOptions, decode_boxes, detection_output
from cnml.reference.nms import descending, nms


def boxes(rng, n):
    """Random boxes, some of them inverted."""
    low = rng.random((n, 2)).astype(np.float32)
    return np.concatenate([low, low + (rng.random((n, 2)) * 0.5 - 0.02).astype(np.float32)], axis=1)


@pytest.mark.parametrize("eta", [1.0, 0.8])
@pytest.mark.parametrize("margin", [0.0, 1.0])
@pytest.mark.parametrize("limit", [-1, 0, 7])
def test_compiled_suppression_gives_the_indices_of_the_definition(limit, margin, eta, rng):
    b = boxes(rng, 300) * (50 if margin else 1)
    order = descending(rng.random(300), 200)
    for threshold in (0.0, 0.3, 0.6, 1.0):
        want = nms(b, order, threshold, eta=eta, margin=margin, limit=limit)
        np.testing.assert_array_equal(compiled_nms(b, order, threshold, eta=eta, margin=margin, limit=limit), want)
        assert limit or not len(want)


def test_suppression_of_nothing():
    assert compiled_nms(np.empty((0, 4), np.float32), np.empty(0, np.int64), 0.5).shape == (0,)


def test_decoding():
    prior, variance = np.array([[0.2, 0.2, 0.6, 0.4]], np.float32), np.array([[0.1, 0.1, 0.2, 0.2]], np.float32)
    t = np.array([[1, 2, 3, 4]], np.float32)
    np.testing.assert_allclose(decode_boxes(t, prior, variance, CORNER, False), [[0.3, 0.4, 1.2, 1.2]], rtol=1e-6)
    np.testing.assert_allclose(decode_boxes(t, prior, variance, CORNER, True), [[1.2, 2.2, 3.6, 4.4]], rtol=1e-6)
    np.testing.assert_allclose(decode_boxes(t, prior, variance, CORNER_SIZE, False), [[0.24, 0.24, 0.84, 0.56]], rtol=1e-6)
    w, h = 0.4 * np.exp(0.6), 0.2 * np.exp(0.8)
    np.testing.assert_allclose(decode_boxes(t, prior, variance, CENTER_SIZE, False), [[0.44 - w / 2, 0.34 - h / 2, 0.44 + w / 2, 0.34 + h / 2]],
                               rtol=1e-5)


def case(rng, images=2, priors=40, classes=4, share=True):
    """Locations, confidences, priors."""
    p = np.stack([boxes(rng, priors).reshape(-1), np.full(priors * 4, 0.1)])[None].astype(np.float32)
    loc = rng.standard_normal((images, priors * (1 if share else classes) * 4)).astype(np.float32)
    return loc, rng.random((images, priors * classes)).astype(np.float32), p


@pytest.mark.parametrize("share", [True, False])
@pytest.mark.parametrize("keep", [-1, 0, 5])
def test_rows_are_ordered_and_counted(keep, share, rng):
    options = DetectionOptions(4, share_location=share, code_type=CENTER_SIZE, confidence=0.5, top_k=10, keep_top_k=keep)
    rows = detection_output(*case(rng, share=share), options)[0, 0]
    if keep == 0:
        assert rows.tolist() == [[0] + [-1] * 6, [1] + [-1] * 6]
        return
    assert (rows[:, 1] > 0).all() and (rows[:, 2] > 0.5).all()
    assert rows[:, :2].tolist() == sorted(rows[:, :2].tolist())
    for image in (0, 1):
        assert keep < 0 or (rows[:, 0] == image).sum() == keep
        for label in (1, 2, 3):
            scores = rows[(rows[:, 0] == image) & (rows[:, 1] == label), 2]
            assert scores.tolist() == sorted(scores, reverse=True) and len(scores) <= 10


def test_clipping_and_the_empty_row_are_options(rng):
    loc, conf, prior = case(rng)
    assert detection_output(loc, conf, prior, DetectionOptions(4, confidence=2.0, one_empty_row=True)).tolist() == [[[[-1] * 7]]]
    free, clipped = (detection_output(loc * 9, conf, prior, DetectionOptions(4, clip=c))[..., 3:] for c in (False, True))
    assert free.min() < 0 < 1 < free.max()
    np.testing.assert_array_equal(clipped, np.clip(free, 0, 1))


def test_operator_gives_the_true_number_of_rows(rng):
    loc, conf, prior = case(rng)
    op = DetectionOutput(DetectionOptions(4, confidence=0.9))
    assert op.reshape([loc.shape, conf.shape, prior.shape], []) == [(1, 1, 1, 7)]
    np.testing.assert_array_equal(op.reference([loc, conf, prior], [])[0], detection_output(loc, conf, prior, op.options))
    assert run_operator(op, [loc, conf, prior])[0].shape == (1, 1, 1, 7)


@pytest.mark.parametrize(("shapes", "what"), [
    ([(2, 40), (3, 40), (1, 2, 40)], "same batch"), ([(2, 44), (2, 40), (1, 2, 40)], "each image needs"),
    ([(2, 40), (2, 44), (1, 2, 40)], "each image needs"),
    ([(2, 40), (2, 40), (1, 2, 42)], "4 \\* priors")])
def test_counts_that_do_not_fit_are_refused(shapes, what):
    with pytest.raises(CnmlError, match=what):
        DetectionOutput(DetectionOptions(4)).reshape(shapes, [])


@pytest.mark.slow
def test_ssd300_is_fast(rng):
    """8732 priors, 21 classes, the thresholds of SSD300; 15 ms on a free core, more where others run."""
    loc, _, prior = case(rng, 1, 8732, 21)
    logits = rng.standard_normal((8732, 21)) + np.eye(21)[0] * 5
    conf = (np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)).reshape(1, -1).astype(np.float32)
    op = DetectionOutput(DetectionOptions(21, code_type=CENTER_SIZE, confidence=0.01, overlap=0.45, top_k=400, keep_top_k=200))
    op.reference([loc, conf, prior], [])
    times = []
    for _ in range(5):
        start = time.perf_counter()
        op.reference([loc, conf, prior], [])
        times.append(time.perf_counter() - start)
    assert min(times) < 0.06
