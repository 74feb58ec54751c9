"""A web server with one file and the faults of real ones."""
from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FileServer(ThreadingHTTPServer):
    """Serves `content` under every path.

    Attributes
    ----------
    content : bytes
    ranges : bool
        Whether it can send a file from the middle.
    cuts : list of int
        The next answers end after so many bytes of what they promise; taken from the front.
    status : int
        Of every answer; other than 200 sends no file.
    content_type : str
    length : bool
        Whether it says how long the file is.
    asked : list of str or None
        The Range header of each request.
    """

    daemon_threads = True

    def __init__(self, content: bytes):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = content
        self.ranges = True
        self.cuts: list[int] = []
        self.status = 200
        self.content_type = "application/octet-stream"
        self.length = True
        self.asked: list[str | None] = []

    @property
    def url(self) -> str:
        """Address of the file."""
        return f"http://127.0.0.1:{self.server_address[1]}/net.caffemodel"


class _Handler(BaseHTTPRequestHandler):
    server: FileServer

    def do_GET(self) -> None:
        """Answer with what is left of the file, or of this answer."""
        server = self.server
        asked = self.headers.get("Range")
        server.asked.append(asked)
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and server.ranges else 0
        if server.status != 200 or start >= len(server.content) > 0:
            self.send_error(server.status if server.status != 200 else 416)
            return
        body = server.content[start:]
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(server.content) - 1}/{len(server.content)}")
        if server.length:
            self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Type", server.content_type)
        self.end_headers()
        self.wfile.write(body[:server.cuts.pop(0)] if server.cuts else body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def serving(content: bytes) -> Iterator[FileServer]:
    """A running server."""
    with FileServer(content) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
