"""Fetching a file: several addresses, going on where a connection ended, and no file under its name before it is whole and checked."""
from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from pycaffe_acc.errors import CaffeError
from pycaffe_acc.version import VERSION
from pycaffe_acc.weights_file import MAX_BYTES
from pycaffe_acc.zoo.errors import DownloadError
from pycaffe_acc.zoo.partial_file import PartialFile

#: called with the bytes so far and the bytes in all, None when the server does not say
Progress = Callable[[int, "int | None"], None]

SCHEMES = ("http", "https", "file")
ATTEMPTS = 4
_CHUNK = 1 << 18
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


class _EndedEarlyError(DownloadError):
    """The connection ended before the file did."""


class _NotResumedError(DownloadError):
    """The server cannot go on behind the bytes that are here."""


def download(urls: Sequence[str], target: Path, accept: Callable[[Path], None], size_bytes: int | None = None, resume: bool = True,
             progress: Progress | None = None, timeout: float = 30.0) -> Path:
    """Fetch a file from the first address that gives it.

    Parameters
    ----------
    urls : sequence of str
        http, https or file; tried in turn. All must give the same bytes.
    target : pathlib.Path
        Final name. Bytes lie in `target` + ".part" until `accept` has passed.
    accept : callable
        Called with the path of the whole file; raises a CaffeError when it is not the one that was wanted.
    size_bytes : int, optional
        Size of the file, if known: another one is refused before it is fetched.
    resume : bool
        Keep what came before a connection ended, and go on from there, also in a later call. Only for files that `accept` knows byte by byte.
    progress : callable, optional
    timeout : float, seconds
        Of silence on the connection.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    DownloadError
        When no address gave the file; names each with its reason. Nothing has the name `target` then.
    OSError
        When the file cannot be written.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    reasons = []
    with PartialFile(target) as part:
        fetch = _Fetch(part, size_bytes, resume, progress or (lambda done, total: None), timeout)
        for url in urls:
            try:
                _accepted(fetch, url, accept)
                return part.finish()
            except CaffeError as e:
                reasons.append(f"{url}: {e}")
                if not resume:
                    part.clear()
        kept = f" {part.size} bytes are kept for the next attempt." if part.size else ""
    raise DownloadError(f"could not download '{target.name}' ({'; '.join(reasons) or 'no address is known'}). There is no file '{target}'.{kept}")


def _accepted(fetch: _Fetch, url: str, accept: Callable[[Path], None]) -> None:
    """Fetch, and once more from the start when bytes of an earlier download turn out to be of another file."""
    continued = fetch.resume and fetch.part.size > 0
    fetch.run(url)
    try:
        accept(fetch.part.path)
    except CaffeError:
        fetch.part.clear()
        if not continued:
            raise
        fetch.run(url)
        try:
            accept(fetch.part.path)
        except CaffeError:
            fetch.part.clear()
            raise


class _Fetch:
    """One file from one address after another.

    Parameters
    ----------
    part : PartialFile
    size_bytes, resume, progress, timeout
        As for `download`.
    """

    def __init__(self, part: PartialFile, size_bytes: int | None, resume: bool, progress: Progress, timeout: float):
        self.part = part
        self.size_bytes = size_bytes
        self.resume = resume
        self.progress = progress
        self.timeout = timeout

    def run(self, url: str) -> None:
        """Fetch until the file is whole, as long as every attempt brings something."""
        if urlsplit(url).scheme not in SCHEMES:
            raise DownloadError(f"its scheme is '{urlsplit(url).scheme}'; known are {', '.join(SCHEMES)}")
        for attempt in range(ATTEMPTS):
            if not self.resume:
                self.part.clear()
            before = self.part.size
            try:
                self._transfer(url, before)
                return
            except _NotResumedError:
                self.part.clear()
            except _EndedEarlyError:
                if self.part.size <= before or attempt == ATTEMPTS - 1:
                    raise
        raise DownloadError("the server refuses to send the file from its start")

    def _transfer(self, url: str, start: int) -> None:
        if start and start == self.size_bytes:
            return
        with self._open(url, start) as response:
            start, total = self._extent(response, start)
            if self.part.size != start:
                self.part.clear()
            if total is not None and self.size_bytes is not None and total != self.size_bytes:
                raise DownloadError(f"offers {total} bytes where the published file has {self.size_bytes}; it is another file")
            done = self._receive(response, start, total or self.size_bytes)
        whole = total or self.size_bytes
        if whole is not None and done < whole:
            raise _EndedEarlyError(f"the connection ended after {done} of {whole} bytes")

    def _open(self, url: str, start: int) -> Any:
        headers = {"User-Agent": f"pycaffe-acc/{VERSION}", "Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        try:
            response = urlopen(Request(url, headers=headers), timeout=self.timeout)  # the scheme was checked
        except HTTPError as e:
            e.close()
            if e.code == 416 and start:
                raise _NotResumedError("the server has no bytes there") from e
            raise DownloadError(f"the server answers {e.code} {e.reason}") from e
        except URLError as e:
            raise DownloadError(f"cannot be reached: {e.reason}") from e
        except (OSError, HTTPException, ValueError) as e:
            raise DownloadError(f"cannot be reached: {e or type(e).__name__}") from e
        if response.headers.get_content_type() == "text/html":
            response.close()
            raise DownloadError("answers with a web page, not with a file")
        return response

    def _extent(self, response: Any, start: int) -> tuple[int, int | None]:
        """Where the answer starts in the file, and the file's size if the server says it."""
        length = response.headers.get("Content-Length", "")
        if start and getattr(response, "status", None) == 206:
            match = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
            if match is None or int(match[1]) != start:
                raise _NotResumedError("the server sends another range than the one asked for")
            return start, None if match[2] == "*" else int(match[2])
        return 0, int(length) if length.isdigit() else None

    def _receive(self, response: Any, done: int, total: int | None) -> int:
        limit = MAX_BYTES if total is None else total
        self.progress(done, total)
        while True:
            try:
                data = response.read(_CHUNK)
            except (OSError, HTTPException) as e:
                raise _EndedEarlyError(f"the connection broke after {done} bytes ({e or type(e).__name__})") from e
            if not data:
                return done
            done += len(data)
            if done > limit:
                raise DownloadError(f"sends more than the {limit} bytes that it may have")
            self.part.append(data)
            self.progress(done, total)
