"""What can go wrong with the zoo's networks and files."""
from __future__ import annotations

from pycaffe_acc.errors import CaffeError


class UnknownNetworkError(CaffeError, LookupError):
    """A name or a variant that the zoo does not have."""


class DownloadError(CaffeError):
    """A file could not be fetched; nothing has its name."""


class ChecksumError(DownloadError):
    """A file is not the published one."""


class NoAddressError(CaffeError):
    """The weights have no public address that a program can fetch."""
