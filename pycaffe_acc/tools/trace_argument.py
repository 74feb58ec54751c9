"""--trace: what ran when, as a file for a trace viewer."""
from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cnrt import trace
from pycaffe_acc.tools.exit_code import UsageError


def add_trace(parser: argparse.ArgumentParser) -> None:
    """--trace."""
    parser.add_argument("--trace", metavar="OUT.json", help="write what ran when in Chrome's trace format (open in Perfetto): a row for each core, "
                        "queue, channel and host thread")


@contextmanager
def traced(path: str | None) -> Iterator[None]:
    """Record what runs meanwhile, and write it even when that ends with an error; nothing without a path.

    Parameters
    ----------
    path : str or None

    Raises
    ------
    UsageError
        When the file's folder is not there; before anything runs.
    OSError
        When it cannot be written.
    """
    if not path:
        yield
        return
    if not Path(path).absolute().parent.is_dir() or Path(path).is_dir():
        raise UsageError(f"the trace cannot be written to '{path}': it must name a file in a folder that exists")
    trace.start()
    try:
        yield
    finally:
        trace.stop()
        trace.export(path)
