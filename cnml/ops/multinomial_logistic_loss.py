"""Logistic loss of given probabilities."""
from __future__ import annotations

from collections.abc import Sequence
from math import prod

import numpy as np

from cnml.errors import expect
from cnml.operator import Operator
from cnml.ops.labels import check_labels
from cnml.reference.pair_loss import multinomial_logistic_loss
from cnml.tensor import Shape


class MultinomialLogisticLoss(Operator):
    """Mean of -log(p[label]) of given probabilities."""

    kind = "MultinomialLogisticLoss"
    results = "kept"
    host_reason = "a loss of one number, computed when testing, not when predicting"

    def reshape(self, inputs: list[Shape], parameters: list[Shape]) -> list[Shape]:
        """A scalar; one label an item."""
        expect(prod(inputs[1][1:]) == 1, self, f"labels {inputs[1]}", "there must be one label an item")
        return [()]

    def reference(self, inputs: list[np.ndarray], parameters: list[np.ndarray]) -> Sequence[np.ndarray]:
        """See `cnml.reference.pair_loss`."""
        check_labels(self, inputs[1], prod(inputs[0].shape[1:]))
        return [multinomial_logistic_loss(inputs[0], inputs[1])]
