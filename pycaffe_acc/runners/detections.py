"""What SSD's runners do with detections: a result file for each image."""
from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from cnrt.whole_file import whole_file
from pycaffe_acc.errors import CheckError
from pycaffe_acc.runners.batches import Batch
from pycaffe_acc.runners.figures import FILLER
from pycaffe_acc.runners.number import number
from pycaffe_acc.runners.top5 import Hits

_COLUMNS = 7


class DetectionSink:
    """Writes `NAME.txt` with lines "class score xmin ymin xmax ymax" (shares of the image's size) for every image.

    Parameters
    ----------
    names : mapping of int to str
        Of classes; one that is not in it is written as its number.
    threshold : float
        Least score that counts.
    folder : Path or None
        Of the result files; None writes none.

    Attributes
    ----------
    hits : Hits
        Counts nothing but images: labels are boxes here, in files of their own.
    detections : int
    """

    def __init__(self, names: Mapping[int, str], threshold: float, folder: Path | None):
        self.hits, self.detections = Hits(), 0
        self._names, self._threshold, self._folder = names, threshold, folder

    def take(self, results: np.ndarray, batch: Batch) -> None:
        """See `Sink.take`; `results` are rows (image, class, score, xmin, ymin, xmax, ymax).

        Raises
        ------
        CheckError
            For results of another form.
        """
        if results.shape[-1] != _COLUMNS:
            raise CheckError(f"the results have the shape {results.shape}; a detector gives rows of {_COLUMNS} values, as DetectionOutput does")
        rows = results.reshape(-1, _COLUMNS)
        rows = rows[(rows[:, 1] >= 0) & (rows[:, 2] >= self._threshold)]
        for i, name in enumerate(batch.names):
            if name == FILLER:
                continue
            own = rows[rows[:, 0] == i]
            self.hits.images += 1
            self.detections += len(own)
            if self._folder is not None:
                with whole_file(self._folder / f"{Path(name).stem}.txt") as part:
                    part.write_text("".join(self._line(row) for row in own), encoding="utf-8")

    def _line(self, row: np.ndarray) -> str:
        label = int(row[1])
        return f"{self._names.get(label, str(label))} {' '.join(number(v) for v in row[2:])}\n"
