"""What a suite has measured so far: a file for each result, so that an interrupted run goes on where it was."""
from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

from cnrt.whole_file import whole_file
from pycaffe_acc.errors import CheckError

_PLAIN = re.compile(r"[^A-Za-z0-9._+=-]+")


class Store:
    """Results by name in a folder.

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    resume : bool
        Whether results that lie there may be used. Otherwise they are replaced one by one, and none is read.

    Attributes
    ----------
    oldest : float or None
        When the oldest result that was used was written, in seconds since 1970.
    """

    def __init__(self, folder: Path, resume: bool):
        self.folder, self._resume = folder, resume
        folder.mkdir(parents=True, exist_ok=True)
        self._fresh: set[str] = set()
        self.oldest: float | None = None

    def get(self, name: str, circumstances: Any) -> dict[str, Any] | None:
        """A result that was measured under the same circumstances: in this run, or before when resumed.

        A file that cannot be read (half of one never carries the name, but disks fail) counts as none.

        Parameters
        ----------
        name : str
        circumstances : object
            Everything that would change the result, as JSON can hold it.
        """
        if not self._resume and name not in self._fresh:
            return None
        try:
            record = json.loads(self._path(name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        if not isinstance(record, dict) or record.get("circumstances") != digest(circumstances):
            return None
        written = self._path(name).stat().st_mtime
        self.oldest = written if self.oldest is None else min(self.oldest, written)
        result: dict[str, Any] = record["result"]
        return result

    def put(self, name: str, circumstances: Any, result: dict[str, Any]) -> None:
        """Keep a result.

        Raises
        ------
        OSError
            When the disk is full, among others; what was kept before stays.
        ValueError
            For NaN and infinities, which JSON cannot hold.
        """
        text = json.dumps({"name": name, "circumstances": digest(circumstances), "result": result}, indent=1, allow_nan=False)
        with whole_file(self._path(name)) as part:
            part.write_text(text + "\n", encoding="utf-8")
        self._fresh.add(name)

    def _path(self, name: str) -> Path:
        plain = _PLAIN.sub("_", name)[:150]
        # two names that differ only in what a file name cannot hold must not meet
        return self.folder / (f"{plain}.json" if plain == name else f"{plain}-{digest(name)[:16]}.json")


def digest(value: Any) -> str:
    """A fingerprint of plain values.

    Raises
    ------
    CheckError
        For values that JSON cannot hold.
    """
    try:
        text = json.dumps(value, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as e:
        raise CheckError(f"circumstances of a result must be plain values: {e}") from e
    return hashlib.sha256(text.encode()).hexdigest()
