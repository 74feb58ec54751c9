"""Losses and accuracy against their formulas, worked out by hand or by another route."""
from __future__ import annotations

import numpy as np
import pytest
from cnml_tests.compiled import check_operator, run_operator

from cnml.errors import CnmlError
from cnml.ops.accuracy import Accuracy
from cnml.ops.contrastive_loss import ContrastiveLoss
from cnml.ops.euclidean_loss import EuclideanLoss
from cnml.ops.hinge_loss import HingeLoss
from cnml.ops.infogain_loss import InfogainLoss
from cnml.ops.multinomial_logistic_loss import MultinomialLogisticLoss
from cnml.ops.sigmoid_cross_entropy_loss import SigmoidCrossEntropyLoss
from cnml.ops.softmax_loss import SoftmaxLoss
from cnml.reference.loss_normalizer import Normalization, loss_normalizer


def value(op, *inputs):
    """The loss as a float, through the compiler."""
    out = run_operator(op, [np.asarray(x, np.float32) for x in inputs])[0]
    assert out.shape == ()
    return float(out)


def test_normalizers():
    given = {m: loss_normalizer(m, 4, 3, 7) for m in Normalization}
    assert given == {Normalization.FULL: 12, Normalization.VALID: 7, Normalization.BATCH_SIZE: 4, Normalization.NONE: 1}
    assert loss_normalizer(Normalization.VALID, 4, 3, 0) == 1


def test_softmax_loss_of_equal_scores():
    for mode, divisor in ((Normalization.VALID, 3), (Normalization.FULL, 4), (Normalization.BATCH_SIZE, 2), (Normalization.NONE, 1)):
        got = value(SoftmaxLoss(1, 9, mode), np.zeros((2, 5, 2)), [[0, 4], [9, 2]])
        assert got == pytest.approx(3 * np.log(5) / divisor, rel=1e-6)


def test_softmax_loss_clamps_at_the_smallest_float():
    assert value(SoftmaxLoss(1, None, Normalization.VALID), [[0.0, 1000.0]], [0]) == pytest.approx(-np.log(np.finfo(np.float32).tiny), rel=1e-6)


def test_infogain_with_identity_is_softmax_loss(rng):
    x, y = rng.standard_normal((3, 4, 2)), rng.integers(0, 4, (3, 2))
    soft = value(SoftmaxLoss(1, None, Normalization.VALID), x, y)
    assert value(InfogainLoss(1, np.eye(4), None, Normalization.VALID), x, y) == pytest.approx(soft, rel=1e-5)
    both = run_operator(InfogainLoss(1, None, None, Normalization.VALID, probabilities=True), [x, y, np.eye(4)])
    assert float(both[0]) == pytest.approx(soft, rel=1e-5)
    np.testing.assert_allclose(both[1].sum(axis=1), 1, rtol=1e-5)


def test_sigmoid_cross_entropy(rng):
    x, t = rng.standard_normal((3, 4)), rng.random((3, 4))
    s = 1 / (1 + np.exp(-x))
    want = -(t * np.log(s) + (1 - t) * np.log(1 - s)).sum() / 3
    assert value(SigmoidCrossEntropyLoss(None, Normalization.BATCH_SIZE), x, t) == pytest.approx(want, rel=1e-5)
    assert value(SigmoidCrossEntropyLoss(None, Normalization.NONE), [[800.0, -800.0]], [[1.0, 0.0]]) == 0
    t[0, :] = 7
    want = -(t * np.log(s) + (1 - t) * np.log(1 - s))[1:].sum() / 8
    assert value(SigmoidCrossEntropyLoss(7, Normalization.VALID), x, t) == pytest.approx(want, rel=1e-5)


def test_euclidean_hinge_contrastive_multinomial():
    assert value(EuclideanLoss(), [[1, 2], [3, 4]], [[0, 2], [3, 2]]) == pytest.approx(5 / 4)
    scores, labels = [[0.5, -2.0], [1.0, 0.25]], [0, 1]
    assert value(HingeLoss(), scores, labels) == pytest.approx((0.5 + 0 + 2 + 0.75) / 2)
    assert value(HingeLoss(True), scores, labels) == pytest.approx((0.25 + 4 + 0.5625) / 2)
    a, b, same = [[0.0, 0], [0, 0], [0, 0]], [[0.6, 0.8], [0.3, 0.4], [3, 4]], [1, 0, 0]
    assert value(ContrastiveLoss(1.0), a, b, same) == pytest.approx((1 + 0.25) / 6)
    assert value(ContrastiveLoss(1.0, legacy=True), a, b, same) == pytest.approx((1 + 0.75) / 6)
    assert value(MultinomialLogisticLoss(), [[0.5, 0.5], [0.0, 1.0]], [1, 0]) == pytest.approx((np.log(2) - np.log(1e-20)) / 2, rel=1e-5)


def test_accuracy_ties_count_against():
    op = Accuracy(1, 1)
    assert value(op, [[1, 1, 0], [3, 1, 0]], [0, 0]) == 0.5
    assert value(Accuracy(1, 2), [[1, 1, 0], [3, 1, 0]], [0, 0]) == 1


def test_accuracy_per_class_and_ignored(rng):
    x = np.eye(4)[[0, 1, 1, 3]]
    check_operator(Accuracy(1, 1, ignore=3, per_class=True), [x, np.array([0, 1, 2, 3])])
    overall, each = run_operator(Accuracy(1, 1, ignore=3, per_class=True), [x.astype(np.float32), np.array([0, 1, 2, 3], np.float32)])
    assert overall == pytest.approx(2 / 3)
    np.testing.assert_array_equal(each, [1, 1, 0, 0])
    assert value(Accuracy(1, 1, ignore=3), x, [3, 3, 3, 3]) == 0


@pytest.mark.parametrize("op,inputs", [
    (SoftmaxLoss(1, None, Normalization.VALID, "l"), [np.zeros((2, 3)), [0, 3]]),
    (SoftmaxLoss(1, 0, Normalization.VALID, "l"), [np.zeros((2, 3)), [0, -1]]),
    (InfogainLoss(1, np.eye(3), None, Normalization.VALID, name="l"), [np.zeros((2, 3)), [0, np.nan]]),
    (HingeLoss(name="l"), [np.zeros((2, 3)), [0, 3]]),
    (MultinomialLogisticLoss("l"), [np.zeros((2, 3)), [0, 1e9]]),
    (Accuracy(1, name="l"), [np.zeros((2, 3)), [0, 3]]),
])
def test_labels_out_of_range(op, inputs):
    with pytest.raises(CnmlError, match=r"'l'.*label 1 is .*0\.\.2"):
        value(op, *inputs)


@pytest.mark.parametrize("op,shapes", [
    (SoftmaxLoss(1, None, Normalization.VALID), [(2, 3, 4), (2, 3)]),
    (InfogainLoss(1, None, None, Normalization.VALID), [(2, 3), (3,), (3, 3)]),
    (InfogainLoss(1, None, None, Normalization.VALID), [(2, 3), (2,), (2, 3)]),
    (SigmoidCrossEntropyLoss(None, Normalization.FULL), [(2, 3), (2, 4)]),
    (EuclideanLoss(), [(2, 3), (2, 4)]),
    (HingeLoss(), [(2, 3), (1,)]),
    (ContrastiveLoss(), [(2, 3), (2, 4), (2,)]),
    (ContrastiveLoss(), [(2, 3, 2, 1), (2, 3, 2, 1), (2,)]),
    (ContrastiveLoss(), [(2, 3), (2, 3), (2, 2)]),
    (MultinomialLogisticLoss(), [(2, 3), (2, 2)]),
    (Accuracy(1, 4), [(2, 3), (2,)]),
    (Accuracy(1), [(2, 3), (2, 2)]),
])
def test_shapes_that_do_not_fit(op, shapes):
    with pytest.raises(CnmlError, match=op.kind):
        op.reshape(shapes, [])
