"""Ini files by the rules of Boost's property tree, which the vendor's tools read theirs with."""
from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from pycaffe_acc.errors import CheckError, MissingFileError


class IniFile:
    """The keys of an ini file, asked for by `section.key`.

    Parameters
    ----------
    values : dict of str to str
        `section.key` (or `key`, in front of every section) → text.
    source : str
        File name, for messages.
    """

    def __init__(self, values: dict[str, str], source: str):
        self.values = values
        self.source = source

    def text(self, key: str) -> str | None:
        """A value, or None when the key is not there."""
        return self.values.get(key)

    def required(self, key: str, meaning: str) -> str:
        """A value that must be there and not empty.

        Raises
        ------
        CheckError
        """
        value = self.values.get(key, "")
        if not value:
            section, _, name = key.rpartition(".")
            raise CheckError(f"{self.source}: [{section}] {name} is missing; it must be {meaning}")
        return value

    def numbers(self, key: str, default: tuple[float, ...]) -> tuple[float, ...]:
        """Numbers separated by commas.

        Raises
        ------
        CheckError
        """
        text = self.values.get(key)
        if text is None:
            return default
        try:
            return tuple(float(part) for part in text.split(","))
        except ValueError:
            raise CheckError(f"{self.source}: {key} is '{text}'; it must be numbers separated by commas") from None

    def whole_number(self, key: str, default: int) -> int:
        """A whole number of at least 0.

        Raises
        ------
        CheckError
        """
        text = self.values.get(key)
        if text is None:
            return default
        if not text.isdigit():
            raise CheckError(f"{self.source}: {key} is '{text}'; it must be a whole number of at least 0")
        return int(text)

    def unknown(self, known: Iterable[str]) -> list[str]:
        """Keys that are not among `known`, in the file's order."""
        allowed = set(known)
        return [key for key in self.values if key not in allowed]


def read_ini(path: str | os.PathLike[str]) -> IniFile:
    """Read an ini file.

    A line is `[section]`, `key = value` (up to the first `=`; both sides are trimmed), empty, or a comment that starts with `;` or `#`. There are no
    comments behind values and no quotes.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    IniFile

    Raises
    ------
    MissingFileError
    CheckError
        With the line: no `=`, no key, an open `[`, a section or a key that is there twice.
    """
    if not os.path.isfile(path):
        raise MissingFileError(path, "ini file")
    values: dict[str, str] = {}
    sections: set[str] = set()
    section = ""
    for number, raw in enumerate(Path(path).read_text(encoding="utf-8-sig", errors="surrogateescape").splitlines(), 1):
        line = raw.strip()
        if not line or line[0] in ";#":
            continue
        if line[0] == "[":
            section = _section(line, sections, f"{path}:{number}")
            continue
        key, equals, value = line.partition("=")
        if not equals or not key.strip():
            raise CheckError(f"{path}:{number}: the line '{line[:80]}' is neither a [section] nor 'key = value'")
        name = f"{section}.{key.strip()}" if section else key.strip()
        if name in values:
            raise CheckError(f"{path}:{number}: the key '{name}' is there twice; remove one of the lines")
        values[name] = value.strip()
    return IniFile(values, os.fspath(path))


def _section(line: str, sections: set[str], place: str) -> str:
    end = line.find("]")
    if end < 0:
        raise CheckError(f"{place}: the line '{line[:80]}' opens a section and lacks the ']'")
    name = line[1:end].strip()
    if name in sections:
        raise CheckError(f"{place}: the section [{name}] is there twice; put its keys together")
    sections.add(name)
    return name
