"""A network's public weights in the zoo's folder."""
from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pycaffe_acc.errors import CaffeError
from pycaffe_acc.zoo.checksum import check_digests
from pycaffe_acc.zoo.download import Progress, download
from pycaffe_acc.zoo.entry import ZooEntry
from pycaffe_acc.zoo.errors import DownloadError, NoAddressError
from pycaffe_acc.zoo.store import make_folder, weights_path, write_deploy
from pycaffe_acc.zoo.verification import verify


def acquire(entry: ZooEntry, urls: Sequence[str] = (), progress: Progress | None = None, timeout: float = 30.0) -> Path:
    """Download a network's weights, unless they are there, and write its deploy.prototxt beside them.

    A file with published digests must have them; one without must be a weight file whose blobs fit the net.

    Parameters
    ----------
    entry : ZooEntry
    urls : sequence of str
        Addresses to try before the known ones.
    progress : callable, optional
        Called with the bytes so far and in all.
    timeout : float, seconds

    Returns
    -------
    pathlib.Path
        The weights.

    Raises
    ------
    NoAddressError
        When no address is known or given.
    DownloadError
        When no address gave the file.
    """
    path = weights_path(entry)
    if path.exists():
        _accept(entry, path)
        write_deploy(entry, path.parent)
        return path
    if not urls and not entry.urls:
        how = f"get them from {entry.page} by hand and" if entry.page else "if you have some,"
        raise NoAddressError(f"the weights of '{entry.name}' have no public address that a program can fetch; {how} check them with "
                             f"`pycaffe-acc zoo verify {entry.name} FILE`. `pycaffe-acc zoo fake {entry.name} FILE` makes seeded ones to measure "
                             "speed with")
    folder = make_folder(entry)
    download((*urls, *entry.urls), path, lambda part: _check(entry, part), entry.size_bytes, resume=bool(entry.checksums), progress=progress,
             timeout=timeout)
    write_deploy(entry, folder)
    return path


def _accept(entry: ZooEntry, path: Path) -> None:
    try:
        _check(entry, path)
    except CaffeError as e:
        raise DownloadError(f"'{path}' is there, but {e}; remove it to download it again") from e


def _check(entry: ZooEntry, path: Path) -> None:
    if entry.checksums:
        check_digests(path, entry.checksums)
        return
    found = verify(entry, path)
    if not found.ok:
        raise DownloadError("it does not fit the net: " + " ".join(found.problems[:3]))
