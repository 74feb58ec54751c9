"""Digests of files."""
from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from pycaffe_acc.zoo.errors import ChecksumError

_CHUNK = 1 << 20


def digests(path: str | os.PathLike[str], algorithms: Iterable[str]) -> dict[str, str]:
    """Digests of a file, all from one reading.

    Parameters
    ----------
    path : str or Path
    algorithms : iterable of str
        Names that hashlib knows.

    Returns
    -------
    dict of str to str
        Algorithm → hexadecimal digest.
    """
    made = {name: hashlib.new(name) for name in algorithms}
    if made:
        with open(path, "rb") as f:
            while chunk := f.read(_CHUNK):
                for digest in made.values():
                    digest.update(chunk)
    return {name: digest.hexdigest() for name, digest in made.items()}


def check_digests(path: str | os.PathLike[str], wanted: Mapping[str, str]) -> None:
    """Compare a file with published digests.

    Parameters
    ----------
    path : str or Path
    wanted : mapping of str to str

    Raises
    ------
    ChecksumError
        Naming the digest, both values and the file's size.
    """
    found = digests(path, wanted)
    for name, value in wanted.items():
        if found[name] != value.lower():
            raise ChecksumError(f"its {name} is {found[name]} ({Path(path).stat().st_size} bytes), the published file's is {value}")
