"""Prepared images in memory: a run's clock sees no decoding."""
from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from cnrt.cpu import effective_cpus
from pycaffe_acc.errors import CheckError
from pycaffe_acc.evaluation.dataset import Dataset
from pycaffe_acc.evaluation.prepare import Prepare, prepared
from pycaffe_acc.memory_budget import budget


class HeldImages:
    """Some of a data set's images, as a net's input takes them.

    Parameters
    ----------
    dataset : Dataset
    prepare : callable
        (H, W, C) uint8 → (C, H, W) float32; called from several threads.
    shape : (int, int, int)
        (C, H, W) that `prepare` must give.
    workers : int, optional
        Threads; default: the CPUs this process may use.
    """

    def __init__(self, dataset: Dataset, prepare: Prepare, shape: tuple[int, int, int], workers: int | None = None):
        self.dataset, self._prepare, self._shape, self._workers = dataset, prepare, shape, workers or effective_cpus()
        self._values = np.zeros((0, *shape), np.float32)
        self._rows: dict[int, int] = {}

    def hold(self, numbers: Sequence[int]) -> None:
        """Prepare these images, and let go of those before.

        Parameters
        ----------
        numbers : sequence of int
            In the data set.

        Raises
        ------
        CaffeError
            For one that cannot be read, or gets another shape; for more than memory may hold.
        """
        size = 4 * len(numbers) * math.prod(self._shape)
        if size > budget():
            raise CheckError(f"{self.dataset.name}: {len(numbers)} prepared images of {self._shape} take {size} bytes; PYCAFFE_ACC_MAX_BYTES allows "
                             f"{budget()}. Hold fewer at a time")
        self._rows = {}
        if len(self._values) != len(numbers):
            self._values = np.zeros((len(numbers), *self._shape), np.float32)
        with ThreadPoolExecutor(self._workers, thread_name_prefix="prepare") as pool:
            for _ in pool.map(self._put, range(len(numbers)), numbers):
                pass
        self._rows = {int(n): row for row, n in enumerate(numbers)}

    def __getitem__(self, number: int) -> np.ndarray:
        """An image that is held: (C, H, W) float32."""
        return self._values[self._rows[number]]

    def _put(self, row: int, number: int) -> None:
        self._values[row] = prepared(self._prepare, self.dataset.read(number, self._shape[0]), self._shape, self.dataset, number)
