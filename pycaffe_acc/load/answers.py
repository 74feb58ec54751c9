"""The accuracy run's answers: right or wrong by label, kept, and compared with what a timed run answers."""
from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cnrt.whole_file import whole_file
from pycaffe_acc.errors import CheckError, MissingFileError
from pycaffe_acc.evaluation.report import Accuracy
from pycaffe_acc.evaluation.top_k import TopK, top_k
from pycaffe_acc.load.scenario import HEADING

SCHEMA = "pycaffe-acc/load-answers/1"
#: best classes kept of each image
_KEPT = 5
#: how far a score may be off, as a share of the image's largest: other batches take other kernels, whose sums round differently. Where values are
#: rounded between layers, to halves or to codes, such a difference can flip a rounding
TOLERANCES = {"fp32": 1e-4, "fp16": 1e-2, "int8": 1e-2, "mlu": 2e-2}


class Answers:
    """The best classes of images with their scores.

    Parameters
    ----------
    identity : dict
        What the answers depend on: model, weights, precision, preprocessing, data set. Values that JSON can hold.
    precision : str
        Gives the tolerance.
    """

    def __init__(self, identity: Mapping[str, Any], precision: str):
        self.identity, self.precision = dict(identity), precision
        self.tolerance = TOLERANCES[precision]
        self._hits = TopK()
        self._best: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    @property
    def accuracy(self) -> Accuracy:
        """Top-1 and top-5 of all answers."""
        return Accuracy(self._hits.images, self._hits.hits1, self._hits.hits5)

    @property
    def numbers(self) -> list[int]:
        """The images that were answered, in order."""
        return list(self._best)

    def add(self, samples: Sequence[int], scores: np.ndarray, labels: np.ndarray) -> None:
        """Keep the answers of a batch.

        Parameters
        ----------
        samples : sequence of int
            Numbers of images.
        scores : (n, classes) float32
        labels : (n,) int

        Raises
        ------
        CheckError
            For scores that are NaN or infinite, or a label that is no class of the net.
        """
        endless = np.isinf(scores).any(1)
        if endless.any():
            raise CheckError(f"image {int(samples[int(endless.argmax())])} has an infinite score, with which no answer can be compared; name by "
                             "--output a blob whose scores are finite, or choose a precision with a wider range")
        self._hits.add(scores, labels)
        best = top_k(scores, _KEPT)
        for row, sample in enumerate(samples):
            self._best[int(sample)] = (best[row], scores[row, best[row]].astype(np.float32))

    def difference(self, sample: int, scores: np.ndarray) -> str | None:
        """In what a timed run's answer differs from the accuracy run's; None where it does not.

        Parameters
        ----------
        sample : int
        scores : (classes,) float32
        """
        classes, wanted = self._best[sample]
        if len(scores) <= int(classes.max()):
            return f"image {sample}: {len(scores)} scores; the accuracy run had a class {int(classes.max())}"
        got, allowed = scores[classes], self.tolerance * float(np.abs(wanted).max())
        off = np.abs(got - wanted)
        if not bool((off <= allowed).all()):  # NaN is off, too
            worst = int(np.argmax(np.where(np.isnan(off), np.inf, off)))
            return (f"image {sample}: class {int(classes[worst])} has the score {got[worst]:.6g}; in the accuracy run it had {wanted[worst]:.6g} "
                    f"({allowed:.2g} is allowed)")
        if not float(scores.max()) <= float(got[0]) + allowed:
            return f"image {sample}: the best class is {int(np.argmax(scores))}; in the accuracy run it was {int(classes[0])}"
        return None

    # ---- file -------------------------------------------------------------------------------------------------------------------------------

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the answers as JSON (whole or not at all).

        Raises
        ------
        OSError
        """
        document = {"schema": SCHEMA, "heading": HEADING, "identity": self.identity, "precision": self.precision, "images": self._hits.images,
                    "hits1": self._hits.hits1, "hits5": self._hits.hits5, "numbers": self.numbers,
                    "classes": [c.tolist() for c, _ in self._best.values()],
                    "scores": [[float(f"{v:.9g}") for v in s.tolist()] for _, s in self._best.values()]}
        with whole_file(path) as part:
            part.write_text(json.dumps(document), encoding="utf-8")


def read_answers(path: str | os.PathLike[str], identity: Mapping[str, Any], wanted: Sequence[int] = ()) -> Answers:
    """Read what an accuracy run wrote.

    Parameters
    ----------
    path : str or Path
    identity : dict
        Of the run that wants them.
    wanted : sequence of int
        Images whose answers must be there.

    Raises
    ------
    MissingFileError
    CheckError
        When it is no such file, or one of another model, precision, preprocessing or data set.
    """
    if not Path(path).is_file():
        raise MissingFileError(path, "file of answers (the accuracy run writes it)")
    try:
        document = json.loads(Path(path).read_text(encoding="utf-8"))
        if document["schema"] != SCHEMA:
            raise ValueError(f"schema {document['schema']!r}")
        answers = _from_document(document)
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as e:
        raise CheckError(f"{os.fspath(path)}: not the answers of an accuracy run, which this program writes with --mode accuracy ({e})") from e
    for key, value in identity.items():
        if answers.identity.get(key) != value:
            raise CheckError(f"{os.fspath(path)}: the answers were made with {key} {answers.identity.get(key)!r}; this run has {value!r}. Make the "
                             "accuracy run again")
    missing = set(wanted) - set(answers.numbers)
    if missing:
        raise CheckError(f"{os.fspath(path)}: there is no answer for image {min(missing)}; make the accuracy run again")
    return answers


def _from_document(document: Mapping[str, Any]) -> Answers:
    answers = Answers(document["identity"], document["precision"])
    numbers, classes, scores = document["numbers"], document["classes"], document["scores"]
    if not len(numbers) == len(classes) == len(scores) == document["images"]:
        raise ValueError(f"{len(numbers)} numbers, {len(classes)} classes, {len(scores)} scores, {document['images']} images")
    for number, best, values in zip(numbers, classes, scores, strict=True):
        pair = np.array(best, np.int64), np.array(values, np.float32)
        if pair[0].ndim != 1 or not 1 <= pair[0].size <= _KEPT or pair[0].shape != pair[1].shape or pair[0].min() < 0:
            raise ValueError(f"image {number} has the classes {best} and the scores {values}")
        answers._best[int(number)] = pair
    hits = Accuracy(int(document["images"]), int(document["hits1"]), int(document["hits5"]))  # checks them
    answers._hits.images, answers._hits.hits1, answers._hits.hits5 = hits.images, hits.hits1, hits.hits5
    return answers
