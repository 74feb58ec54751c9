"""How far a suite is: a bar on a terminal, a line for each net elsewhere."""
from __future__ import annotations

from types import TracebackType
from typing import Any, TextIO

from tqdm import tqdm

from pycaffe_acc.suite.runner import Progress


class Bar(Progress):
    """Shows nets, and the images of the net at hand.

    Parameters
    ----------
    stream : file
        Lines instead of a bar when it is no terminal.
    """

    def __init__(self, stream: TextIO):
        self._stream = stream
        self._bar: tqdm[Any] | None = None
        self._total = self._done = self._images = self._seen = 0

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._bar is not None:
            self._bar.close()

    def begin(self, nets: int) -> None:
        """So many nets will be measured."""
        self._total = nets
        if self._stream.isatty():
            self._bar = tqdm(total=nets, unit="net", file=self._stream, dynamic_ncols=True)

    def net(self, name: str, images: int) -> None:
        """A net is opened; this many images will be counted."""
        if self._bar is not None:
            self._images, self._seen = images, 0
            self._bar.set_description_str(name)

    def images(self, count: int) -> None:
        """So many more were evaluated."""
        if self._bar is not None:
            self._seen += count
            self._bar.set_postfix_str(f"{self._seen}/{self._images} images")

    def done(self, name: str, sentence: str) -> None:
        """A net is measured, taken from before, or failed with a sentence."""
        self._done += 1
        if self._bar is not None:
            self._bar.write(f"{name}: {sentence}", file=self._stream)
            self._bar.update(1)
        else:
            self._stream.write(f"[{self._done}/{self._total}] {name}: {sentence}\n")
            self._stream.flush()
