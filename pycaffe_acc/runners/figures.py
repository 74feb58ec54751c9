"""The runners' list of images, and how pipelines share it."""
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pycaffe_acc.errors import CheckError, MissingFileError

#: name of the copies that fill the last batch
FILLER = "null"


class Figure(NamedTuple):
    """An image of the list.

    Attributes
    ----------
    path : str
        As the list has it, for printing.
    file : Path
    label : int
        -1 when the list has none.
    """

    path: str
    file: Path
    label: int


def read_figures(path: str | Path, labelled: bool) -> list[Figure]:
    """Read a list: the first word of a line is a path, the second the label.

    Parameters
    ----------
    path : str or Path
        Text, UTF-8; empty lines are passed over. Paths start at the current folder, or where no such file is, at the list's own.
    labelled : bool
        Whether a line without a label is an error.

    Returns
    -------
    list of Figure

    Raises
    ------
    MissingFileError, CheckError
        Naming file and line.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingFileError(path, "list of images")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as e:
        raise CheckError(f"{path}: the list is not UTF-8 text ({e}); it must hold lines of 'path label'") from e
    figures = [_figure(line.split(), path, number, labelled) for number, line in enumerate(lines, 1) if line.strip()]
    if not figures:
        raise CheckError(f"{path}: the list names no images; it must hold lines of 'path label'")
    return figures


def _figure(words: list[str], path: Path, number: int, labelled: bool) -> Figure:
    label = -1
    if len(words) > 1 and words[1].isdigit():
        label = int(words[1])
    elif labelled:
        raise CheckError(f"{path}:{number}: the line '{' '.join(words)[:80]}' is not 'path label' with a label of 0 or more")
    file = Path(words[0])
    return Figure(words[0], file if file.is_absolute() or file.is_file() else path.parent / file, label)


def deal(figures: Sequence[Figure], hands: int) -> list[list[Figure]]:
    """Deal a list out like cards: line i goes to pipeline i modulo `hands`."""
    return [list(figures[i::hands]) for i in range(hands)]
