"""pycaffe's ways to call a net: forward with names, forward over many batches."""
from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from pycaffe_acc.errors import CheckError
from pycaffe_acc.name_dict import NameDict

if TYPE_CHECKING:
    from pycaffe_acc.blob import Blob


class NetForward:
    """The calling half of `Net`."""

    name: str
    inputs: list[str]
    outputs: list[str]
    blobs: NameDict[Blob]
    top_names: NameDict[list[str]]
    _layer_names: list[str]

    def _forward(self, first: int, last: int) -> float:
        raise TypeError("Net gives _forward")

    def _layer_index(self, name: str) -> int:
        if name not in self._layer_names:
            raise CheckError(f"net '{self.name}' has no layer '{name}'; its layers: {', '.join(self._layer_names)}")
        return self._layer_names.index(name)

    def forward(self, blobs: Sequence[str] | None = None, start: str | None = None, end: str | None = None,
                **kwargs: np.ndarray) -> dict[str, np.ndarray]:
        """Run the net, or part of it.

        Parameters
        ----------
        blobs : sequence of str, optional
            Blobs to return besides the outputs.
        start, end : str, optional
            First and last layer to run; the blobs before `start` keep what is in them. With `end`, its tops are returned instead of the outputs.
        **kwargs : ndarray
            For each input blob its values, batch-sized.

        Returns
        -------
        dict of str to ndarray
            Live arrays; copy what must outlast the next forward.

        Raises
        ------
        CheckError
            Unknown names, inputs that do not match.
        ConcurrentUseError
            When another thread is running this net.
        """
        extra = list(blobs or [])
        for name in extra:
            if name not in self.blobs:
                raise CheckError(f"net '{self.name}' has no blob '{name}'; its blobs: {', '.join(self.blobs)}")
        first = 0 if start is None else self._layer_index(start)
        last = len(self._layer_names) - 1 if end is None else self._layer_index(end)
        wanted = (self.outputs if end is None else self.top_names[end]) + extra
        if kwargs:
            self._fill(kwargs)
        for name in wanted:
            self.blobs[name].want()
        self._forward(first, last)
        return {name: self.blobs[name].data for name in dict.fromkeys(wanted)}

    def _fill(self, values: dict[str, np.ndarray]) -> None:
        if set(values) != set(self.inputs):
            raise CheckError(f"net '{self.name}': input blob arguments {sorted(values)} do not match the net's inputs {sorted(self.inputs)}")
        for name, value in values.items():
            blob = self.blobs[name]
            if np.shape(value)[:1] != blob.shape[:1]:
                raise CheckError(f"input '{name}' is not batch sized: the array has the shape {np.shape(value)}, the blob {blob.shape}; reshape the "
                                 f"blob first")
            try:
                blob.data[...] = value
            except ValueError as e:
                raise CheckError(f"input '{name}': an array of shape {np.shape(value)} does not fit the blob {blob.shape}") from e

    def forward_all(self, blobs: Sequence[str] | None = None, **kwargs: np.ndarray) -> dict[str, np.ndarray]:
        """Run the net over as many batches as the arrays need.

        Parameters
        ----------
        blobs : sequence of str, optional
            Blobs to return besides the outputs.
        **kwargs : ndarray
            For each input blob any number of items along axis 0.

        Returns
        -------
        dict of str to ndarray
            All items' results, (items, …).
        """
        collected: dict[str, list[np.ndarray]] = {name: [] for name in dict.fromkeys(self.outputs + list(blobs or []))}
        for batch in self._batch(kwargs):
            out = self.forward(blobs=blobs, **batch)  # type: ignore[arg-type]
            for name, values in out.items():
                collected[name].extend(values.copy())
        total = len(next(iter(kwargs.values())))
        return {name: np.asarray(rows[:total]) for name, rows in collected.items()}

    def _batch(self, values: dict[str, np.ndarray]) -> Iterator[dict[str, np.ndarray]]:
        """Cut arrays into batches of the net's size; the last one is filled up with zeros."""
        if not values:
            raise CheckError("forward_all needs an array for each input blob")
        number = len(next(iter(values.values())))
        size = next(iter(self.blobs.values())).num
        for at in range(0, number, size):
            batch: dict[str, Any] = {}
            for name, v in values.items():
                part = np.asarray(v[at:at + size])
                if len(part) < size:
                    part = np.concatenate([part, np.zeros((size - len(part), *part.shape[1:]), part.dtype)])
                batch[name] = part
            yield batch
