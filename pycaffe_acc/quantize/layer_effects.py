"""What each quantized layer alone does to a net's answers."""
from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from pycaffe_acc.evaluation.evaluate import class_scores, score_output
from pycaffe_acc.net import Net

_TINY = 1e-30  # probabilities below are not told apart


@dataclass(frozen=True)
class LayerEffect:
    """One layer in INT8 and all others in floating point.

    Attributes
    ----------
    index : int
        The layer's place in `ObservedNet.layers`.
    sqnr : float
        Of the net's scores, in dB; infinite without any error.
    changed : int
        Images whose first answer is another one.
    """

    index: int
    sqnr: float
    changed: int


def sqnr(signal: np.ndarray, noisy: np.ndarray) -> float:
    """10 log10(sum of squares / sum of squared errors) in dB; infinite for equal arrays, minus infinity for a signal of zeros."""
    error = float(np.square(signal - noisy, dtype=np.float64).sum())
    return ratio_db(float(np.square(signal, dtype=np.float64).sum()), error)


def ratio_db(power: float, error: float) -> float:
    """A ratio of powers in dB."""
    if error == 0:
        return math.inf
    return 10 * math.log10(power / error) if power > 0 else -math.inf


def net_scores(net: Net, source: str, images: Sequence[np.ndarray], output: str | None = None) -> np.ndarray:
    """A net's answers.

    Parameters
    ----------
    net : Net
    source : str
        Its input blob.
    images : sequence of (N, C, H, W) float32
        Batches.
    output : str, optional
        The blob with the scores.

    Returns
    -------
    (images, classes) float32
    """
    name, rows = score_output(net, output), []
    for batch in images:
        if net.blobs[source].shape != batch.shape:
            for blob in net.inputs:
                net.blobs[blob].reshape(len(batch), *net.blobs[blob].shape[1:])
            net.reshape()
        net.blobs[source].data[...] = batch
        net.blobs[name].want()
        net.forward()
        rows.append(class_scores(net.blobs[name].data))
    return np.concatenate(rows)


def logits(scores: np.ndarray) -> np.ndarray:
    """Scores whose errors can be compared: logarithms of probabilities without their mean, since a Softmax hides errors of sure answers.

    Scores that are no probabilities (negative ones, or sums other than 1) only lose their mean.
    """
    probabilities = bool((scores >= 0).all() and np.allclose(scores.sum(1), 1, atol=1e-3))
    values = np.log(np.maximum(scores.astype(np.float64), _TINY)) if probabilities else scores.astype(np.float64)
    return np.asarray(values - values.mean(1, keepdims=True))


def layer_effects(indices: Iterable[int], only: Callable[[int], Net], source: str, images: Sequence[np.ndarray], reference: np.ndarray,
                  output: str | None = None) -> list[LayerEffect]:
    """Run a net once per layer.

    Parameters
    ----------
    indices : iterable of int
    only : callable
        Index → the net with only that layer in INT8.
    source : str
    images : sequence of (N, C, H, W) float32
    reference : (images, classes) float32
        Scores of the float net.
    output : str, optional

    Returns
    -------
    list of LayerEffect
        In the order of `indices`.
    """
    answers, exact = reference.argmax(1), logits(reference)
    effects = []
    for index in indices:
        scores = net_scores(only(index), source, images, output)
        effects.append(LayerEffect(index, sqnr(exact, logits(scores)), int((scores.argmax(1) != answers).sum())))
    return effects
