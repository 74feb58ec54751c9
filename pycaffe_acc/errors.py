"""The exceptions of this package: one base, one class for each kind of trouble.

All derive from `CaffeError`, which is a RuntimeError because that is what pycaffe raises. Messages are whole sentences that name the layer, blob
or file, the value that was met, the rule it broke and what to do.
"""
from __future__ import annotations

import os


class CaffeError(RuntimeError):
    """Base of everything this package raises on purpose."""


class CheckError(CaffeError):
    """A net, a shape or a call breaks one of Caffe's rules (Caffe would abort the process)."""


class PrototxtError(CaffeError):
    """A text file is not a message of the schema.

    Parameters
    ----------
    reason : str
        What is wrong and what to do.
    file : str
        Name of the text's source.
    line : int
        1-based line, 0 when the trouble has no place.

    Attributes
    ----------
    file, line
        As given, so that editors and tools can jump there.
    """

    def __init__(self, reason: str, file: str = "", line: int = 0):
        self.reason = reason
        self.file = file
        self.line = line
        place = f"{file}:{line}: " if file and line else f"{file}: " if file else f"line {line}: " if line else ""
        super().__init__(place + reason)


class UnknownFieldError(PrototxtError):
    """A prototxt holds fields that no known Caffe has."""


class WeightsError(CaffeError):
    """A weight file is damaged, hostile, or does not fit the net."""


class BinaryProtoError(CaffeError):
    """Bytes that should be one message (mean file, datum, net) are none."""


class UnsupportedLayerError(CaffeError):
    """A layer type that is not registered."""


class ConcurrentUseError(CaffeError):
    """One net was used by two threads at the same time."""


class MissingExtraError(CaffeError, ImportError):
    """An optional dependency is not installed; the message names the extra that brings it."""


class MissingFileError(CaffeError, FileNotFoundError):
    """A file that was named does not exist: both pycaffe's RuntimeError and Python's FileNotFoundError."""

    def __init__(self, path: str | os.PathLike[str], what: str = "file"):
        self.path = os.fspath(path)
        super().__init__(f"could not open {what} '{self.path}': it does not exist or is no regular file; check the path "
                         f"(the current folder is '{os.getcwd()}')")

    def __str__(self) -> str:
        return str(self.args[0])
