"""Names of classes."""
from __future__ import annotations

from pathlib import Path

from pycaffe_acc.errors import CheckError, MissingFileError


def read_labels(path: str | Path) -> list[str]:
    """One class a line.

    Raises
    ------
    MissingFileError, CheckError
    """
    path = Path(path)
    if not path.is_file():
        raise MissingFileError(path, "labels file")
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as e:
        raise CheckError(f"{path}: the labels file is not UTF-8 text ({e})") from e


def check_labels(names: list[str], classes: int, path: str | Path) -> None:
    """Raise a `CheckError` unless there is a name for each class."""
    if len(names) != classes:
        raise CheckError(f"{path}: {len(names)} lines for the net's {classes} classes; is this the labels file that belongs to the model?")
