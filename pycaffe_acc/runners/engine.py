"""What runs the batches of a pipeline: an offline model or a net."""
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from cnrt.queue import Queue, keep_company
from pycaffe_acc.evaluation.card_work import CardWork
from pycaffe_acc.evaluation.intervals import Interval


class Engine(Protocol):
    """One pipeline's own.

    `bind` is called once by every thread that uses it, before all else.

    Attributes
    ----------
    shape : (int, int, int, int)
        Images in a batch (all slices of data parallelism together), channels, height, width.
    output_shape : tuple of int
        Of a whole batch.
    times_hardware : bool
        Whether `run` measures functions on a device.
    """

    shape: tuple[int, int, int, int]
    output_shape: tuple[int, ...]
    times_hardware: bool

    def bind(self) -> None:
        """Bind the calling thread to the engine's device and channel."""

    def input_buffer(self) -> Any:
        """A new place for a batch on the device."""

    def output_buffer(self) -> Any:
        """A new place for results on the device."""

    def copy_in(self, values: np.ndarray, buffer: Any) -> None:
        """Put a batch, (N, C, H, W) float32, into an input buffer."""

    def run(self, source: Any, target: Any) -> list[Interval]:
        """Compute; returns when it is done, with the times between the notifiers around every function."""

    def copy_out(self, buffer: Any) -> np.ndarray:
        """What is in an output buffer: `output_shape`, float32."""

    def lines(self) -> list[str]:
        """What is said of inputs and outputs."""

    def queues(self) -> list[Queue]:
        """Where its functions run, one after the other."""

    def work(self) -> CardWork | None:
        """What a batch asks of a card; None on the host."""

    def close(self) -> None:
        """Give everything back."""


def begin_together(engines: Sequence[Engine]) -> None:
    """Say that engines will be busy beside each other, for cards' clocks; simulated times begin at 0."""
    keep_company([engine.queues() for engine in engines])


def shape_lines(inputs: list[tuple[int, ...]], output: tuple[int, ...]) -> list[str]:
    """The lines about inputs and output, an extent a line."""
    return [f"input blob num is {len(inputs)}", *(f"shape {d}" for shape in inputs for d in shape), *(f"output shape {d}" for d in output)]
