"""Ranking and hit counting."""
from __future__ import annotations

import numpy as np
import pytest

from pycaffe_acc.errors import CheckError
from pycaffe_acc.evaluation.top_k import TopK, top_k


def test_ranking_is_best_first():
    scores = np.array([[0.1, 0.7, 0.2], [3.0, -1.0, 2.0]])
    assert top_k(scores, 2).tolist() == [[1, 2], [0, 2]]


def test_equal_scores_rank_in_order_of_class():
    assert top_k(np.array([[1.0, 2.0, 2.0, 1.0]]), 4).tolist() == [[1, 2, 0, 3]]


def test_fewer_classes_than_k():
    assert top_k(np.array([[0.0, 1.0]]), 5).tolist() == [[1, 0]]


def test_nan_is_refused():
    with pytest.raises(CheckError, match="1 of 2 images have NaN"):
        top_k(np.array([[0.0, np.nan], [0.0, 1.0]]), 1)


def test_scores_need_a_class_axis():
    with pytest.raises(CheckError, match="shape"):
        top_k(np.zeros(3), 1)


def test_hits_add_up_over_batches(rng):
    scores, labels = rng.standard_normal((40, 12)), rng.integers(0, 12, 40)
    counter = TopK()
    counter.add(scores[:25], labels[:25])
    counter.add(scores[25:], labels[25:])
    better = (scores > scores[np.arange(40), labels][:, None]).sum(1)
    assert (counter.images, counter.hits1, counter.hits5) == (40, int((better == 0).sum()), int((better < 5).sum()))


@pytest.mark.parametrize("label", [-1, 12])
def test_a_label_outside_the_classes_is_refused(label):
    with pytest.raises(CheckError, match=f"label {label} is no class of the net, which has 12"):
        TopK().add(np.zeros((1, 12)), np.array([label]))
